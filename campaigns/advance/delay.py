"""Delay: the time is up (it began when the delay was reached); record it and go on."""

from collections.abc import Sequence
from datetime import datetime

from campaigns.advance.statements import (
    MOVE,
    STEP_RUN_COLUMNS,
    Stepped,
    due,
    next_key,
    parameters,
    run,
)

_SQL = f"""
WITH due AS MATERIALIZED ({due(kind="delay")}),
step AS (
  SELECT d.*, {next_key("'done'")} AS next_key
  FROM due d JOIN campaigns_versionstep s ON s.version_id = d.version_id AND s.key = d.at_key
),
run AS (
  INSERT INTO campaigns_steprun {STEP_RUN_COLUMNS}
  SELECT day, id, step_seq, version_id, at_key, 'delay', 'done', %(now)s, %(now)s FROM step
  ON CONFLICT DO NOTHING
),
going AS (SELECT id, version_id, next_key FROM step),
moved AS ({MOVE})
SELECT count(*) FROM moved
"""


def advance(*, now: datetime, limit: int, ids: Sequence[int] | None = None) -> Stepped:
    """Move on up to `limit` enrolments whose delay is over."""
    return Stepped(run(_SQL, parameters(now=now, limit=limit, ids=ids))[0][0])
