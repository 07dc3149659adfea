"""The secrets that are encrypted in the database: under which key each is, and moving all of them to the newest."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection, models, transaction

from devices.brands.models import App, Incident, VapidKey
from devices.brands.services.incidents import incident_end
from devices.delivery.sending.keys import vapid_subject
from devices.delivery.services.fcm_accounts import app_subject
from smartpush.common.crypto import decrypt, encrypt, key_place


@dataclass(frozen=True, slots=True)
class Secret:
    """One column that holds encrypted text; empty text is no secret."""

    model: type[models.Model]
    column: str
    name: str


SECRETS: Final = (
    Secret(VapidKey, "private_key_encrypted", "VAPID private keys"),
    Secret(App, "fcm_credentials_encrypted", "Firebase key files"),
)
BATCH: Final = 200


@dataclass(slots=True)
class Moved:
    """What became of one column. `left` counts the secrets under each key afterwards, by its place in the list."""

    name: str
    total: int = 0
    moved: int = 0
    left: Counter[int] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)


def secrets_move(*, dry_run: bool = False, batch: int = BATCH) -> list[Moved]:
    """Encrypt every secret under the newest key that is not yet, a batch a transaction.

    Stopped at any time, it goes on where it was. What no key reads stays as it is and is named. With `dry_run` nothing
    is written, and `moved` counts what would be.
    """
    return [_column_move(secret, dry_run, batch) for secret in SECRETS]


def _column_move(secret: Secret, dry_run: bool, batch: int) -> Moved:
    done = Moved(secret.name)
    last = 0
    while True:
        with transaction.atomic():
            rows = secret.model._default_manager.exclude(**{secret.column: ""}).filter(pk__gt=last).order_by("pk")
            if not dry_run:
                rows = rows.select_for_update(no_key=True, of=("self",))
            found = list(rows.values_list("pk", secret.column)[:batch])
            for number, stored in found:
                _one_move(secret, number, stored, done, dry_run)
        if len(found) < batch:
            return done
        last = found[-1][0]


def _one_move(secret: Secret, number: int, stored: str, done: Moved, dry_run: bool) -> None:
    done.total += 1
    place = key_place(stored)
    if place is None:
        done.unreadable.append(f"{secret.model._meta.verbose_name} {number}")
        return
    if place > 0:
        done.moved += 1
        if not dry_run:
            secret.model._default_manager.filter(pk=number).update(**{secret.column: encrypt(decrypt(stored))})
            place = 0
    done.left[place] += 1


def keys_free(moved: list[Moved]) -> list[int]:
    """Places of old keys that nothing is left under."""
    used = {place for one in moved for place, count in one.left.items() if count}
    return [place for place in range(1, len(settings.SMARTPUSH_ENCRYPTION_KEYS)) if place not in used]


# What waits for a VAPID key or an app's key file that can be read (again); rows in the order of their ids, as always.
_RELEASE_SQL = """
WITH held AS MATERIALIZED (
    SELECT d.id, d.day FROM devices_delivery d JOIN devices_device v ON v.id = d.device_id
    WHERE d.state = 'ready' AND d.chunk_id IS NULL AND d.hold_reason = 'key_unreadable'
      AND (v.vapid_key_id = ANY(%(keys)s) OR (v.platform <> 'web' AND v.app_id = ANY(%(apps)s)))
    ORDER BY d.id FOR UPDATE OF d
)
UPDATE devices_delivery d SET next_attempt_at = %(now)s FROM held h WHERE d.id = h.id AND d.day = h.day
"""


def keys_readable_again(*, now: datetime) -> int:
    """Let go what is held for a key that can be read, and close its incidents; returns how many messages are due."""
    ended: list[dict[str, Any]] = []
    readable: dict[str, list[int]] = {"keys": [], "apps": []}
    for key in VapidKey.objects.order_by("pk"):
        if key_place(key.private_key_encrypted) is not None:
            readable["keys"].append(key.pk)
            ended.append({"brand_id": key.brand_id, "subject": vapid_subject(key)})
    for app in App.objects.exclude(fcm_credentials_encrypted="").order_by("pk"):
        if key_place(app.fcm_credentials_encrypted) is not None:
            readable["apps"].append(app.pk)
            ended.append({"brand_id": app.brand_id, "subject": app_subject(app.pk)})
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RELEASE_SQL, {**readable, "now": now})
        released = int(cursor.rowcount)
        for one in ended:
            incident_end(kind=Incident.Kind.KEY_UNREADABLE, now=now, **one)
    return released
