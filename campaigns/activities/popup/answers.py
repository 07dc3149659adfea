"""What came of popups: campaigns read the state that devices recorded and move on by it.

The offer's state decides between answer and timeout: both change it only while it is open, so the first wins; the
enrolment then follows whatever is there, only while it still waits at that very step.
"""

from collections.abc import Sequence
from datetime import timedelta

from campaigns.activities.statements import MOVE, Pass, Stepped, next_key, run_column
from devices.delivery.popup_outcomes import ENDED, in_sql
from devices.popups.offers import offers_expire

CATCH_UP = timedelta(minutes=15)
_FINAL = in_sql(ENDED)

_APPLY = f"""
-- The enrolments that wait for a popup which has ended, each with how it ended.
WITH due AS MATERIALIZED (
  SELECT e.id, e.day, e.version_id, e.step_seq, e.at_key, coalesce(o.state, 'expired') AS outcome,
         coalesce(o.finished_at, %(now)s) AS answered_at
  FROM campaigns_enrolment e
  {{source}}
  ORDER BY e.id
  LIMIT %(limit)s
  FOR UPDATE OF e {{locked}}
),
-- The step has its outcome.
answered AS (
  UPDATE campaigns_steprun r SET outcome = d.outcome, answered_at = d.answered_at
  FROM due d
  WHERE r.enrolment_id = d.id AND r.step_seq = d.step_seq AND r.day = d.day
),
going AS (
  SELECT d.id, d.version_id, {next_key("d.outcome")} AS next_key
  FROM due d JOIN campaigns_versionstep s ON s.version_id = d.version_id AND s.key = d.at_key
),
moved AS ({MOVE})
SELECT id FROM moved ORDER BY id
"""

_WAITING = "e.state = 'active' AND e.at_kind = 'popup' AND e.waiting_for = 'popup'"
_ITS_OFFER = "devices_popupoffer o ON o.enrolment_id = e.id AND o.step_seq = e.step_seq"

# An answer waits for a lock on the enrolment, because nobody else would look at it before the timeout.
_ANSWERED = _APPLY.format(
    source=f"""JOIN {_ITS_OFFER}
  WHERE {_WAITING} AND o.state IN {_FINAL}
    AND CASE WHEN %(offers)s::bigint[] IS NULL THEN o.finished_at > %(since)s
             ELSE o.id = ANY(%(offers)s::bigint[]) END""",
    locked="",
)
# A timeout is seen again at the next tick; a missing offer (its end user was erased) must not hold an enrolment for
# ever.
_TIMED_OUT = _APPLY.format(
    source=f"""LEFT JOIN {_ITS_OFFER}
  WHERE {_WAITING} AND e.wake_at <= %(now)s AND (o.id IS NULL OR o.state IN {_FINAL})
    AND (%(ids)s::bigint[] IS NULL OR e.id = ANY(%(ids)s::bigint[]))""",
    locked="SKIP LOCKED",
)


def answers_apply(step: Pass, *, offer_ids: Sequence[int] | None = None) -> list[int]:
    """Move on the enrolments whose popup has ended and return their ids.

    With the offers' ids it looks at these. Without, it looks for popups that ended in the last quarter of an hour, such
    as those of a visitor who was merged; what is older than that moves on at the step's own timeout.
    """
    offers = None if offer_ids is None else list(offer_ids)
    return run_column(_ANSWERED, step, offers=offers, since=step.now - CATCH_UP)


def give_up(step: Pass) -> Stepped:
    """End the offers whose time is up, then move on the enrolments that waited for them."""
    offers_expire(now=step.now, limit=step.limit)
    return Stepped(len(run_column(_TIMED_OUT, step)))
