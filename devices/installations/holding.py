"""Holding what a call is about: its people and devices, locked in the one order, or the device alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from devices.brands.models import App
from devices.installations.models import Device
from devices.installations.reporting import Credentials, InstallationUnknown, PushReport
from devices.installations.tokens import token_hash
from smartpush.common.crypto import same_secret
from smartpush.common.database.deadlocks import ChangedMeanwhile

# As text: every page load asks this, and Django takes longer to write two subqueries than PostgreSQL to answer them.
_ACTIVE_KEY = "SELECT k.{} FROM devices_vapidkey k WHERE k.brand_id = devices_device.brand_id AND k.active"
_ACTIVE_ID = RawSQL(_ACTIVE_KEY.format("id"), ())  # noqa: S611  ours, never input
_ACTIVE_PUBLIC = RawSQL(_ACTIVE_KEY.format("public_key"), ())  # noqa: S611


# People by id, then devices by id, then whatever hangs on them: every writer locks in this order. An expression of the
# select list is evaluated before its row is locked, so that one statement locks the people whom the devices below
# concern (in session, holding the token, or named by the call) and after them the devices themselves.
_PEOPLE_FIRST = """
ARRAY(SELECT u.id FROM devices_enduser u WHERE u.id = ANY(ARRAY(
    SELECT unnest(ARRAY[c.session_end_user_id, c.holder_id]) FROM devices_device c
    WHERE c.brand_id = %s AND (c.id = %s OR c.token_hash = %s)
    UNION SELECT n.id FROM devices_enduser n WHERE n.brand_id = %s AND n.external_id = %s))
ORDER BY u.id FOR NO KEY UPDATE OF u)
"""


def devices_locked(*, alone: bool) -> QuerySet[Device]:
    """Devices with what a call about one needs, the brand's active key included, in one statement.

    `alone`: the device without its people, for calls that write nothing that belongs to a person.
    """
    return (
        Device.objects.select_for_update(no_key=True, of=("self",) if alone else ("self", "session_end_user"))
        .select_related("session_end_user", "vapid_key")
        .annotate(active_key_id=_ACTIVE_ID, active_key=_ACTIVE_PUBLIC)
    )


def device_alone(*, brand_id: int, device_id: int) -> Device | None:
    """The one device, locked, as it stands now.

    Whoever waits for the lock gets the newest device beside end users as they were when the statement began: where
    another call changed whose it is in between, PostgreSQL finds no end user to go with it. Then it is read once more.
    """
    mine = devices_locked(alone=True).filter(pk=device_id, brand=brand_id)
    return next(iter(mine), None) or next(iter(mine.all()), None)


@dataclass(frozen=True, slots=True)
class Held:
    """Locked for this call: devices by id, and the ids of the people whom they concern and whom the call names."""

    devices: Mapping[int, Device]
    people: frozenset[int]


def hold(*, brand_id: int, device_id: int | None, hashed: str | None = None, external_id: str | None = None) -> Held:
    """Lock the device of this id and whichever has the token of this hash, after the people whom they concern.

    Raises ChangedMeanwhile where a device came to be somebody else's while this waited.
    """
    if device_id is None and hashed is None:
        return Held({}, frozenset())
    which = Q(pk=device_id) if device_id is not None else Q()
    if hashed is not None:
        which |= Q(token_hash=hashed)
    people = RawSQL(_PEOPLE_FIRST, (brand_id, device_id, hashed, brand_id, external_id))  # noqa: S611  a constant
    found = list(devices_locked(alone=False).filter(which, brand=brand_id).annotate(locked=people).order_by("pk"))
    held = frozenset(found[0].locked if found else ())
    for device in found:
        if not {device.session_end_user_id, device.holder_id} - {None} <= held:
            raise ChangedMeanwhile
        if device.holder_id == device.session_end_user_id:
            device.holder = device.session_end_user
    devices = {device.pk: device for device in found}
    # Not found is gone, or handed on while this waited: no end user as of before goes with the device as of now.
    mine = Device.objects.filter(brand=brand_id)
    if device_id is not None and device_id not in devices and mine.filter(pk=device_id).exists():
        raise ChangedMeanwhile
    return Held(devices, held)


def own(*, app: App, device: Device | None, credentials: Credentials) -> Device:
    """The device where the secret is its and the app may call for it; raises InstallationUnknown.

    The brand's websites share theirs; a native app's token would go with another app's credentials.
    """
    if device is None or not same_secret(credentials.secret, device.secret_hash):
        raise InstallationUnknown
    if device.platform != app.kind or (device.platform != "web" and device.app_id != app.pk):
        raise InstallationUnknown
    return device


def device_of(*, app: App, credentials: Credentials, push: PushReport | None = None, alone: bool = False) -> Device:
    """The device of an installation, locked after the people whom it concerns, and after it whichever has its token.

    `alone` locks the device only, for calls that write nothing that belongs to a person. Raises InstallationUnknown,
    for installations of the brand's other apps too, and ChangedMeanwhile.
    """
    if alone:
        device = device_alone(brand_id=app.brand_id, device_id=credentials.device_id)
    else:
        hashed = hash_of(push)
        held = hold(brand_id=app.brand_id, device_id=credentials.device_id, hashed=hashed)
        device = held.devices.get(credentials.device_id)
    return own(app=app, device=device, credentials=credentials)


def hash_of(push: PushReport | None) -> str | None:
    if push is None:
        return None
    value = push.subscription.endpoint if push.subscription is not None else push.token
    return token_hash(value) if value else None
