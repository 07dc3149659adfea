"""A push resource sent by hand to one end user's devices, through the same outbox as everything else."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from assets.models import PushRevision
from assets.services.push import push_content
from devices.delivery.selectors.reach import why_nobody
from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import chunks_cut, deliveries_add
from devices.models import Dispatch, EndUser, Lane, TargetDevices


class CannotSendTest(Exception):
    """A refusal, in words for the marketer."""


def push_test_send(*, revision: PushRevision, end_user: EndUser, by: AbstractBaseUser, now: datetime) -> list[int]:
    """Send the revision to every reachable device of the end user; the delivery ids; raises CannotSendTest.

    A test goes out at once, as an operational message: outside quiet hours and caps.
    """
    order = _Order(Dispatch.Source.TEST, Dispatch.Purpose.OPERATIONAL, TargetDevices.ALL, f"Test of {revision} by {by}")
    return _send(order, revision=revision, end_user=end_user, now=now)


def push_profile_send(
    *, revision: PushRevision, end_user: EndUser, target_devices: str, by: AbstractBaseUser, now: datetime
) -> list[int]:
    """Send the revision from an end user's profile to devices of this kind; the delivery ids; raises CannotSendTest.

    A marketing message like those of campaigns: opt-outs, quiet hours and caps hold.
    """
    if end_user.user_opt_out or end_user.platform_opt_out:
        raise CannotSendTest("Nothing was sent: they have opted out of pushes.")
    order = _Order(
        Dispatch.Source.PROFILE, Dispatch.Purpose.MARKETING, TargetDevices(target_devices), f"{revision} sent by {by}"
    )
    return _send(order, revision=revision, end_user=end_user, now=now)


@dataclass(frozen=True, slots=True)
class _Order:
    source: Dispatch.Source
    purpose: Dispatch.Purpose
    target_devices: TargetDevices
    label: str


@transaction.atomic
def _send(order: _Order, *, revision: PushRevision, end_user: EndUser, now: datetime) -> list[int]:
    brand = revision.resource.brand
    if end_user.brand_id != brand.pk:
        raise CannotSendTest("This end user belongs to another brand.")
    if brand.sending_stopped_at is not None:
        raise CannotSendTest("All sending of the brand is stopped.")
    day = now.date()
    key = f"{order.source}:r{revision.pk}:{secrets.token_urlsafe(9)}"
    spec = DispatchSpec(
        brand_id=brand.pk,
        day=day,
        source=order.source,
        source_key=key,
        content=push_content(revision),
        label=order.label,
        purpose=order.purpose,
        lane=Lane.URGENT,
        policy=revision.policy,
        target_devices=order.target_devices,
        ttl=revision.ttl,
        urgency=revision.urgency,
    )
    dispatch_id = dispatches_ensure(specs=[spec], now=now)[(brand.pk, day, key)]
    made = deliveries_add(dispatch_id=dispatch_id, end_user_id=end_user.pk, request_key=key, now=now)
    if not made:
        why = why_nobody(end_user=end_user, target_devices=order.target_devices)
        raise CannotSendTest(f"Nothing was sent to {end_user}: {why}")
    chunks_cut(now=now, dispatch_ids=[dispatch_id])
    return made
