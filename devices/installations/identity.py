"""Identity tokens: the brand's public keys, what a token proves, and the count of what checking has seen.

A token is a JWT (RFC 7519) that the brand's own server signs with ES256 (RFC 7518 section 3.4): `kid` in its header
names one of the brand's keys, `sub` is the external id, `exp` lies an hour ahead at most.
"""

import itertools
import math
import os
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, connection, transaction

from devices.brands.models import Brand, IdentityKey, IdentityObservation
from devices.brands.models.identity import SHARDS
from devices.installations.models import Device
from devices.installations.reporting import Proof

Outcome = IdentityObservation.Outcome

MAX_TOKEN = 4096  # characters
LONGEST = 3600  # seconds that a token may be valid
SKEW = 60  # seconds that the brand's clock and ours may differ
REMEMBER = 2.0  # seconds: how late a process may notice that a key was added or revoked
_MOST_REMEMBERED = 1_000
_KID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\-]{0,63}")

SENTENCES: Mapping[str, str] = {
    Outcome.MISSING: "This call names an end user and carries no identity token.",
    Outcome.MALFORMED: "This is not a signed JWT of three parts whose times are numbers.",
    Outcome.ALGORITHM: "The token must be signed with ES256.",
    Outcome.KEY_UNKNOWN: "The kid in the token's header names no identity key of this brand.",
    Outcome.KEY_REVOKED: "The key that the token was signed with has been revoked.",
    Outcome.SIGNATURE: "The signature does not fit the key that the token names.",
    Outcome.EXPIRED: "The token has expired.",
    Outcome.NOT_YET: "The token is not valid yet: nbf or iat lies in the future.",
    Outcome.TOO_LONG: "exp must be there and lie an hour ahead at most.",
    Outcome.SUBJECT: "sub must be the external id of this call, as text.",
}


class CannotUseKey(ValueError):
    """The key or its id cannot be stored; the message says why and never repeats the key."""


class CannotProveIdentity(Exception):
    """The brand asks for proof of who this is, and there was none that holds; `outcome` says what was wrong."""

    def __init__(self, outcome: str) -> None:
        super().__init__(SENTENCES[outcome])
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """How checking one token ended; `proof` only when valid. `kid` is what the header claims, made printable."""

    outcome: str
    kid: str = ""
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class _KnownKey:
    id: int
    public_key: ec.EllipticCurvePublicKey
    revoked: bool


_known: dict[int, tuple[float, dict[str, _KnownKey]]] = {}


def public_key_clean(value: str) -> str:
    """The PEM of a P-256 public key as we write it; raises CannotUseKey, whose message never repeats the input."""
    text = value.strip()
    if "PRIVATE KEY" in text:
        raise CannotUseKey(
            "This is a private key: it must never leave your server, and it was not stored. Take it for exposed and "
            "make a new pair; paste the part that begins with -----BEGIN PUBLIC KEY----- here."
        )
    if len(text) > 2000 or not text.isascii():
        raise CannotUseKey("This is not a public key in PEM form, beginning with -----BEGIN PUBLIC KEY-----.")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise CannotUseKey("This is not a public key in PEM form, beginning with -----BEGIN PUBLIC KEY-----.") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CannotUseKey("The key must be on the curve P-256 (prime256v1), as ES256 needs.")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def kid_clean(value: str) -> str:
    """The key id without blanks around it; raises CannotUseKey."""
    kid = value.strip()
    if not _KID.fullmatch(kid):
        raise CannotUseKey("A key id has 1 to 64 letters, digits and _ . : - and begins with a letter or digit.")
    return kid


def identity_key_add(*, brand: Brand, kid: str, public_key: str, by: AbstractBaseUser | None = None) -> IdentityKey:
    """Store one more public key of the brand; raises CannotUseKey."""
    key = IdentityKey(brand=brand, kid=kid_clean(kid), public_key=public_key_clean(public_key))
    key._history_user = by  # type: ignore[attr-defined]
    try:
        with transaction.atomic():
            key.save()
    except IntegrityError:
        raise CannotUseKey(f"There is a key {key.kid} already, perhaps a revoked one; choose another id.") from None
    _known.pop(brand.pk, None)
    return key


def identity_key_revoke(*, key: IdentityKey, now: datetime, by: AbstractBaseUser | None = None) -> None:
    """End a key for good, in every process within two seconds; what it proved ends too. Twice changes nothing."""
    with transaction.atomic():
        stored = IdentityKey.objects.select_for_update().get(pk=key.pk)
        if stored.revoked_at is None:
            stored.revoked_at = now
            stored._history_user = by  # type: ignore[attr-defined]
            stored._change_reason = "Revoked"  # type: ignore[attr-defined]
            stored.save(update_fields=["revoked_at"])
    key.revoked_at = stored.revoked_at
    _known.pop(key.brand_id, None)


def _keys(brand_id: int) -> dict[str, _KnownKey]:
    """The brand's keys by kid, revoked ones too; remembered for two seconds."""
    until, keys = _known.get(brand_id, (0.0, {}))
    if until >= time.monotonic():
        return keys
    keys = {}
    for row in IdentityKey.objects.filter(brand_id=brand_id):
        public_key = load_pem_public_key(row.public_key.encode())
        assert isinstance(public_key, ec.EllipticCurvePublicKey)  # as checked when stored
        keys[row.kid] = _KnownKey(row.pk, public_key, row.revoked_at is not None)
    if len(_known) >= _MOST_REMEMBERED:
        _known.clear()
    _known[brand_id] = (time.monotonic() + REMEMBER, keys)
    return keys


