"""Which published campaigns let end users in, and how. What a draft says meanwhile does not count: the version does."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Entry:
    """How one version lets end users in; `interval` in seconds, `rules` null for everybody, the brand's time zone."""

    campaign_id: int
    version_id: int
    brand_id: int
    trigger_event: str
    mode: str
    interval: int
    rules: dict[str, Any] | None
    start_key: str
    start_kind: str
    time_zone: str
    trigger_kind: str = "event"
    trigger_segment: int | None = None


_ENTRY = """
SELECT c.id, v.id, c.brand_id, v.entry, s.key, s.kind, b.time_zone
FROM campaigns_campaign c
JOIN devices_brand b ON b.id = c.brand_id
JOIN campaigns_campaignversion v ON v.id = {version}
JOIN campaigns_versionstep s ON s.version_id = v.id AND s.key = v.graph->>'start'
"""
_TRIGGERED = (
    _ENTRY.format(version="c.current_version_id")
    + """WHERE c.brand_id = %s AND c.state = 'active' AND v.entry->>'kind' = 'realtime'
  AND v.entry->>'trigger_event' = ANY(%s)
ORDER BY c.id"""
)
_WATCHING = (
    _ENTRY.format(version="c.current_version_id")
    + """WHERE c.state = 'active' AND v.entry->>'kind' = 'realtime'
  AND v.entry->>'trigger_kind' IN ('segment_entered', 'segment_left')
ORDER BY c.id"""
)
_OF_VERSION = _ENTRY.format(version="%s") + "WHERE c.id = v.campaign_id"


def _entries(sql: str, values: Sequence[Any]) -> list[Entry]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    return [
        Entry(
            campaign_id=campaign_id,
            version_id=version_id,
            brand_id=brand_id,
            trigger_event=entry["trigger_event"],
            mode=entry["entry_mode"],
            interval=entry["entry_interval"],
            rules=entry["rules"],
            start_key=key,
            start_kind=kind,
            time_zone=zone,
            trigger_kind=entry.get("trigger_kind", "event"),  # versions of before segments could trigger
            trigger_segment=entry.get("trigger_segment"),
        )
        for campaign_id, version_id, brand_id, raw, key, kind, zone in rows
        for entry in [json.loads(raw)]
    ]


def entries_triggered(*, brand_id: int, event_names: Sequence[str]) -> list[Entry]:
    """The brand's active real-time campaigns that these events may let somebody into, in the order of their ids."""
    return _entries(_TRIGGERED, [brand_id, list(event_names)])


def entries_watching() -> list[Entry]:
    """The active real-time campaigns that wait for somebody to enter or leave a segment, in the order of their ids."""
    return _entries(_WATCHING, [])


def entry_of(*, version_id: int) -> Entry:
    """How this version lets end users in."""
    return _entries(_OF_VERSION, [version_id])[0]


_SCHEDULED = """
SELECT c.id, c.brand_id, (v.entry->>'scheduled_at')::timestamptz
FROM campaigns_campaign c JOIN campaigns_campaignversion v ON v.id = c.current_version_id
WHERE c.state = 'active' AND v.entry->>'kind' = 'scheduled' AND (v.entry->>'scheduled_at')::timestamptz <= %s
  AND NOT EXISTS (SELECT 1 FROM campaigns_launch l
                  WHERE l.campaign_id = c.id AND l.slot = (v.entry->>'scheduled_at')::timestamptz)
ORDER BY 3, 1
"""


def slots_due(*, now: datetime) -> list[tuple[int, int, datetime]]:
    """(campaign, brand, slot) of active scheduled campaigns whose time has come and whose launch has not begun."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHEDULED, [now])
        return [(row[0], row[1], row[2]) for row in cursor.fetchall()]
