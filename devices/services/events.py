"""Recording what end users did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from devices.models import Event

IDEMPOTENCY_LIFETIME = timedelta(days=7)
MAX_AGE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class EventInput:
    """One event as a client reported it; `id` is the client's own, for deduplication."""

    name: str
    occurred_at: datetime
    properties: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event as recorded: what triggers are matched with."""

    id: int
    end_user_id: int
    device_id: int | None
    name: str
    properties: Mapping[str, Any]
    occurred_at: datetime


def ids_fresh(*, brand_id: int, ids: list[str], now: datetime, scope: str = "event") -> set[str]:
    """Those of these client ids that were not seen in the last seven days; they are from now on.

    Each kind of caller has a scope of its own, so that no page can use up the ids of the brand's server.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO devices_idempotencykey (brand_id, scope, key, expires_at)"
            " SELECT %s, %s, key, %s FROM unnest(%s::text[]) AS key ON CONFLICT DO NOTHING RETURNING key",
            [brand_id, scope, now + IDEMPOTENCY_LIFETIME, ids],
        )
        return {row[0] for row in cursor.fetchall()}


def event_record(
    *, brand_id: int, end_user_id: int, device_id: int | None, events: Sequence[EventInput], now: datetime
) -> list[RecordedEvent]:
    """Record events of one end user and return the new ones; an id seen within seven days is recorded once.

    Times in the future become now, times older than three days the oldest accepted one: client clocks are not trusted.
    """
    if not events:
        return []
    ids = sorted({event.id for event in events if event.id})
    fresh = ids_fresh(brand_id=brand_id, ids=ids, now=now) if ids else set()
    rows = []
    for event in events:
        if event.id:
            if event.id not in fresh:
                continue
            fresh.discard(event.id)  # the same id twice in one call is one event
        at = min(max(event.occurred_at, now - MAX_AGE), now)
        rows.append(
            Event(
                brand_id=brand_id,
                end_user_id=end_user_id,
                device_id=device_id,
                name=event.name,
                properties=dict(event.properties),
                occurred_at=at,
                recorded_at=now,
                day=at.date(),
            )
        )
    Event.objects.bulk_create(rows)
    return [
        RecordedEvent(
            id=row.pk,
            end_user_id=row.end_user_id,
            device_id=row.device_id,
            name=row.name,
            properties=row.properties,
            occurred_at=row.occurred_at,
        )
        for row in rows
    ]
