"""Popup: put one offer before the end user and wait; another open offer is waited out, until the step's own time is up.

Who has opted out of such popups gets no offer: their journey goes on at once, as `opted_out`.

The answer comes back through `answers.py` beside this file.
"""

from datetime import timedelta

from campaigns.activities.dispatching import dispatches_of_due
from campaigns.activities.statements import MOVE, STEP_RUN_COLUMNS, Pass, Stepped, due, next_key, run_count
from devices.popups.offers import POPUP_OPTED_OUT, journey_offers_sql

BUSY_RETRY = timedelta(seconds=30)
_NOT_OFFERED = "AND e.waiting_for IN ('', 'busy')"

_SQL = f"""
-- The steps that have due enrolments, each with the dispatch of today.
WITH target AS (
  SELECT * FROM unnest(%(versions)s::bigint[], %(keys)s::text[], %(dispatches)s::bigint[])
    AS t(version_id, key, dispatch_id)
),
due AS MATERIALIZED ({
    due(
        kind="popup",
        extra=f"{_NOT_OFFERED} AND (e.version_id, e.at_key) IN (SELECT version_id, key FROM target)",
    )
}),
-- What is decided about each: has it opted out, until when does it wait.
step AS MATERIALIZED (
  SELECT d.*, {next_key("'busy'")} AS busy_key, t.dispatch_id,
         coalesce(s.next->>'opted_out', s.next->>'no_answer', s.next->>'*') AS opted_out_key, coalesce({
    POPUP_OPTED_OUT
}, false) AS opted_out,
         coalesce(r.ran_at, %(now)s) + s.seconds * interval '1 second' AS until
  FROM due d
  JOIN campaigns_versionstep s ON s.version_id = d.version_id AND s.key = d.at_key
  JOIN target t ON t.version_id = d.version_id AND t.key = d.at_key
  JOIN devices_dispatch p ON p.id = t.dispatch_id
  JOIN devices_brand b ON b.id = d.brand_id
  LEFT JOIN devices_enduser u ON u.id = d.end_user_id
  LEFT JOIN campaigns_steprun r ON r.enrolment_id = d.id AND r.step_seq = d.step_seq AND r.day = d.day
),
-- The step has begun, or is over where the person has opted out; one that waits for its turn has begun before.
run AS (
  INSERT INTO campaigns_steprun {STEP_RUN_COLUMNS}
  SELECT day, brand_id, id, step_seq, version_id, at_key, 'popup', CASE WHEN opted_out THEN 'opted_out' ELSE '' END,
         %(now)s, CASE WHEN opted_out THEN %(now)s::timestamptz END
  FROM step
  ON CONFLICT DO NOTHING
),
wanted AS (
  SELECT brand_id, dispatch_id, end_user_id, id AS enrolment_id, step_seq, until AS expires_at
  FROM step WHERE until > %(now)s AND NOT opted_out
),
-- One open offer an end user: where another one is open, none is made.
offer AS ({journey_offers_sql(source="wanted")}
),
-- Offered: the answer, or the offer's end, moves it on.
waits AS (
  UPDATE campaigns_enrolment e SET waiting_for = 'popup', wake_at = o.expires_at
  FROM offer o WHERE e.id = o.enrolment_id
  RETURNING e.id
),
-- Another popup is open: it is tried again soon.
busy AS (
  UPDATE campaigns_enrolment e SET waiting_for = 'busy', wake_at = least(%(now)s + %(retry)s, s.until)
  FROM step s
  WHERE e.id = s.id AND s.until > %(now)s AND NOT s.opted_out AND s.id NOT IN (SELECT enrolment_id FROM offer)
  RETURNING e.id
),
-- The step's time is up, or the person has opted out.
given_up AS (
  UPDATE campaigns_steprun r SET outcome = CASE WHEN s.opted_out THEN 'opted_out' ELSE 'busy' END, answered_at = %(now)s
  FROM step s
  WHERE (s.until <= %(now)s OR s.opted_out) AND r.enrolment_id = s.id AND r.step_seq = s.step_seq AND r.day = s.day
),
going AS (
  SELECT id, version_id, CASE WHEN opted_out THEN opted_out_key ELSE busy_key END AS next_key
  FROM step WHERE until <= %(now)s OR opted_out
),
moved AS ({MOVE})
SELECT (SELECT count(*) FROM waits) + (SELECT count(*) FROM busy) + (SELECT count(*) FROM moved)
"""


def advance(step: Pass) -> Stepped:
    """Make the offers of up to `limit` due popup steps. People with another open popup move on as `busy`, those who
    opted out as `opted_out`."""
    targets = dispatches_of_due(kind="popup", step=step, extra=_NOT_OFFERED)
    if not targets:
        return Stepped(0)
    return Stepped(
        run_count(
            _SQL,
            step,
            retry=BUSY_RETRY,
            versions=[target.version_id for target in targets],
            keys=[target.key for target in targets],
            dispatches=[target.dispatch_id for target in targets],
        )
    )
