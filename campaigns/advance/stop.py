"""Stop: end the enrolment."""

from collections.abc import Sequence
from datetime import datetime

from campaigns.advance.statements import MOVE, STEP_RUN_COLUMNS, Stepped, due, parameters, run

_SQL = f"""
WITH due AS MATERIALIZED ({due(kind="stop")}),
run AS (
  INSERT INTO campaigns_steprun {STEP_RUN_COLUMNS}
  SELECT day, id, step_seq, version_id, at_key, 'stop', 'done', %(now)s, %(now)s FROM due
  ON CONFLICT DO NOTHING
),
going AS (SELECT id, version_id, NULL::text AS next_key FROM due),
moved AS ({MOVE})
SELECT count(*) FROM moved
"""


def advance(*, now: datetime, limit: int, ids: Sequence[int] | None = None) -> Stepped:
    """End up to `limit` enrolments that reached a stop."""
    return Stepped(run(_SQL, parameters(now=now, limit=limit, ids=ids))[0][0])
