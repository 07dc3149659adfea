"""Sessions: who is on which device, from the first page load through login, switch and logout."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from devices.brands.models import App, Brand, VapidKey
from devices.delivery.services.cancelling import device_cancel
from devices.installations.holding import device_of, hash_of, hold
from devices.installations.identity import proof_wanted
from devices.installations.models import Device, PushStatus
from devices.installations.reporting import Credentials, DeviceInfo, Identity, Proof, PushReport
from devices.installations.tokens import LOGGED_OUT, device_stop, stopped_for
from devices.lifecycle.arriving import Arrival, anonymous, arrive, bucket_of, end_user_know, zone_known
from devices.lifecycle.merging import end_user_merge
from devices.lifecycle.status_reports import device_take_over, status_after_logout, status_report
from devices.lifecycle.steps import Merge
from devices.people.models import EndUser, Event, Status
from devices.people.services.properties import properties_fill, properties_set, types_of
from smartpush.common.calls.left_out import LeftOut, LeftOutCode
from smartpush.common.database.deadlocks import ChangedMeanwhile

_TEXT_FIELDS = (
    "platform",
    "browser",
    "browser_version",
    "os",
    "form_factor",
    "language",
    "time_zone",
    "user_agent",
    "os_version",
    "app_version",
    "model",
)


@dataclass(slots=True)
class SessionResult:
    """The result of a session call; `secret` only for a new installation, `merge` where a visitor was merged."""

    device: Device
    end_user: EndUser
    status: Status
    secret: str | None
    new_session: bool
    logged_in: bool
    merge: Merge | None
    vapid_key: str
    resubscribe: bool
    left_out: list[LeftOut] = field(default_factory=list)


def _end_user_named(*, brand: Brand, external_id: str, people: frozenset[int]) -> EndUser | None:
    """The end user of this external id, who is locked already; raises ChangedMeanwhile for one who came since."""
    known = EndUser.objects.filter(brand=brand, external_id=external_id).first()
    if known is not None and known.pk not in people:
        raise ChangedMeanwhile
    return known


def _promote(*, brand: Brand, visitor: EndUser, external_id: str) -> EndUser:
    """Give the visitor this external id; where another call takes it in the same moment the whole call begins anew."""
    visitor.external_id = external_id
    visitor.bucket = bucket_of(brand_id=brand.pk, key=external_id)
    visitor.save(update_fields=["external_id", "bucket"])
    return visitor


def _prove(device: Device, proof: Proof | None) -> list[str]:
    """Note what proves that the end user in session is there, nothing for another one's; the fields to save."""
    device.identity_proven_until = proof.until if proof else None
    device.identity_key_id = proof.key_id if proof else None
    return ["identity_proven_until", "identity_key_id"]


def _identify(
    *, brand: Brand, device: Device, external_id: str, proof: Proof | None, people: frozenset[int], now: datetime
) -> tuple[EndUser, Merge | None, bool]:
    """Return whose session it is, the merge of the visitor, if there was one, and whether they just logged in."""
    current = device.session_end_user
    if current.external_id == external_id:
        return current, None, False
    merge: Merge | None = None
    known = _end_user_named(brand=brand, external_id=external_id, people=people)
    if current.external_id is None:
        if known is None:
            known = _promote(brand=brand, visitor=current, external_id=external_id)
        else:
            merge = Merge(current, known, now)
            end_user_merge(merge)
            if device.holder_id == current.pk:
                device.holder = known
    elif known is None:
        known = end_user_know(brand=brand, external_id=external_id)
    device.session_end_user = known
    device.save(update_fields=["session_end_user", *_prove(device, proof)])
    device_take_over(device=device, end_user=known, now=now)
    return known, merge, True


def _unproven(identity: Identity) -> list[LeftOut]:
    """Return what a call says of a known end user, who has to be proven first."""
    text = "Nobody has proven who this is: identify with an identity token first."
    said = {"language": identity.language, "properties": identity.properties}
    return [LeftOut(name, LeftOutCode.UNPROVEN, text) for name, value in said.items() if value]


