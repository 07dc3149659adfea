"""Calls that name an idempotency key: the first one is carried out, its replays get the same answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from devices.people.models import IdempotencyKey
from smartpush.common.database import statements

LIFETIME = timedelta(days=7)


class KeyUsedOtherwise(Exception):
    """The key was used before, by a request with another body."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The row of a key; `response` is null for the request that is the first to use it."""

    row_id: int
    response: Any


# Take the key; no row where it is taken already.
_TAKE = """
INSERT INTO devices_idempotencykey (brand_id, scope, key, request_hash, expires_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id
"""


def replay_begin(
    *, brand_id: int, scope: str, key: str, request_hash: str, now: datetime, lifetime: timedelta = LIFETIME
) -> Replay:
    """Take the key, or find what its first request was answered; raises KeyUsedOtherwise.

    Run it in the transaction that does the work: of two requests at once the second waits here for the first.
    """
    taken = statements.value(_TAKE, [brand_id, scope, key, request_hash, now + lifetime])
    if taken is not None:
        return Replay(row_id=taken, response=None)
    used = IdempotencyKey.objects.get(brand_id=brand_id, scope=scope, key=key)
    if used.request_hash != request_hash:
        raise KeyUsedOtherwise
    return Replay(row_id=used.pk, response=used.response)


def replay_keep(*, row_id: int, response: Any) -> None:
    """Keep the answer for replays, in the transaction that did the work."""
    IdempotencyKey.objects.filter(pk=row_id).update(response=response)


def keys_forget_old(*, now: datetime) -> int:
    """Forget the keys whose lifetime is over and return how many."""
    forgotten, _ = IdempotencyKey.objects.filter(expires_at__lt=now).delete()
    return forgotten
