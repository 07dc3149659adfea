"""Push: an outbox row for each device of the end user that may be reached, or the outcome that there is none."""

from datetime import UTC
from typing import NamedTuple

from campaigns.activities.dispatching import dispatches_of_due
from campaigns.activities.statements import MOVE, STEP_RUN_COLUMNS, Pass, Stepped, due, next_key, run
from devices.delivery.selectors.reach import device_reaches_sql
from devices.delivery.services.outbox import journey_deliveries_sql

# Both settings of target devices must let a device through; `native` is whatever is not web.
_FITS = "(s.{0} = 'all' OR (s.{0} = 'web') = (v.platform = 'web'))"
_PREFERRED = "(SELECT u.target_devices FROM devices_enduser u WHERE u.id = d.end_user_id)"

_SQL = f"""
-- The steps that have due enrolments, each with the dispatch of today.
WITH target AS (
  SELECT * FROM unnest(%(versions)s::bigint[], %(keys)s::text[], %(dispatches)s::bigint[])
    AS t(version_id, key, dispatch_id)
),
due AS MATERIALIZED ({due(kind="push", extra="AND (e.version_id, e.at_key) IN (SELECT version_id, key FROM target)")}),
-- Each due enrolment with which devices its step wants, and which its end user prefers.
step AS (
  SELECT d.*, s.next, coalesce(s.settings->>'target_devices', s.target_devices) AS wanted,
         coalesce({_PREFERRED}, 'all') AS preferred, t.dispatch_id, p.ttl
  FROM due d
  JOIN campaigns_versionstep s ON s.version_id = d.version_id AND s.key = d.at_key
  JOIN target t ON t.version_id = d.version_id AND t.key = d.at_key
  JOIN devices_dispatch p ON p.id = t.dispatch_id
),
-- Each with each device of its end user that may be reached.
pair AS (
  SELECT s.*, v.id AS device_id, v.endpoint_origin,
         v.id IS NOT NULL AND {_FITS.format("wanted")} AND {_FITS.format("preferred")} AS fits
  FROM step s
  -- Probes by index for each enrolment (OFFSET 0 keeps them so): as joins, the statistics of a table that has just
  -- grown made them walks over all devices, and over everybody allowed, for each.
  LEFT JOIN LATERAL (
    SELECT v.id, v.endpoint_origin, v.platform FROM devices_device v
    WHERE {device_reaches_sql(device="v", end_user="s.end_user_id")}
    OFFSET 0
  ) v ON true
),
-- The outcome is one for all devices of an enrolment.
decided AS MATERIALIZED (
  SELECT s.*, row_number() OVER (PARTITION BY s.id ORDER BY s.device_id) = 1 AS first,
         CASE WHEN bool_or(s.fits) OVER same THEN 'sent'
              WHEN count(s.device_id) OVER same > 0 THEN 'excluded_by_target'
              WHEN s.wanted <> 'all' AND s.preferred <> 'all' AND s.wanted <> s.preferred THEN 'excluded_by_target'
              ELSE 'no_device' END AS outcome
  FROM pair s
  WINDOW same AS (PARTITION BY s.id)
),
-- A step that ran twice would fail here, with all that it sends.
run AS (
  INSERT INTO campaigns_steprun {STEP_RUN_COLUMNS}
  SELECT day, brand_id, id, step_seq, version_id, at_key, 'push', outcome, %(now)s, %(now)s FROM decided WHERE first
),
outgoing AS (
  SELECT brand_id, dispatch_id, end_user_id, device_id, id AS enrolment_id, step_seq, endpoint_origin AS origin,
         variables, ttl
  FROM decided WHERE fits
),
-- The outbox.
sent AS ({journey_deliveries_sql(source="outgoing")}
),
going AS (
  SELECT s.id, s.version_id, {next_key("s.outcome")} AS next_key FROM decided s WHERE s.first
),
moved AS ({MOVE})
SELECT (SELECT count(*) FROM moved) AS steps, (SELECT array_agg(DISTINCT dispatch_id) FROM sent) AS dispatch_ids
"""


class _Sent(NamedTuple):
    steps: int
    dispatch_ids: list[int] | None


def advance(step: Pass) -> Stepped:
    """Write the messages of up to `limit` due push steps and move on; nothing is sent here."""
    targets = dispatches_of_due(kind="push", step=step)
    if not targets:
        return Stepped(0)
    (sent,) = run(
        _Sent,
        _SQL,
        step,
        day=step.now.astimezone(UTC).date(),
        versions=[target.version_id for target in targets],
        keys=[target.key for target in targets],
        dispatches=[target.dispatch_id for target in targets],
    )
    return Stepped(sent.steps, tuple(sent.dispatch_ids or ()))