def _describe(end_user: EndUser, identity: Identity) -> list[LeftOut]:
    """Write what the call says of the end user; return what cannot be kept."""
    changed = []
    left_out: list[LeftOut] = []
    if identity.language and identity.language != end_user.language:
        end_user.language = identity.language
        changed += ["language", "language_canonical"]
    zone = zone_known(identity.time_zone)
    if zone and zone != end_user.time_zone:
        end_user.time_zone = zone
        changed.append("time_zone")
    if properties_set(end_user.properties, identity.properties) != end_user.properties:
        # A server may be writing others at this moment: what is kept is added to what is there now.
        now_there = (
            EndUser.objects.select_for_update(no_key=True).values_list("properties", flat=True).get(pk=end_user.pk)
        )
        types = types_of(brand_id=end_user.brand_id, names=list(identity.properties))
        end_user.properties, left_out = properties_fill(stored=now_there, given=identity.properties, types=types)
        if end_user.properties != now_there:
            changed.append("properties")
    if changed:
        end_user.save(update_fields=changed)
    return left_out


def _note(*, arrival: Arrival, identity: Identity, info: DeviceInfo, now: datetime) -> None:
    """Save the device with what the call says of it, and with what proves who is there."""
    device = arrival.device
    changed = ["last_seen_at"] if arrival.secret is None else ["last_seen_at", "secret_hash"]
    for name in _TEXT_FIELDS:
        value = zone_known(info.time_zone) if name == "time_zone" else getattr(info, name)
        if value != getattr(device, name):
            setattr(device, name, value)
            changed.append(name)
    if "language" in changed:
        changed.append("language_canonical")
    if identity.proof is not None and device.session_end_user.external_id == identity.external_id:
        changed += _prove(device, identity.proof)
    elif arrival.secret is not None and device.identity_proven_until is not None:
        changed += _prove(device, None)  # the proof was given to who has the old secret
    device.last_seen_at = now
    device.save(update_fields=changed if device.pk else None)


def session_open(
    *,
    brand: Brand,
    app: App,
    credentials: Credentials | None,
    identity: Identity,
    info: DeviceInfo,
    push: PushReport,
    now: datetime,
) -> SessionResult:
    """Record one session: the device, who is on it, and the truth about its push permission.

    A brand that enforces identity lets nothing of a known end user be changed while nobody proves that they are there;
    that a named one was proven is the caller's matter (`identity_prove`). Where a visitor was merged, the caller hands
    `merge` to `merge_finish`, in the same transaction.

    Run it by `transaction_again`. Raises InstallationUnknown, TokenNotYours, ChangedMeanwhile.
    """
    held = hold(
        brand_id=brand.pk,
        device_id=credentials.device_id if credentials else None,
        hashed=hash_of(push),
        external_id=identity.external_id,
    )
    arrival = arrive(
        brand=brand,
        app=app,
        credentials=credentials,
        identity=identity,
        info=info,
        push=push,
        held=held,
        now=now,
    )
    device = arrival.device
    _note(arrival=arrival, identity=identity, info=info, now=now)
    end_user, merge, came = device.session_end_user, None, False
    if identity.external_id:
        end_user, merge, came = _identify(
            brand=brand,
            device=device,
            external_id=identity.external_id,
            proof=identity.proof,
            people=held.people | {device.session_end_user_id},
            now=now,
        )
    unproven = proof_wanted(brand=brand, device=device, now=now)
    left_out = _unproven(identity) if unproven else _describe(end_user, identity)
    status = status_report(device=device, end_user=end_user, push=push, cause="session", now=now)
    active_id, active_key = _active_key(device)
    return SessionResult(
        device=device,
        end_user=end_user,
        status=status,
        secret=arrival.secret,
        new_session=_begins(arrival=arrival, brand=brand, end_user=end_user, came=came, now=now),
        logged_in=bool(identity.external_id) and (arrival.first or came),
        merge=merge,
        vapid_key=active_key,
        resubscribe=_resubscribe_needed(device=device, active_id=active_id, push=push),
        left_out=left_out,
    )


def _begins(*, arrival: Arrival, brand: Brand, end_user: EndUser, came: bool, now: datetime) -> bool:
    """Whether a new session begins: at the first call, after a pause, or where somebody else takes over."""
    if arrival.away is None or arrival.away >= timedelta(minutes=brand.session_minutes):
        return True
    return came and not _session_told(brand=brand, device=arrival.device, end_user=end_user, now=now)


