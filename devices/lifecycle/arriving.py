"""Who calls: the installation, found again or new, and the end user on it."""

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.brands.models import App, Brand
from devices.brands.models.brands import TIME_ZONES
from devices.installations.holding import Held, own
from devices.installations.models import Device
from devices.installations.reporting import Credentials, DeviceInfo, Identity, PushReport
from devices.installations.tokens import token_hash
from devices.people.models import BUCKETS, EndUser
from smartpush.common.crypto import hash_secret, new_secret


def bucket_of(*, brand_id: int, key: str) -> int:
    """0 to 999, stable for one end user: for sampling, splits and sharded sweeps."""
    return zlib.crc32(f"{brand_id}:{key}".encode()) % BUCKETS


def anonymous(*, brand_id: int, info: DeviceInfo) -> EndUser:
    """Create a visitor."""
    end_user = EndUser.objects.create(
        brand_id=brand_id, language=info.language, time_zone=zone_known(info.time_zone), bucket=0
    )
    end_user.bucket = bucket_of(brand_id=brand_id, key=f"#{end_user.pk}")
    end_user.save(update_fields=["bucket"])
    return end_user


def zone_known(value: str) -> str:
    """A zone that PostgreSQL and zoneinfo know, or none: an unknown one would abort a set statement later."""
    return value if value in TIME_ZONES else ""


def _by_proof(*, app: App, held: Held, push: PushReport) -> Device | None:
    """The same browser after its storage was cleared: it still has the subscription, with the same keys."""
    if push.subscription is None:
        return None
    theirs = (push.subscription.p256dh, push.subscription.auth)
    hashed = token_hash(push.subscription.endpoint)
    for device in held.devices.values():
        if device.token_hash == hashed and device.app_id == app.pk:
            return device if (bytes(device.p256dh or b""), bytes(device.auth or b"")) == theirs else None
    return None


def end_user_know(*, brand: Brand, external_id: str) -> EndUser:
    """Find or create, locked; two calls at once end with one row (the unique constraint decides)."""
    # No key is changed: whoever only refers to the end user, such as an entry into a campaign, need not wait.
    locked = EndUser.objects.select_for_update(no_key=True).filter(brand=brand, external_id=external_id)
    known = locked.first()
    if known is None:
        EndUser.objects.bulk_create(
            [EndUser(brand=brand, external_id=external_id, bucket=bucket_of(brand_id=brand.pk, key=external_id))],
            ignore_conflicts=True,
        )
        known = locked.get()
    return known


@dataclass(frozen=True, slots=True)
class Arrival:
    """The installation that calls, with its secret where it is given one now.

    `away`: since its last session; None for a device that was never here, which is not stored yet.
    """

    device: Device
    secret: str | None
    away: timedelta | None

    @property
    def first(self) -> bool:
        """Whether the device was never here before."""
        return self.away is None


def arrive(
    *,
    brand: Brand,
    app: App,
    credentials: Credentials | None,
    identity: Identity,
    info: DeviceInfo,
    push: PushReport,
    held: Held,
    now: datetime,
) -> Arrival:
    """Find the installation by its secret, or by the subscription that it still has, or begin a new one."""
    if credentials is not None:
        device = own(app=app, device=held.devices.get(credentials.device_id), credentials=credentials)
        return Arrival(device, None, now - device.last_seen_at)
    secret = new_secret()
    known = _by_proof(app=app, held=held, push=push)
    if known is not None:
        known.secret_hash = hash_secret(secret)
        return Arrival(known, secret, now - known.last_seen_at)
    first = (
        end_user_know(brand=brand, external_id=identity.external_id)
        if identity.external_id
        else anonymous(brand_id=brand.pk, info=info)
    )
    device = Device(
        brand=brand,
        app=app,
        session_end_user=first,
        holder=first,
        platform=info.platform,
        secret_hash=hash_secret(secret),
        last_seen_at=now,
    )
    return Arrival(device, secret, None)
