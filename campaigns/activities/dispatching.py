"""The dispatches that the due steps of an activity write under: one per version, activity and UTC day of the send.

The day is the send's, not the enrolment's: an enrolment may be months old, while deliveries belong in the
partition of the day they were made. That a step sends once is held by its step run, which commits with them.
"""

import json
from datetime import UTC, date
from typing import NamedTuple

from campaigns.activities.statements import Pass, due_condition, run
from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure

# The distinct steps of the rows about to be claimed; content travels only for those whose dispatch is missing yet.
_STEPS = """
WITH steps AS (
  SELECT DISTINCT c.version_id, c.at_key FROM (
    SELECT e.version_id, e.at_key FROM campaigns_enrolment e
    WHERE {condition}
    ORDER BY e.wake_at LIMIT %(limit)s
  ) c
)
SELECT t.version_id, t.at_key AS key, p.id AS dispatch_id, a.brand_id, a.id AS campaign_id, a.name,
       v.entry->>'purpose' AS purpose, v.entry->>'lane' AS lane, v.number,
       coalesce(s.settings->>'target_devices', s.target_devices) AS target_devices, s.seconds,
       CASE WHEN p.id IS NULL THEN s.content END AS content
FROM steps t
JOIN campaigns_versionstep s ON s.version_id = t.version_id AND s.key = t.at_key
JOIN campaigns_campaignversion v ON v.id = t.version_id
JOIN campaigns_campaign a ON a.id = v.campaign_id
LEFT JOIN devices_dispatch p
  ON p.brand_id = a.brand_id AND p.day = %(day)s AND p.source_key = 'v' || t.version_id || ':' || t.at_key
ORDER BY 1, 2
"""


class _DueStep(NamedTuple):
    version_id: int
    key: str
    dispatch_id: int | None
    brand_id: int
    campaign_id: int
    name: str
    purpose: str
    lane: str
    number: int
    target_devices: str
    seconds: int
    content: str | None


class Target(NamedTuple):
    """One step that has due enrolments, and the dispatch that its messages belong to."""

    version_id: int
    key: str
    dispatch_id: int


def source_key(*, version_id: int, key: str) -> str:
    """The name of an activity's dispatches, the same every day."""
    return f"v{version_id}:{key}"


def dispatches_of_due(*, kind: str, step: Pass, extra: str = "") -> list[Target]:
    """Every step of this kind that has due enrolments, with its dispatch of today, which is made where it is missing.

    A message lives as long as its content says (`ttl`), or else as long as the step waits.
    """
    day = step.now.astimezone(UTC).date()
    due = run(_DueStep, _STEPS.format(condition=due_condition(kind=kind, extra=extra)), step, day=day)
    missing = [_spec(one, kind=kind, day=day) for one in due if one.dispatch_id is None]
    made = dispatches_ensure(specs=missing, now=step.now)
    return [
        Target(
            one.version_id,
            one.key,
            one.dispatch_id or made[one.brand_id, day, source_key(version_id=one.version_id, key=one.key)],
        )
        for one in due
    ]


def _spec(step: _DueStep, *, kind: str, day: date) -> DispatchSpec:
    content = json.loads(step.content or "{}")
    return DispatchSpec(
        brand_id=step.brand_id,
        day=day,
        source="journey",
        source_key=source_key(version_id=step.version_id, key=step.key),
        campaign_ref=step.campaign_id,
        label=f"{step.name} v{step.number}: {kind} {step.key}",
        content=content,
        purpose=step.purpose,
        lane=step.lane,
        policy=content.get("policy", "at_least_once"),
        target_devices=step.target_devices,
        ttl=content.get("ttl", step.seconds),
        urgency=content.get("urgency", "normal"),
    )
