"""Events from the brand's own server, by the thousand: resolved, deduplicated and copied in, a set at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import connection

from devices.lifecycle.users import RowError, users_insert
from devices.people.services.events import AHEAD, RecordedEvent, ids_fresh, time_kept
from smartpush.common.database import statements
from smartpush.common.database.partitions import partitions_of_days

CHUNK = 2500  # events a transaction
MAX_AGE = timedelta(days=3)
MAX_AGE_HISTORICAL = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event as a server reported it; `historical` ones are recorded and start nothing."""

    index: int
    id: str
    external_id: str
    name: str
    occurred_at: datetime
    properties: Mapping[str, Any]
    historical: bool = False


@dataclass(slots=True)
class EventsWritten:
    """`recorded` holds the new events that may start journeys; `accepted` counts historical ones too."""

    accepted: int = 0
    duplicates: int = 0
    recorded: list[RecordedEvent] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


_COPY = """
COPY devices_event (id, day, brand_id, end_user_id, name, properties, occurred_at, recorded_at) FROM STDIN
"""


def age_problem(*, occurred_at: datetime, historical: bool, now: datetime) -> tuple[str, str] | None:
    """Code and sentence for a time that is not taken; None for one that is."""
    if occurred_at > now + AHEAD:
        return "in_future", "occurred_at lies in the future."
    if historical:
        if occurred_at < now - MAX_AGE_HISTORICAL:
            return "too_old", f"Historical events are kept up to {MAX_AGE_HISTORICAL.days} days back."
    elif occurred_at < now - MAX_AGE:
        return "too_old", f"Older than {MAX_AGE.days} days: send it with historical: true, which starts no journey."
    return None


def partitions_for(*, events: Sequence[ServerEvent]) -> None:
    """See to the partitions of old months, before the transaction that writes into them."""
    partitions_of_days(table="devices_event", days={event.occurred_at.date() for event in events if event.historical})


def server_events_record(
    *, brand_id: int, events: Sequence[ServerEvent], create_unknown: bool, now: datetime
) -> EventsWritten:
    """Record events with checked times, in their order; run it in a transaction.

    An id seen within seven days is recorded once.
    """
    written = EventsWritten()
    known = _resolve(brand_id, events, create_unknown)
    named = [event for event in events if event.external_id in known]
    for event in events:
        if event.external_id not in known:
            written.errors.append(
                RowError(event.index, "end_user_unknown", "There is no end user of this external id.")
            )
    ids = sorted({event.id for event in named})
    fresh = ids_fresh(brand_id=brand_id, ids=ids, now=now, scope="server_event") if ids else set()
    new = []
    for event in named:
        if event.id in fresh:
            fresh.discard(event.id)  # the same id twice in one call is one event
            new.append(event)
    written.accepted, written.duplicates = len(new), len(named) - len(new)
    if new:
        written.recorded = _copy(brand_id, sorted(new, key=attrgetter("occurred_at")), known, now)
    return written


def _resolve(brand_id: int, events: Sequence[ServerEvent], create_unknown: bool) -> dict[str, int]:
    """External ids to end users, who cannot be merged or erased before this transaction ends."""
    wanted = {event.external_id for event in events}
    known = _known(brand_id, wanted)
    if create_unknown and len(known) < len(wanted):
        users_insert(brand_id=brand_id, external_ids=list(wanted - set(known)))
        known |= _known(brand_id, wanted - set(known))
    return known


# Hold the people of these ids, so that they are neither merged nor erased.
_KNOWN = """
SELECT id, external_id FROM devices_enduser WHERE brand_id = %s AND external_id = ANY(%s::text[])
ORDER BY id FOR KEY SHARE
"""


class _Known(NamedTuple):
    id: int
    external_id: str


def _known(brand_id: int, wanted: set[str]) -> dict[str, int]:
    return {row.external_id: row.id for row in statements.rows(_Known, _KNOWN, [brand_id, list(wanted)])}


def _copy(brand_id: int, events: Sequence[ServerEvent], known: Mapping[str, int], now: datetime) -> list[RecordedEvent]:
    recorded = []
    numbers = statements.column("SELECT nextval('devices_event_id_seq') FROM generate_series(1, %s)", [len(events)])
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for number, event in zip(numbers, events, strict=True):
            at = time_kept(occurred_at=event.occurred_at, now=now)
            properties = json.dumps(event.properties, ensure_ascii=False)
            person = known[event.external_id]
            copy.write_row((number, at.date(), brand_id, person, event.name, properties, at, now))
            if not event.historical:
                recorded.append(RecordedEvent(number, person, None, event.name, event.properties, at))
    return recorded
