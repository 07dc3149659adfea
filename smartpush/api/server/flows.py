"""The joins of the server surface: what a call does across apps, each in its transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from assets.models import PushResource
from assets.services import push_content
from campaigns.advance import advance_enrolments
from campaigns.services.entry_by_api import TriggerRow, campaign_trigger
from campaigns.services.entry_by_event import enter_by_events
from campaigns.services.never_contact import people_never_contact
from devices.delivery.services.dispatches import DispatchSpec
from devices.delivery.services.messages import Message, message_write
from devices.delivery.services.outbox import chunks_cut
from devices.lifecycle.erasing import end_user_erase, end_user_lock
from devices.lifecycle.merging import known_end_users_merge, merge_finish
from devices.lifecycle.server_events import CHUNK, EventsWritten, ServerEvent, partitions_for, server_events_record
from devices.lifecycle.steps import Erased, Merge
from devices.lifecycle.users import RowError, UserInput, UsersWritten, UserUnknown, users_upsert
from devices.models import Brand, Dispatch, EndUser, Lane
from smartpush.common.database.deadlocks import transaction_again


@dataclass(slots=True)
class EventsTaken:
    """What became of a bulk call."""

    accepted: int = 0
    duplicates: int = 0
    errors: list[RowError] = field(default_factory=list)


def _advance(enrolment_ids: Sequence[int], now: datetime) -> None:
    if enrolment_ids:
        result = advance_enrolments(ids=enrolment_ids, now=now)
        if result.dispatch_ids:
            chunks_cut(now=now, dispatch_ids=result.dispatch_ids)


def events_take(*, brand: Brand, events: Sequence[ServerEvent], create_unknown: bool, now: datetime) -> EventsTaken:
    """Record events by the chunk, each with the enrolments that it starts, in one transaction."""
    taken = EventsTaken()
    partitions_for(events=events)
    for at in range(0, len(events), CHUNK):
        chunk = events[at : at + CHUNK]

        def work(chunk: Sequence[ServerEvent] = chunk) -> EventsWritten:
            written = server_events_record(brand_id=brand.pk, events=chunk, create_unknown=create_unknown, now=now)
            _advance(enter_by_events(brand_id=brand.pk, events=written.recorded, now=now), now)
            return written

        written = transaction_again(work)
        taken.accepted += written.accepted
        taken.duplicates += written.duplicates
        taken.errors += written.errors
    return taken


def users_take(*, brand: Brand, rows: Sequence[UserInput], now: datetime, create: bool = True) -> UsersWritten:
    """Create or change end users; those marked *never contact* leave their campaigns in the same transaction."""

    def never_contact(end_user_ids: Sequence[int], on: bool) -> Sequence[int]:
        return people_never_contact(brand_id=brand.pk, end_user_ids=end_user_ids, on=on, by="platform", now=now)

    return users_upsert(brand_id=brand.pk, rows=rows, never_contact=never_contact, now=now, create=create)


@transaction.atomic
def users_merge(*, brand: Brand, external_id: str, into: str, now: datetime) -> EndUser:
    """The one becomes the other, with all that is known of both; raises UserUnknown."""
    wanted = [external_id, into]
    locked = EndUser.objects.select_for_update().filter(brand=brand, external_id__in=wanted).order_by("pk")
    found = {end_user.external_id: end_user for end_user in locked}
    if external_id not in found or into not in found:
        raise UserUnknown
    source, target = found[external_id], found[into]
    merge = Merge(source, target, now, source_known=True)
    known_end_users_merge(merge)
    merge_finish(merge)
    return target


@transaction.atomic
def user_erase(*, brand: Brand, external_id: str, now: datetime) -> tuple[int, Erased]:
    """Erase a person everywhere; returns the number that their row had. Raises UserUnknown."""
    end_user = end_user_lock(brand_id=brand.pk, external_id=external_id)
    number = end_user.pk
    return number, end_user_erase(end_user=end_user, now=now)


@transaction.atomic
def campaign_enter(*, campaign_id: int, rows: Sequence[TriggerRow], key: str, now: datetime) -> dict[int, str]:
    """Enter end users and advance their enrolments at once; raises CannotTrigger."""
    triggered = campaign_trigger(campaign_id=campaign_id, rows=rows, key=key, now=now)
    _advance(triggered.enrolment_ids, now)
    return triggered.results


@dataclass(frozen=True, slots=True)
class PushOrder:
    """One transactional push as it was asked for; `ttl` in seconds."""

    resource: PushResource
    end_user: EndUser
    data: Mapping[str, Any]
    purpose: str
    target_devices: str
    ttl: int | None
    send_at: datetime | None


def push_take(*, brand: Brand, order: PushOrder, request_id: int, now: datetime) -> Message:
    """Write the deliveries of a push in its current revision; run it in a transaction."""
    revision = order.resource.current_revision
    assert revision is not None  # the caller checked it
    ttl = revision.ttl if order.ttl is None else order.ttl
    spec = DispatchSpec(
        brand_id=brand.pk,
        # Deliveries live in the partition of the day on which they go out.
        day=(order.send_at or now).astimezone(UTC).date(),
        source=Dispatch.Source.API,
        source_key=f"api:r{revision.pk}:{order.purpose}:{order.target_devices}:{ttl}",
        content=push_content(revision),
        label=f"API: {revision}",
        purpose=order.purpose,
        lane=Lane.URGENT,
        policy=revision.policy,
        target_devices=order.target_devices,
        ttl=ttl,
        urgency=revision.urgency,
    )
    return message_write(
        spec=spec,
        end_user=order.end_user,
        request_id=request_id,
        variables=order.data or None,
        send_at=order.send_at,
        now=now,
    )
