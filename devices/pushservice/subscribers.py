"""Subscriptions, and the user-agent side of RFC 8291 for the ones whose private keys we hold."""

import base64
import binascii
import secrets
from dataclasses import dataclass
from typing import Literal

import http_ece
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

SubscriptionKind = Literal["simulated", "external", "browser"]


class CannotDecrypt(Exception):
    """The body is not an RFC 8291 message for these keys, or the keys are not ours."""


@dataclass(slots=True)
class Subscription:
    """One push subscription; `application_server_key` None means that anyone may send to it."""

    token: str
    kind: SubscriptionKind
    application_server_key: bytes | None
    private_key: ec.EllipticCurvePrivateKey | None = None
    p256dh: bytes | None = None
    auth: bytes | None = None
    uaid: str | None = None
    channel_id: str | None = None
    gone: bool = False


def b64url_encode(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """Read base64url with or without padding; raises ValueError on any other character."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64url: {error}") from error


def read_public_key(text: str) -> bytes:
    """Read a base64url P-256 point; raises ValueError unless it is 65 uncompressed bytes on the curve."""
    raw = b64url_decode(text)
    if len(raw) != 65 or raw[0] != 4:
        raise ValueError("not an uncompressed P-256 point of 65 bytes")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    return raw


def new_token() -> str:
    """Make an unguessable subscription token of 32 base64url characters."""
    return secrets.token_urlsafe(24)


def simulated_subscription(*, application_server_key: bytes) -> Subscription:
    """Make a subscription with a real key pair and auth secret, as a browser would (RFC 8291, section 2)."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    point = private_key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return Subscription(
        token=new_token(),
        kind="simulated",
        application_server_key=application_server_key,
        private_key=private_key,
        p256dh=point,
        auth=secrets.token_bytes(16),
    )


def decrypt(*, body: bytes, private_key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Decrypt an aes128gcm message (RFC 8291, section 3); raises CannotDecrypt for anything else.

    http_ece does it rather than code of ours, so that a mistake in our sender cannot hide behind the same
    mistake here.
    """
    try:
        plaintext: bytes = http_ece.decrypt(body, private_key=private_key, auth_secret=auth, version="aes128gcm")
    except Exception as error:  # http_ece lets IndexError, struct.error and InvalidTag through
        raise CannotDecrypt(f"{type(error).__name__}: {error}") from error
    return plaintext
