"""Message encryption for Web Push: RFC 8291 over one aes128gcm record of RFC 8188.

Straight on `cryptography` because it takes two thirds of the CPU of pywebpush's encoder; the tests hold it to
the RFC's own vector and to pywebpush.
"""

import hmac
import os
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.delivery.transports.base import SendRefused
from devices.delivery.transports.endpoints import AUTH_LENGTH, P256DH_LENGTH, KeysRefused

RECORD_SIZE = 4096
MAX_PLAINTEXT = 3993
"""4,096 bytes that every push service takes, less the header (86), the tag (16) and the delimiter (1).

The one limit of a payload: editors, previews and the send path read it here.
"""

_CURVE = ec.SECP256R1()
_ECDH = ec.ECDH()
_HEADER_REST = struct.pack("!LB", RECORD_SIZE, P256DH_LENGTH)
_CEK_INFO = b"Content-Encoding: aes128gcm\x00\x01"
_NONCE_INFO = b"Content-Encoding: nonce\x00\x01"
_LAST_RECORD = b"\x02"


class PayloadTooLarge(SendRefused):
    """The plaintext is over MAX_PLAINTEXT bytes; code: payload_too_large."""

    def __init__(self) -> None:
        super().__init__("payload_too_large")


def encrypt(
    *,
    plaintext: bytes,
    p256dh: bytes,
    auth: bytes,
    salt: bytes | None = None,
    ephemeral: ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return the aes128gcm body for one subscription (RFC 8291, section 3.4).

    `salt` and `ephemeral` are drawn anew for every message; only a test vector gives them. Raises
    PayloadTooLarge and KeysRefused.
    """
    if len(plaintext) > MAX_PLAINTEXT:
        raise PayloadTooLarge
    if len(auth) != AUTH_LENGTH:
        raise KeysRefused("auth_length")
    try:
        receiver = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh)
    except ValueError as error:
        raise KeysRefused("p256dh_not_on_curve") from error
    salt = salt or os.urandom(16)
    ephemeral = ephemeral or ec.generate_private_key(_CURVE)
    sender_point = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    # HKDF of one block each is two HMACs, the first extracting, the second expanding.
    shared = hmac.digest(auth, ephemeral.exchange(_ECDH, receiver), "sha256")
    secret = hmac.digest(shared, b"WebPush: info\x00" + p256dh + sender_point + b"\x01", "sha256")
    extracted = hmac.digest(salt, secret, "sha256")
    content_key = hmac.digest(extracted, _CEK_INFO, "sha256")[:16]
    nonce = hmac.digest(extracted, _NONCE_INFO, "sha256")[:12]
    record = AESGCM(content_key).encrypt(nonce, plaintext + _LAST_RECORD, None)
    return salt + _HEADER_REST + sender_point + record
