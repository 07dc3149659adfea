"""One push to one end user, asked for by the brand's own server; and taking it back while it waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from devices.delivery.models import Delivery
from devices.delivery.selectors.reach import reached_pairs
from devices.delivery.services.cancelling import requests_cancel
from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import chunks_cut, deliveries_write
from devices.people.models import EndUser

CANCELLED = "cancelled_by_api"


@dataclass(frozen=True, slots=True)
class Message:
    """What was written: the deliveries, or why there are none."""

    delivery_ids: tuple[int, ...]
    reason: str


class TooLate(Exception):
    """Nothing of the message waits any more: it has been sent, or has ended otherwise."""


def message_write(
    *,
    spec: DispatchSpec,
    end_user: EndUser,
    request_id: int,
    variables: Mapping[str, Any] | None,
    send_at: datetime | None,
    now: datetime,
) -> Message:
    """Write the deliveries to every reachable device, to go out now or at `send_at`; run it in a transaction."""
    dispatch_id = dispatches_ensure(specs=[spec], now=now)[spec.brand_id, spec.day, spec.source_key]
    made = deliveries_write(
        dispatch_id=dispatch_id,
        end_user_id=end_user.pk,
        request_id=request_id,
        variables=variables,
        at=send_at or now,
        now=now,
    )
    if not made:
        return Message((), _why_nobody(EndUser.objects.only("pk", "never_contact").get(pk=end_user.pk)))
    if send_at is None:
        chunks_cut(now=now, dispatch_ids=[dispatch_id])
    return Message(tuple(made), "")


def _why_nobody(end_user: EndUser) -> str:
    if end_user.never_contact:
        return "never_contact"
    return "target_devices" if reached_pairs().filter(end_user=end_user).exists() else "no_reachable_device"


@transaction.atomic
def message_cancel(*, brand_id: int, request_id: int, now: datetime) -> int:
    """Cancel what waits; returns how many deliveries are cancelled by now. Raises TooLate when that is none of some."""
    requests_cancel(brand_id=brand_id, request_id=request_id, reason=CANCELLED, now=now)
    deliveries = Delivery.objects.filter(brand_id=brand_id, request_id=request_id)
    cancelled = deliveries.filter(state=Delivery.State.CANCELLED, reason=CANCELLED).count()
    if not cancelled and deliveries.exists():
        raise TooLate
    return cancelled


def messages_forget(*, request_ids: list[int]) -> None:
    """Delete the key rows of messages whose end user is erased."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM devices_idempotencykey WHERE id = ANY(%s) AND scope IN ('push', 'send')", [request_ids]
        )
