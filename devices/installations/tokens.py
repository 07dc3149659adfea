"""Keep and drop push tokens: a live one belongs to one device and its holder."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from devices.installations.models import Device, TokenHolding

SENDER_MISMATCH = "sender_id_mismatch"
APP_ARCHIVED = "app_archived"
"""The website or app is archived: the token is kept aside, for when it is restored."""
LOGGED_OUT = "logged_out"


def native_origin(app_id: int) -> str:
    """Return the stand-in for an app's push service: chunks, holds and breakers are per app's credentials."""
    return f"fcm:{app_id}"


def is_native(origin: str) -> bool:
    """Whether an origin is such a stand-in."""
    return origin.startswith("fcm:")


def token_hash(value: str) -> str:
    """SHA-256 in hex of an endpoint or FCM token: the key of uniqueness."""
    return hashlib.sha256(value.encode()).hexdigest()


def holding_end(*, device: Device, ended: str, now: datetime) -> None:
    """Close the open row of who holds this device's token."""
    TokenHolding.objects.filter(device=device, until__isnull=True).update(until=now, ended=ended)


def token_clear(*, device: Device, reason: str, now: datetime) -> None:
    """Forget a device's token: it is unreachable, with the reason; statuses are untouched.

    A native token that belongs to other credentials (SENDER_MISMATCH) is kept aside instead, out of use.
    """
    if device.token_hash is None:
        return
    holding_end(device=device, ended=reason, now=now)
    device.token_hash = None
    if reason != SENDER_MISMATCH:
        device.native_token = ""
    device.endpoint = device.endpoint_origin = ""
    device.p256dh = device.auth = None
    device.unreachable_reason, device.unreachable_at = reason, now
    device.save(
        update_fields=[
            "token_hash",
            "native_token",
            "endpoint",
            "endpoint_origin",
            "p256dh",
            "auth",
            "unreachable_reason",
            "unreachable_at",
        ]
    )


def tokens_gone(*, tokens: Sequence[tuple[int, str]], reason: str, now: datetime) -> int:
    """The push service said 404, 410 or UNREGISTERED for (device id, token hash): drop tokens that are still those."""
    dropped = 0
    wanted = dict(tokens)
    with transaction.atomic():
        for device in Device.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk"):
            if device.token_hash is not None and device.token_hash == wanted[device.pk]:
                token_clear(device=device, reason=reason, now=now)
                dropped += 1
    return dropped


def device_stop(*, device: Device, now: datetime) -> None:
    """The holder logged out where pushes stop then: forget the token until the holder is back, or another logs in."""
    token_clear(device=device, reason=LOGGED_OUT, now=now)
    if device.unreachable_reason:  # also a token that died before: the browser may be given another at any time
        device.unreachable_reason = LOGGED_OUT
        device.save(update_fields=["unreachable_reason"])


def stopped_for(*, device: Device, end_user_id: int) -> bool:
    """Whether pushes stopped here at the logout of somebody who is not this end user."""
    return device.token_hash is None and device.unreachable_reason == LOGGED_OUT and device.holder_id != end_user_id
