"""Recording what end users did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from devices.people.models import Event
from smartpush.common.database import statements

IDEMPOTENCY_LIFETIME = timedelta(days=7)
MAX_AGE = timedelta(days=3)
# How far a caller's clock may go before ours without a word: most clocks differ by less, and nobody can mend those of
# visitors. What is kept is the time of receipt either way.
AHEAD = timedelta(minutes=5)


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


# Take ids for their lifetime; the ones that were free come back.
_TAKE_SQL = """
INSERT INTO devices_idempotencykey (brand_id, scope, key, expires_at)
SELECT %s, %s, key, %s FROM unnest(%s::text[]) AS key ON CONFLICT DO NOTHING RETURNING key
"""

# The same for one installation: two people's pages may both call an event `order-1001`. Releases before this one kept
# the ids of SDK events by brand, under the scope `event`: an event that one of them recorded is a replay here too.
_TAKE_OF_DEVICE_SQL = """
INSERT INTO devices_idempotencykey (brand_id, scope, key, expires_at)
SELECT %(brand)s, 'sdk_event', %(prefix)s::text || given, %(until)s FROM unnest(%(ids)s::text[]) AS t(given)
WHERE NOT EXISTS (SELECT 1 FROM devices_idempotencykey b
                  WHERE b.brand_id = %(brand)s AND b.scope = 'event' AND b.key = given)
ON CONFLICT DO NOTHING RETURNING substr(key, length(%(prefix)s::text) + 1)
"""


def ids_fresh(*, brand_id: int, ids: list[str], now: datetime, scope: str) -> set[str]:
    """Return those of a brand's own ids that were not seen in the last seven days; they are from now on."""
    return set(statements.column(_TAKE_SQL, [brand_id, scope, now + IDEMPOTENCY_LIFETIME, ids]))


def _ids_fresh_of_device(*, brand_id: int, device_id: int | None, ids: list[str], now: datetime) -> set[str]:
    """Return those of an installation's ids that it did not use in the last seven days; they are used from now on."""
    until = now + IDEMPOTENCY_LIFETIME
    values = {"brand": brand_id, "prefix": f"{device_id or 0}:", "until": until, "ids": ids}
    return set(statements.column(_TAKE_OF_DEVICE_SQL, values))


def time_changed(*, occurred_at: datetime, now: datetime) -> str | None:
    """Return in a sentence what `event_record` makes of such a time, where that is worth telling; None otherwise."""
    if occurred_at < now - MAX_AGE:
        return f"Older than {MAX_AGE.days} days: the oldest time that is taken is kept instead."
    if occurred_at > now + AHEAD:
        return "The time lies in the future. The time of receipt is kept instead."
    return None


def time_kept(*, occurred_at: datetime, now: datetime) -> datetime:
    """Return the time of an event as it is kept: never after its receipt, or waits and conditions would miss it."""
    return min(occurred_at, now)


def event_record(
    *, brand_id: int, end_user_id: int, device_id: int | None, events: Sequence[EventInput], now: datetime
) -> list[RecordedEvent]:
    """Record events of one end user and return the new ones; an installation's id is recorded once in seven days.

    Times in the future become now, times older than three days the oldest accepted one: client clocks are not trusted.
    They come back in the order in which the caller says that they happened, also where several become one time.
    """
    if not events:
        return []
    ids = sorted({event.id for event in events if event.id})
    fresh = _ids_fresh_of_device(brand_id=brand_id, device_id=device_id, ids=ids, now=now) if ids else set()
    new = []
    for event in events:
        if event.id:
            if event.id not in fresh:
                continue
            fresh.discard(event.id)  # the same id twice in one call is one event
        new.append(event)
    rows = []
    for event in sorted(new, key=attrgetter("occurred_at")):
        at = max(time_kept(occurred_at=event.occurred_at, now=now), now - MAX_AGE)
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
