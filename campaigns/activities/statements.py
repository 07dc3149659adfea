"""The SQL that every activity's statement is made of.

Each statement claims due rows with `due`, does its own work, and ends with `MOVE` over a CTE named `going` of
(id, version_id, next_key). Placeholders: now, limit, ids (null for all).

No two CTEs are joined with each other, only with tables by their indexes: the planner knows nothing of a CTE's size
where a table has just grown by a launch, and a nested loop over two of them is quadratic (seen: 5,000 rows in 80 s).
StepRun's key is inserted without ON CONFLICT where messages hang on it: should a step ever run twice, the statement
fails whole instead of sending twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smartpush.common.database.statements import Row, column, rows


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of the engine: its time, how many rows of a kind, which enrolments (None: all that are due).

    `wakes`: SQL for the moment at which an enrolment that reaches the step `n` is due there; it is put together from
    the kinds that wait (campaigns.activities.registry.wake_sql).
    """

    now: datetime
    limit: int
    ids: Sequence[int] | None
    wakes: str


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one statement did: enrolments that took a step, and the dispatches that got new deliveries."""

    steps: int
    dispatch_ids: tuple[int, ...] = ()


def due(*, kind: str, extra: str = "") -> str:
    """The claim of up to `limit` rows of this kind that are due; rows that another process holds are left to it."""
    return f"""
    SELECT e.id, e.day, e.brand_id, e.version_id, e.end_user_id, e.step_seq, e.at_key, e.waiting_for, e.variables
    FROM campaigns_enrolment e
    WHERE {due_condition(kind=kind, extra=extra)}
    ORDER BY e.wake_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED"""


def due_condition(*, kind: str, extra: str = "") -> str:
    """Which enrolments `e` are due at an activity of this kind; `kind` and `extra` are ours, never input."""
    return (
        f"e.state = 'active' AND e.at_kind = '{kind}' AND e.wake_at <= %(now)s"
        f" AND (%(ids)s::bigint[] IS NULL OR e.id = ANY(%(ids)s::bigint[])) {extra}"
    )


# Where an outcome leads: its own branch, or the one for any outcome; null ends the enrolment.
def next_key(outcome: str) -> str:
    """SQL for the key that follows this outcome (an SQL expression) in a step `s`."""
    return f"coalesce(s.next->>{outcome}, s.next->>'*')"


# Whoever leads to a step sets its wake-up (`wakes`): a time that is waited for runs from there.
MOVE = """
    UPDATE campaigns_enrolment e SET
      state = CASE WHEN n.key IS NULL THEN 'done' ELSE 'active' END,
      at_key = coalesce(n.key, e.at_key),
      at_kind = coalesce(n.kind, e.at_kind),
      step_seq = CASE WHEN n.key IS NULL THEN e.step_seq ELSE e.step_seq + 1 END,
      waiting_for = '',
      wake_at = CASE WHEN n.key IS NOT NULL THEN <wakes> END,
      finished_at = CASE WHEN n.key IS NULL THEN %(now)s END
    FROM going g LEFT JOIN campaigns_versionstep n ON n.version_id = g.version_id AND n.key = g.next_key
    WHERE e.id = g.id
    RETURNING e.id"""

STEP_RUN_COLUMNS = "(day, brand_id, enrolment_id, step_seq, version_id, key, kind, outcome, ran_at, answered_at)"


def outcome_sql(*, kind: str, outcome: str) -> str:
    """The statement of a kind that only decides where to go; `outcome` is SQL over the due row `d` and its step `s`."""
    return f"""
WITH due AS MATERIALIZED ({due(kind=kind)}),
-- The outcome is worked out once for each row.
step AS MATERIALIZED (
  SELECT d.*, s.next, ({outcome})::text AS outcome
  FROM due d JOIN campaigns_versionstep s ON s.version_id = d.version_id AND s.key = d.at_key
),
-- That the step was taken, by which branch.
run AS (
  INSERT INTO campaigns_steprun {STEP_RUN_COLUMNS}
  SELECT day, brand_id, id, step_seq, version_id, at_key, '{kind}', outcome, %(now)s, %(now)s FROM step
  ON CONFLICT DO NOTHING
),
going AS (SELECT s.id, s.version_id, {next_key("s.outcome")} AS next_key FROM step s),
moved AS ({MOVE})
SELECT count(*) FROM moved
"""


def run(row: type[Row], sql: str, step: Pass, **more: Any) -> list[Row]:
    """Execute one statement of a pass and return its rows by name (smartpush.common.database.statements)."""
    return rows(row, _with_wakes(sql, step), {**_values(step), **more})


def run_column(sql: str, step: Pass, **more: Any) -> list[Any]:
    """Execute a statement of a pass that returns one column, and return its values."""
    return column(_with_wakes(sql, step), {**_values(step), **more})


def run_count(sql: str, step: Pass, **more: Any) -> int:
    """Execute a statement of a pass that returns a number, and return it."""
    (count,) = run_column(sql, step, **more)
    return int(count)


def _with_wakes(sql: str, step: Pass) -> str:
    return sql.replace("<wakes>", step.wakes)


def _values(step: Pass) -> dict[str, Any]:
    return {"now": step.now, "limit": step.limit, "ids": None if step.ids is None else list(step.ids)}
