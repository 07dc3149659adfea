"""Apply what a client reports to a pair and its token; move a device to the person who logged in.

The rules (PRODUCT, behaviours 1 to 3): the pair (end user, device) takes what the browser reports. The token belongs to
the device's holder. A dead token leaves the status alone: the next session's report decides.
"""

from datetime import datetime

from devices.brands.models import VapidKey
from devices.delivery.services.cancelling import device_cancel
from devices.installations.models import Device, PushStatus, TokenHolding
from devices.installations.reporting import InstallationUnknown, PushReport, Subscription, TokenNotYours
from devices.installations.statuses import HELD_BY_OTHER, pair_set, session_pair_set
from devices.installations.tokens import (
    SENDER_MISMATCH,
    holding_end,
    native_origin,
    stopped_for,
    token_clear,
    token_hash,
)
from devices.people.models import EndUser, Status


def _other_holder(*, device: Device, hashed: str) -> Device | None:
    """The device that has the token, locked before by who found it by its hash.

    One that came to it since is not waited for, since its people would have to be locked first: the call begins anew.
    """
    return (
        Device.objects.select_for_update(no_key=True, nowait=True)
        .filter(brand_id=device.brand_id, token_hash=hashed)
        .exclude(pk=device.pk)
        .first()
    )


def _subscription_store(*, device: Device, subscription: Subscription, key: VapidKey, now: datetime) -> None:
    hashed = token_hash(subscription.endpoint)
    keys = (bytes(device.p256dh or b""), bytes(device.auth or b""), device.vapid_key_id)
    if device.token_hash == hashed and keys == (subscription.p256dh, subscription.auth, key.pk):
        return
    other = _other_holder(device=device, hashed=hashed)
    if other is not None:
        if (bytes(other.p256dh or b""), bytes(other.auth or b"")) != (subscription.p256dh, subscription.auth):
            raise TokenNotYours("This push token is registered to another installation.")
        # The same browser under a new installation: the old row keeps its history and loses the token.
        device_cancel(device_id=other.pk, reason="device_replaced", now=now)
        token_clear(device=other, reason="replaced", now=now)
    device.endpoint, device.endpoint_origin = subscription.endpoint, subscription.origin
    device.p256dh, device.auth, device.vapid_key = subscription.p256dh, subscription.auth, key
    _token_set(device=device, hashed=hashed, now=now)


def _native_token_store(*, device: Device, token: str, now: datetime) -> None:
    """Keep an app's FCM token; only the installation's own secret moves one, so another device's is refused."""
    hashed = token_hash(token)
    set_aside = device.token_hash is None and device.unreachable_reason == SENDER_MISMATCH
    if device.token_hash == hashed or (set_aside and device.native_token == token):
        return
    if _other_holder(device=device, hashed=hashed) is not None:
        raise TokenNotYours("This push token is registered to another installation.")
    device.native_token, device.endpoint_origin = token, native_origin(device.app_id)
    _token_set(device=device, hashed=hashed, now=now)


def _token_set(*, device: Device, hashed: str, now: datetime) -> None:
    """Write the token that was put on the device, and who holds it from now on."""
    assert device.holder_id is not None  # the caller saw to it, and the database insists
    if device.token_hash != hashed:
        holding_end(device=device, ended="refreshed", now=now)
        TokenHolding.objects.create(device=device, end_user_id=device.holder_id, token_hash=hashed, since=now)
        device.token_at = now
    device.token_hash = hashed
    device.unreachable_reason, device.unreachable_at, device.needs_rekey = "", None, False
    device.save(
        update_fields=[
            "token_hash",
            "token_at",
            "native_token",
            "endpoint",
            "endpoint_origin",
            "p256dh",
            "auth",
            "vapid_key",
            "unreachable_reason",
            "unreachable_at",
            "needs_rekey",
        ]
    )


def _key_of(*, device: Device, subscription: Subscription) -> VapidKey | None:
    """The brand's key, old or active, that the subscription was made with; None when it is another sender's."""
    known = device.vapid_key
    if known is not None and known.public_key == subscription.vapid_key:
        return known
    return VapidKey.objects.filter(brand_id=device.brand_id, public_key=subscription.vapid_key).first()


