"""The dispatches that the due steps of an activity write under: one per version, activity and UTC day of the send.

The day is the send's, not the enrolment's: an enrolment may be months old, while deliveries belong in the
partition of the day they were made. That a step sends once is held by its step run, which commits with them.
"""

import json
from datetime import UTC

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
SELECT t.version_id, t.at_key, p.id, a.brand_id, a.id, a.name, v.entry->>'purpose', v.entry->>'lane', v.number,
       coalesce(s.settings->>'target_devices', s.target_devices), s.seconds, CASE WHEN p.id IS NULL THEN s.content END
FROM steps t
JOIN campaigns_versionstep s ON s.version_id = t.version_id AND s.key = t.at_key
JOIN campaigns_campaignversion v ON v.id = t.version_id
JOIN campaigns_campaign a ON a.id = v.campaign_id
LEFT JOIN devices_dispatch p
  ON p.brand_id = a.brand_id AND p.day = %(day)s AND p.source_key = 'v' || t.version_id || ':' || t.at_key
ORDER BY 1, 2
"""


def source_key(*, version_id: int, key: str) -> str:
    """The name of an activity's dispatches, the same every day."""
    return f"v{version_id}:{key}"


def dispatches_of_due(*, kind: str, step: Pass, extra: str = "") -> list[tuple[int, str, int]]:
    """(version id, activity key, dispatch id) of every step that has due enrolments.

    A message lives as long as its content says (`ttl`), or else as long as the step waits.
    """
    day = step.now.astimezone(UTC).date()
    rows = run(_STEPS.format(condition=due_condition(kind=kind, extra=extra)), step, day=day)
    specs: list[DispatchSpec] = []
    for version_id, key, dispatch_id, brand_id, campaign_id, name, purpose, lane, number, target, seconds, raw in rows:
        if dispatch_id is not None:
            continue
        content = json.loads(raw)
        specs.append(
            DispatchSpec(
                brand_id=brand_id,
                day=day,
                source="journey",
                source_key=source_key(version_id=version_id, key=key),
                campaign_ref=campaign_id,
                label=f"{name} v{number}: {kind} {key}",
                content=content,
                purpose=purpose,
                lane=lane,
                policy=content.get("policy", "at_least_once"),
                target_devices=target,
                ttl=content.get("ttl", seconds),
                urgency=content.get("urgency", "normal"),
            )
        )
    made = dispatches_ensure(specs=specs, now=step.now)
    return [(row[0], row[1], row[2] or made[row[3], day, source_key(version_id=row[0], key=row[1])]) for row in rows]