def _session_told(*, brand: Brand, device: Device, end_user: EndUser, now: datetime) -> bool:
    """Whether the current visit to this device has given this person, or the visitor they were, a session event.

    Somebody who takes over from another person within one visit has had none, and journeys that begin with a session
    would pass them by.
    """
    since = now - timedelta(minutes=brand.session_minutes)
    told = Event.objects.filter(end_user=end_user, name="session", occurred_at__gt=since, day__gte=since.date())
    return told.filter(device_id=device.pk).exists()


def _active_key(device: Device) -> tuple[int, str]:
    """Id and public key of the brand's active key: as read with the device, or now for a new one."""
    read = vars(device)
    if "active_key_id" in read:
        return read["active_key_id"], read["active_key"]
    key = VapidKey.objects.only("pk", "public_key").get(brand_id=device.brand_id, active=True)
    return key.pk, key.public_key


def _resubscribe_needed(*, device: Device, active_id: int, push: PushReport) -> bool:
    """True when permission is granted but the token is dead or was made with a key that is not the active one."""
    if stopped_for(device=device, end_user_id=device.session_end_user_id):
        return False
    if push.reason in ("subscription_missing", "token_missing"):
        return True
    if push.status != Status.ALLOWED:
        return False
    return device.token_hash is None or (
        device.platform == "web" and (device.needs_rekey or device.vapid_key_id != active_id)
    )


def _as_it_stands(*, device: Device, end_user: EndUser, status: Status, resubscribe: bool = False) -> SessionResult:
    """The answer of a call that opened no session."""
    return SessionResult(
        device=device,
        end_user=end_user,
        status=status,
        secret=None,
        new_session=False,
        logged_in=False,
        merge=None,
        vapid_key=_active_key(device)[1],
        resubscribe=resubscribe,
    )


@transaction.atomic(savepoint=False)
def session_close(*, app: App, credentials: Credentials, info: DeviceInfo, now: datetime) -> SessionResult:
    """Logout: the session goes on as a new anonymous visitor; the token stays with who held it.

    A brand whose logout policy is `stop` drops the token instead, and the visitor's page brings it back to nobody.

    Raises InstallationUnknown.
    """
    device = device_of(app=app, credentials=credentials)
    leaving = device.session_end_user
    if leaving.external_id is None:
        end_user = leaving
        status = Status(end_user.last_session_status)
    else:
        end_user = anonymous(brand_id=app.brand_id, info=info)
        device.session_end_user = end_user
        device.save(update_fields=["session_end_user", *_prove(device, None)])
        if app.brand.logout_policy == Brand.LogoutPolicy.STOP:
            device_cancel(device_id=device.pk, reason=LOGGED_OUT, now=now, end_user_id=leaving.pk)
            device_stop(device=device, now=now)
        status = status_after_logout(device=device, leaving=leaving, visitor=end_user, now=now)
    return _as_it_stands(device=device, end_user=end_user, status=status)


def session_read(*, app: App, credentials: Credentials) -> SessionResult:
    """Whose session it is and how the pair stands, the device locked; run it in a transaction.

    Raises InstallationUnknown.
    """
    device = device_of(app=app, credentials=credentials)
    end_user = device.session_end_user
    pair = PushStatus.objects.filter(end_user=end_user, device=device).values_list("status", flat=True).first()
    return _as_it_stands(device=device, end_user=end_user, status=Status(pair or end_user.last_session_status))


@transaction.atomic(savepoint=False)
def status_update(*, app: App, credentials: Credentials, push: PushReport, cause: str, now: datetime) -> SessionResult:
    """A report between sessions: after a popup, a call of the page, or from the service worker.

    Raises InstallationUnknown, TokenNotYours.
    """
    device = device_of(app=app, credentials=credentials, push=push)
    end_user = device.session_end_user
    status = status_report(device=device, end_user=end_user, push=push, cause=cause, now=now)
    resubscribe = _resubscribe_needed(device=device, active_id=_active_key(device)[0], push=push)
    return _as_it_stands(device=device, end_user=end_user, status=status, resubscribe=resubscribe)