def _holder_never_allowed(device: Device, end_user: EndUser) -> bool:
    """Whether the device is only in the name of somebody who logged out without allowing: there is nothing to keep."""
    if device.token_hash is not None or device.holder_id == end_user.pk:
        return False
    held = PushStatus.objects.filter(end_user_id=device.holder_id, device=device, status=Status.ALLOWED)
    return not held.exists()


def status_report(*, device: Device, end_user: EndUser, push: PushReport, cause: str, now: datetime) -> Status:
    """Record what the browser says for this pair, keep or drop the token with it, and return the pair's status.

    `device` must be locked by the caller. Raises TokenNotYours; InstallationUnknown for the other kind's token.
    """
    if (push.token and device.platform == "web") or (push.subscription is not None and device.platform != "web"):
        raise InstallationUnknown
    status = push.status
    reason = push.reason
    key = _key_of(device=device, subscription=push.subscription) if push.subscription is not None else None
    if push.subscription is not None and key is None:
        # Another sender's subscription on the same worker: we can send nothing there, and it is not ours to remove.
        status, reason = Status.NOT_SUPPORTED, "foreign_subscription"
    if status == Status.ALLOWED and (key is not None or push.token):
        if device.holder_id is None or _holder_never_allowed(device, end_user):
            device.holder = end_user
            device.save(update_fields=["holder"])
        if stopped_for(device=device, end_user_id=end_user.pk):
            pass  # pushes stopped when the holder logged out: they begin again when the holder is back
        elif push.subscription is not None and key is not None:
            _subscription_store(device=device, subscription=push.subscription, key=key, now=now)
        else:
            _native_token_store(device=device, token=push.token, now=now)
        if device.holder_id != end_user.pk:
            status, reason = Status.SUSPENDED, HELD_BY_OTHER
    elif device.token_hash is not None:
        token_clear(device=device, reason=f"reported_{status}", now=now)
    session_pair_set(end_user_id=end_user.pk, device=device, status=status, reason=reason, cause=cause, now=now)
    end_user.last_session_at, end_user.last_session_status, end_user.last_session_device_id = now, status, device.pk
    return status


def status_after_logout(*, device: Device, leaving: EndUser, visitor: EndUser, now: datetime) -> Status:
    """Give the visitor who follows a logout what the browser last said of pushes, and return it.

    Where the person who left had allowed, the device stays theirs, so that the visitor is suspended there. `device`
    must be locked by the caller.
    """
    last = PushStatus.objects.filter(end_user=leaving, device=device).first()
    if last is None or last.status == Status.ASK:
        return Status(visitor.last_session_status)
    status, reason = Status(last.status), last.reason
    if status in (Status.ALLOWED, Status.SUSPENDED):
        status, reason = Status.SUSPENDED, HELD_BY_OTHER
    session_pair_set(end_user_id=visitor.pk, device=device, status=status, reason=reason, cause="logout", now=now)
    visitor.last_session_at, visitor.last_session_status, visitor.last_session_device_id = now, status, device.pk
    return status


def device_take_over(*, device: Device, end_user: EndUser, now: datetime) -> None:
    """Give the device (and its token) to who identified last; the previous holder is suspended there.

    The previous holder's waiting messages to it are cancelled; when it was their last reachable device, their
    last-session status becomes suspended too. `device` must be locked by the caller.
    """
    previous = device.holder
    if previous is not None and previous.pk == end_user.pk:
        return
    device.holder = end_user
    device.save(update_fields=["holder"])
    if previous is None:
        return
    held = PushStatus.objects.filter(end_user=previous, device=device).first()
    was_allowed = held is not None and held.status == Status.ALLOWED
    device_cancel(device_id=device.pk, reason="device_taken_over", now=now, end_user_id=previous.pk)
    if was_allowed or device.token_hash is not None:
        pair_set(
            end_user_id=previous.pk,
            device=device,
            status=Status.SUSPENDED,
            reason="taken_over",
            cause="takeover",
            now=now,
        )
        if not Device.objects.filter(holder=previous, token_hash__isnull=False).exists():
            EndUser.objects.filter(pk=previous.pk).update(last_session_status=Status.SUSPENDED)
    if device.token_hash is not None:
        holding_end(device=device, ended="taken_over", now=now)
        TokenHolding.objects.create(device=device, end_user=end_user, token_hash=device.token_hash, since=now)
        pair_set(end_user_id=end_user.pk, device=device, status=Status.ALLOWED, reason="", cause="takeover", now=now)
