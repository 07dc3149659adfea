"""Which published campaigns let end users in, and how. What a draft says meanwhile does not count: the version does."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from smartpush.common.database import statements


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


class _Entered(NamedTuple):
    campaign_id: int
    version_id: int
    brand_id: int
    entry: str
    start_key: str
    start_kind: str
    time_zone: str


# How versions let end users in: those of active campaigns (_TRIGGERED, _WATCHING), or one (_OF_VERSION).
_ENTRY = """
SELECT c.id AS campaign_id, v.id AS version_id, c.brand_id, v.entry, s.key AS start_key, s.kind AS start_kind,
       b.time_zone
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
    return [
        Entry(
            campaign_id=row.campaign_id,
            version_id=row.version_id,
            brand_id=row.brand_id,
            trigger_event=entry["trigger_event"],
            mode=entry["entry_mode"],
            interval=entry["entry_interval"],
            rules=entry["rules"],
            start_key=row.start_key,
            start_kind=row.start_kind,
            time_zone=row.time_zone,
            trigger_kind=entry.get("trigger_kind", "event"),  # versions of before segments could trigger
            trigger_segment=entry.get("trigger_segment"),
        )
        for row in statements.rows(_Entered, sql, values)
        for entry in [json.loads(row.entry)]
    ]


def entries_triggered(*, brand_id: int, event_names: Sequence[str]) -> list[Entry]:
    """The brand's active real-time campaigns that these events may let somebody into, in the order of their ids."""
    return _entries(_TRIGGERED, [brand_id, list(event_names)])


def entries_watching() -> list[Entry]:
    """The active real-time campaigns that wait for somebody to enter or leave a segment, in the order of their ids."""
    return _entries(_WATCHING, [])


def entry_of(*, version_id: int) -> Entry:
    """How this version lets end users in."""
    (entry,) = _entries(_OF_VERSION, [version_id])
    return entry


class Slot(NamedTuple):
    """A time in a campaign's schedule."""

    campaign_id: int
    brand_id: int
    slot: datetime


# Active scheduled campaigns whose time has come and that have no launch for it.
_SCHEDULED = """
SELECT c.id AS campaign_id, c.brand_id, (v.entry->>'scheduled_at')::timestamptz AS slot
FROM campaigns_campaign c JOIN campaigns_campaignversion v ON v.id = c.current_version_id
WHERE c.state = 'active' AND v.entry->>'kind' = 'scheduled' AND (v.entry->>'scheduled_at')::timestamptz <= %s
  AND NOT EXISTS (SELECT 1 FROM campaigns_launch l
                  WHERE l.campaign_id = c.id AND l.slot = (v.entry->>'scheduled_at')::timestamptz)
ORDER BY 3, 1
"""


def slots_due(*, now: datetime) -> list[Slot]:
    """The slots of active scheduled campaigns whose time has come and whose launch has not begun."""
    return statements.rows(Slot, _SCHEDULED, [now])
