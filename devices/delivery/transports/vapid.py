"""Voluntary application server identification (RFC 8292)."""

import base64
import json
import re
import threading
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.delivery.transports.base import SendRefused

TOKEN_LIFETIME = 12 * 3600
"""Seconds; RFC 8292 allows 24 hours, half of it forgives a wrong clock."""
RENEW_BEFORE = 3600
"""Seconds before its expiry at which a token is no longer used."""
_MAX_CACHED = 10_000

_HEADER = json.dumps({"typ": "JWT", "alg": "ES256"}, separators=(",", ":")).encode()
_SUBJECT = re.compile(r"(?:mailto:[^\s@<>]+@|https://)(?P<host>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?:[/?#]\S*)?")


class VapidRefused(SendRefused):
    """A key or a subject that no push service would take; codes: vapid_subject, vapid_key."""


@dataclass(frozen=True, slots=True)
class VapidKeyPair:
    """A brand's key pair, both halves in base64url without padding, and the contact it signs with."""

    public: str
    private: str = field(repr=False)
    subject: str


def generate_vapid_key() -> tuple[str, str]:
    """Return a new (public, private) pair: uncompressed point and scalar, base64url without padding."""
    key = ec.generate_private_key(ec.SECP256R1())
    return _public_of(key), _encode(key.private_numbers().private_value.to_bytes(32, "big"))


def check_subject(subject: str) -> None:
    """Raise VapidRefused unless `subject` is a real mailto: or https: contact; Apple turns localhost away."""
    match = _SUBJECT.fullmatch(subject)
    if match is None or match["host"].lower().rpartition(".")[2] in ("localhost", "local", "invalid"):
        raise VapidRefused("vapid_subject")
    if match["host"].replace(".", "").isdigit():
        raise VapidRefused("vapid_subject")


def load_vapid_key(pair: VapidKeyPair) -> ec.EllipticCurvePrivateKey:
    """Return the private key of a pair whose halves belong together, or raise VapidRefused."""
    try:
        scalar = base64.urlsafe_b64decode(pair.private + "=" * (-len(pair.private) % 4))
        key = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
    except ValueError as error:
        raise VapidRefused("vapid_key") from error
    if len(scalar) != 32 or _public_of(key) != pair.public.rstrip("="):
        raise VapidRefused("vapid_key")
    return key


def sign(*, key: ec.EllipticCurvePrivateKey, audience: str, subject: str, expires_at: int) -> str:
    """Return the ES256 token for one push service; `expires_at` in Unix seconds (RFC 7515, RFC 8292)."""
    claims = json.dumps({"aud": audience, "exp": expires_at, "sub": subject}, separators=(",", ":")).encode()
    signed = f"{_encode(_HEADER)}.{_encode(claims)}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


class VapidSigner:
    """Signs once per (key, origin) and keeps the token until an hour before it expires; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._headers: dict[tuple[VapidKeyPair, str], tuple[float, str]] = {}

    def authorization(self, *, pair: VapidKeyPair, origin: str, now: float) -> str:
        """Return the Authorization header for an origin at `now` (Unix seconds); raises VapidRefused."""
        header = self._cached(pair=pair, origin=origin, now=now)
        if header is not None:
            return header
        with self._lock:
            header = self._cached(pair=pair, origin=origin, now=now)
            if header is not None:
                return header
            check_subject(pair.subject)
            expires_at = int(now) + TOKEN_LIFETIME
            token = sign(key=load_vapid_key(pair), audience=origin, subject=pair.subject, expires_at=expires_at)
            header = f"vapid t={token}, k={pair.public.rstrip('=')}"
            if len(self._headers) >= _MAX_CACHED:
                self._headers.clear()
            self._headers[pair, origin] = (expires_at - RENEW_BEFORE, header)
            return header

    def _cached(self, *, pair: VapidKeyPair, origin: str, now: float) -> str | None:
        use_until, header = self._headers.get((pair, origin), (0.0, None))
        # The second comparison drops a token from the future, which a clock set back has left behind.
        return header if now < use_until <= now + TOKEN_LIFETIME else None


def _public_of(key: ec.EllipticCurvePrivateKey) -> str:
    return _encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
