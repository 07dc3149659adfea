"""Secrets at rest: encrypted with keys that live outside the database, or hashed where we only compare."""

import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """The stored secret was encrypted with a key that SMARTPUSH_ENCRYPTION_KEYS no longer holds."""


@lru_cache(maxsize=16)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.encode()) for key in keys])


def encrypt(plain: str) -> str:
    """Encrypt a secret with the newest key (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _fernet(tuple(settings.SMARTPUSH_ENCRYPTION_KEYS)).encrypt(plain.encode()).decode()


def decrypt(stored: str) -> str:
    """Decrypt a stored secret with whichever key fits; raises CannotDecrypt."""
    try:
        return _fernet(tuple(settings.SMARTPUSH_ENCRYPTION_KEYS)).decrypt(stored.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt(
            "A stored secret cannot be decrypted: add the key that wrote it to SMARTPUSH_ENCRYPTION_KEYS."
        ) from None


def key_place(stored: str) -> int | None:
    """Which key a stored secret is encrypted under: 0 for the newest; None when no key that we have reads it."""
    for place, key in enumerate(settings.SMARTPUSH_ENCRYPTION_KEYS):
        try:
            _fernet((key,)).decrypt(stored.encode())
        except InvalidToken:
            continue
        return place
    return None


def key_name(place: int) -> str:
    """A key for people, by its place in the list and eight characters of its hash; tells nothing of the key itself."""
    key = settings.SMARTPUSH_ENCRYPTION_KEYS[place]
    return f"key {place + 1} ({hashlib.sha256(key.encode()).hexdigest()[:8]})"


def new_secret() -> str:
    """A random secret of 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """SHA-256 in hex; enough for our own 256-bit random secrets, never for passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_secret(secret: str, hashed: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(hash_secret(secret), hashed)
