"""Enter end users into real-time campaigns on the events that these wait for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.db import transaction

from campaigns.selectors.entries import entries_triggered
from campaigns.services.entry import Candidate, enrol
from campaigns.services.locks import lock_entries
from segments.conditions import Context
from segments.rules import read_published
from segments.selectors.audiences import audience_ids


class EntryEvent(Protocol):
    """An event, as far as an entry needs it (devices.people.services.events.RecordedEvent)."""

    @property
    def id(self) -> int: ...
    @property
    def end_user_id(self) -> int: ...
    @property
    def device_id(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...


@transaction.atomic(savepoint=False)
def enter_by_events(*, brand_id: int, events: Sequence[EntryEvent], now: datetime) -> list[int]:
    """Enter the end users of these recorded events wherever a campaign waits for them; returns the new enrolments' ids.

    Run it in the transaction that recorded the events, then hand the ids to campaigns.advance.advance_enrolments.
    """
    if not events:
        return []
    entries = entries_triggered(brand_id=brand_id, event_names=sorted({event.name for event in events}))
    # All locks before the first row, in one order, so that two requests never wait for each other crosswise.
    lock_entries(campaign_ids=[entry.campaign_id for entry in entries])
    enrolled: list[int] = []
    for entry in entries:
        chosen = [event for event in events if event.name == entry.trigger_event]
        if entry.rules is not None:
            users = {event.end_user_id for event in chosen}
            context = Context(brand_id, now, entry.time_zone)
            inside = audience_ids(rules=read_published(entry.rules), context=context, end_user_ids=users)
            chosen = [event for event in chosen if event.end_user_id in inside]
        candidates = [
            Candidate(event.end_user_id, str(event.id), event.device_id, event.properties or None) for event in chosen
        ]
        enrolled += enrol(entry=entry, candidates=candidates, now=now)
    return enrolled