def token_check(*, brand: Brand, token: str | None, external_id: str, now: datetime) -> Verdict:
    """What this token proves of `external_id` at `now`: one outcome, the first thing that is wrong."""
    text = (token or "").strip()
    if not text:
        return Verdict(Outcome.MISSING)
    if len(text) > MAX_TOKEN or not text.isascii():
        return Verdict(Outcome.MALFORMED)
    try:
        header = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return Verdict(Outcome.MALFORMED)
    named = header.get("kid")
    kid = "".join(char for char in named if char.isprintable())[:64] if isinstance(named, str) else ""
    if header.get("alg") != "ES256":
        return Verdict(Outcome.ALGORITHM, kid)
    key = _keys(brand.pk).get(named) if isinstance(named, str) else None
    if key is None:
        return Verdict(Outcome.KEY_UNKNOWN, kid)
    if key.revoked:
        return Verdict(Outcome.KEY_REVOKED, kid)
    try:
        # It checks the signature only: the times are compared with our own clock, below.
        claims = jwt.decode(text, key.public_key, algorithms=["ES256"], options=_SIGNATURE_ONLY)
    except jwt.InvalidSignatureError:
        return Verdict(Outcome.SIGNATURE, kid)
    except (jwt.PyJWTError, ValueError, RecursionError):
        return Verdict(Outcome.MALFORMED, kid)
    outcome = _claims_check(claims, external_id=external_id, now=now.timestamp())
    if outcome != Outcome.VALID:
        return Verdict(outcome, kid)
    return Verdict(outcome, kid, Proof(until=datetime.fromtimestamp(int(claims["exp"]), UTC), key_id=key.id))


_SIGNATURE_ONLY: Any = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")} | {
    "verify_signature": True
}


def _claims_check(claims: Mapping[str, Any], *, external_id: str, now: float) -> str:
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if claims.get(name) is not None}
    for value in times.values():
        if isinstance(value, bool) or not isinstance(value, int | float):
            return Outcome.MALFORMED
        if isinstance(value, float) and not math.isfinite(value):
            return Outcome.MALFORMED
    if "exp" not in times or times["exp"] > now + LONGEST + SKEW:
        return Outcome.TOO_LONG
    if times["exp"] <= now - SKEW:
        return Outcome.EXPIRED
    if max(times.get("nbf", now), times.get("iat", now)) > now + SKEW:
        return Outcome.NOT_YET
    return Outcome.VALID if claims.get("sub") == external_id else Outcome.SUBJECT


def identity_prove(*, brand: Brand, token: str | None, external_id: str, origin: str, now: datetime) -> Verdict | None:
    """What the token proves, or None where the brand does not look. Call it outside the transaction that follows.

    Raises CannotProveIdentity, counted at once, where the brand enforces and the token does not hold. Otherwise the
    caller counts (`observation_count`) at the end of its own transaction.
    """
    if brand.identity_mode == Brand.IdentityMode.OFF:
        return None
    verdict = token_check(brand=brand, token=token, external_id=external_id, now=now)
    if verdict.outcome != Outcome.VALID and brand.identity_mode == Brand.IdentityMode.ENFORCE:
        observation_count(brand=brand, verdict=verdict, external_id=external_id, origin=origin, now=now)
        raise CannotProveIdentity(verdict.outcome)
    return verdict


def proof_wanted(*, brand: Brand, device: Device, now: datetime) -> bool:
    """True when the brand enforces and nothing proves any more that the known end user in session is there.

    A proof ends with its token (and the clocks' difference) and when the token's key is revoked.
    """
    if brand.identity_mode != Brand.IdentityMode.ENFORCE or device.session_end_user.anonymous:
        return False
    until = device.identity_proven_until
    if until is None or until.timestamp() <= now.timestamp() - SKEW:
        return True
    return not any(key.id == device.identity_key_id and not key.revoked for key in _keys(brand.pk).values())


class _Thread(threading.local):
    """The number of this thread among those of the process that count."""

    def __init__(self) -> None:
        self.number = next(_numbers)


_numbers = itertools.count()
_thread = _Thread()
_OBSERVE = """
INSERT INTO devices_identityobservation AS o
    (brand_id, day, outcome, shard, count, last_at, last_external_id, last_origin, last_kid)
VALUES (%(brand)s, %(day)s, %(outcome)s, %(shard)s, 1, %(now)s, %(external_id)s, %(origin)s, %(kid)s)
ON CONFLICT (brand_id, day, outcome, shard) DO UPDATE SET
    count = o.count + 1, last_at = EXCLUDED.last_at, last_external_id = EXCLUDED.last_external_id,
    last_origin = EXCLUDED.last_origin, last_kid = EXCLUDED.last_kid
"""


def observation_count(*, brand: Brand, verdict: Verdict, external_id: str, origin: str, now: datetime) -> None:
    """Count one identifying call under its outcome, with who and where as the last example (of failures only).

    One statement. Make it the last of its transaction: it holds its row until the commit, and each thread of each
    process has one of 16 rows, so that calls hardly ever wait for each other and none is lost.
    """
    failed = verdict.outcome != Outcome.VALID
    with connection.cursor() as cursor:
        cursor.execute(
            _OBSERVE,
            {
                "brand": brand.pk,
                "day": now.astimezone(UTC).date(),
                "outcome": str(verdict.outcome),
                "shard": (os.getpid() + _thread.number) % SHARDS,
                "now": now,
                "external_id": external_id if failed else "",
                "origin": origin[:255],
                "kid": verdict.kid,
            },
        )
