"""API keys: made for a brand's own server, shown once, kept as hashes, revoked for good."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.base_user import AbstractBaseUser

from devices.brands.models import ApiKey, Brand
from smartpush.common.crypto import hash_secret

PREFIX = "sk_"
_SHOWN = 9  # characters of the secret that stay readable, so that staff know a key by them
REMEMBER = 2.0  # seconds: how late a process may notice that a key was revoked
_MOST_REMEMBERED = 1_000
_USE_NOTED_EVERY = timedelta(minutes=1)


class CannotMakeKey(Exception):
    """The key has no name or no scope, or one that there is not."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that is not revoked, with its brand."""

    id: int
    brand: Brand
    scopes: frozenset[str]


_known: dict[str, tuple[float, KnownKey]] = {}


def api_key_create(
    *, brand: Brand, name: str, scopes: Sequence[str], by: AbstractBaseUser | None
) -> tuple[ApiKey, str]:
    """Make a key; the secret in the answer is shown once and kept nowhere. Raises CannotMakeKey."""
    name = name.strip()
    if not name or len(name) > 120:
        raise CannotMakeKey("Name the key by who uses it, in 120 characters at most.")
    unknown = sorted(set(scopes) - set(ApiKey.Scope.values))
    if unknown:
        raise CannotMakeKey(f"There is no scope called {unknown[0]}.")
    if not scopes:
        raise CannotMakeKey("Choose what the key may do: at least one scope.")
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        brand=brand,
        name=name,
        prefix=secret[:_SHOWN],
        secret_hash=hash_secret(secret),
        scopes=[scope for scope in ApiKey.Scope.values if scope in scopes],
        created_by_id=None if by is None else by.pk,
    )
    return key, secret


def api_key_revoke(*, key: ApiKey, now: datetime) -> None:
    """End a key for good, in every process within two seconds; a second time changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now):
        key.revoked_at = now
    _known.pop(key.secret_hash, None)


def api_key_find(*, secret: str, now: datetime) -> KnownKey | None:
    """The key of a secret, unless revoked; remembered for two seconds. Notes at most once a minute that it was used."""
    if not secret.startswith(PREFIX) or len(secret) > 100 or not secret.isascii():
        return None
    hashed = hash_secret(secret)
    until, remembered = _known.get(hashed, (0.0, None))
    if remembered is not None and until >= time.monotonic():
        return remembered
    row = ApiKey.objects.select_related("brand").filter(secret_hash=hashed, revoked_at__isnull=True).first()
    if row is None:
        _known.pop(hashed, None)
        return None
    if row.last_used_at is None or row.last_used_at <= now - _USE_NOTED_EVERY:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    if len(_known) >= _MOST_REMEMBERED:
        _known.clear()
    known = KnownKey(id=row.pk, brand=row.brand, scopes=frozenset(row.scopes))
    _known[hashed] = (time.monotonic() + REMEMBER, known)
    return known


def api_keys_forget() -> None:
    """Forget what this process remembers of keys: for tests, whose databases begin anew."""
    _known.clear()
