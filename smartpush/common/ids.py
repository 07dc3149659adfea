"""Public ids and report tokens: keyed, so that nobody can count or guess rows from outside.

A public id is the row number encrypted by a four-round Feistel network over 64 bits (keyed by SMARTPUSH_ID_KEY and the
kind of row), written in base64url: reversible by us, a random-looking string to everyone else. A report token adds a
136-bit HMAC, because it is the only proof that its caller needs; so does the token of a preference page.

SMARTPUSH_ID_KEY makes all of them. What a key in SMARTPUSH_ACCEPTED_ID_KEYS made is read as well, so that keys are
rotated with an overlap.
"""

import base64
import hashlib
import hmac
import re
import struct
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from django.conf import settings

_EPOCH = date(2020, 1, 1)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


@lru_cache(maxsize=64)
def _keys(kind: str, secret: str) -> tuple[bytes, ...]:
    return tuple(hmac.digest(secret.encode(), f"{kind}:{n}".encode(), hashlib.sha256) for n in range(5))


def _accepted() -> tuple[str, ...]:
    return (settings.SMARTPUSH_ID_KEY, *settings.SMARTPUSH_ACCEPTED_ID_KEYS)


def _signed(kind: str, body: bytes, proof: bytes) -> bool:
    """Whether one of the accepted keys made this proof."""
    return any(
        hmac.compare_digest(proof, hmac.digest(_keys(kind, secret)[0], body, "sha256")[:17]) for secret in _accepted()
    )


def _round(key: bytes, half: int) -> int:
    digest = hashlib.blake2b(half.to_bytes(4, "big"), key=key, digest_size=4).digest()
    return int.from_bytes(digest, "big")


def _check(kind: str, number: int, key: bytes) -> bytes:
    return hashlib.blake2b(f"{kind}:{number}".encode(), key=key, digest_size=4).digest()


def _decoded(text: str, length: int) -> bytes | None:
    """The bytes, when the text is exactly that many base64url characters (Python's decoder skips foreign ones)."""
    return base64.urlsafe_b64decode(text) if len(text) == length and _BASE64URL.fullmatch(text) else None


def public_id(kind: str, number: int) -> str:
    """The public form (16 characters) of a row number of this kind."""
    keys = _keys(kind, settings.SMARTPUSH_ID_KEY)
    left, right = number >> 32, number & 0xFFFFFFFF
    for key in keys[:4]:
        left, right = right, left ^ _round(key, right)
    raw = struct.pack(">II", left, right) + _check(kind, number, keys[4])
    return base64.urlsafe_b64encode(raw).decode()


def row_number(kind: str, public: str) -> int | None:
    """The row number of a public id, or None when it is not one of ours of this kind."""
    raw = _decoded(public, 16)
    if raw is None:
        return None
    for secret in _accepted():
        keys = _keys(kind, secret)
        left, right = struct.unpack(">II", raw[:8])
        for key in reversed(keys[:4]):
            left, right = right ^ _round(key, left), left
        number = int(left << 32 | right)
        if hmac.compare_digest(raw[8:], _check(kind, number, keys[4])):
            return number
    return None


def report_token(number: int, day: date) -> str:
    """The unguessable token under which a device reports on one delivery (row and partition day inside)."""
    body = struct.pack(">QH", number, (day - _EPOCH).days)
    key = _keys("report", settings.SMARTPUSH_ID_KEY)[0]
    return base64.urlsafe_b64encode(body + hmac.digest(key, body, "sha256")[:17]).decode()


def read_report_token(token: str) -> tuple[int, date] | None:
    """Row and day of a report token, or None when it was not made by us."""
    raw = _decoded(token, 36)
    if raw is None:
        return None
    number, days = struct.unpack(">QH", raw[:10])
    if not _signed("report", raw[:10], raw[10:]):
        return None
    return int(number), _EPOCH + timedelta(days=days)


def preference_token(number: int, expires_at: datetime) -> str:
    """The unguessable token that opens one end user's preference page until then (whole seconds); 44 characters."""
    until = struct.pack(">I", int(expires_at.timestamp()))
    hidden = public_id("preferences", number)
    key = _keys("preferences", settings.SMARTPUSH_ID_KEY)[0]
    proof = hmac.digest(key, hidden.encode() + until, "sha256")[:17]
    return hidden + base64.urlsafe_b64encode(until + proof).decode()


def read_preference_token(token: str) -> tuple[int, datetime] | None:
    """End user and end of a preference token, or None when it was not made by us; the caller checks the time."""
    hidden, rest = token[:16], _decoded(token[16:], 28)
    number = row_number("preferences", hidden)
    if number is None or rest is None:
        return None
    if not _signed("preferences", hidden.encode() + rest[:4], rest[4:]):
        return None
    return number, datetime.fromtimestamp(struct.unpack(">I", rest[:4])[0], UTC)


def topic(number: int) -> str:
    """The RFC 8030 section 5.4 Topic of one logical message: 32 base64url characters."""
    key = _keys("topic", settings.SMARTPUSH_ID_KEY)[0]
    return base64.urlsafe_b64encode(hmac.digest(key, str(number).encode(), "sha256")[:24]).decode()
