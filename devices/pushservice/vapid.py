"""The push service's half of RFC 8292: who sends, and whether the subscription lets them."""

import json
from collections import OrderedDict
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from devices.pushservice.subscribers import read_public_key

MAX_LIFETIME_SECONDS = 24 * 60 * 60
_CACHE_LIMIT = 1024


class CannotAuthenticate(Exception):
    """The sender is not who the subscription expects; 401 for bad credentials, 403 for another's key."""

    def __init__(self, message: str, *, status: int = 401) -> None:
        """Keep the HTTP status beside the reason."""
        super().__init__(message)
        self.status = status


class VapidChecker:
    """Checks Authorization headers, remembering signatures already verified: a sender reuses its token."""

    def __init__(self) -> None:
        """Start with nothing verified."""
        self._verified: OrderedDict[tuple[str, str], tuple[dict[str, Any], bytes]] = OrderedDict()

    def check(self, *, authorization: str | None, origin: str, restricted_to: bytes | None, now: float) -> bytes | None:
        """Return the sender's public key, or None when nobody was asked for (RFC 8292, sections 2 and 4.2).

        `origin` is ours as the sender sees it, `now` in Unix seconds; raises CannotAuthenticate.
        """
        if authorization is None:
            if restricted_to is None:
                return None
            raise CannotAuthenticate("the Authorization header is missing")
        claims, key = self._verify(*_parse(authorization))
        _check_claims(claims, origin=origin, now=now)
        if restricted_to is not None and key != restricted_to:
            raise CannotAuthenticate(
                "VAPID public key mismatch: the subscription was made with another applicationServerKey",
                status=403,
            )
        return key

    def _verify(self, token: str, key_text: str) -> tuple[dict[str, Any], bytes]:
        cached = self._verified.get((token, key_text))
        if cached is not None:
            self._verified.move_to_end((token, key_text))
            return cached
        try:
            key = read_public_key(key_text)
        except ValueError as error:
            raise CannotAuthenticate(f"k is not a public key: {error}") from error
        public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), key)
        try:
            payload = jwt.PyJWS().decode(token, public_key, algorithms=["ES256"])
            claims = json.loads(payload)
        except (jwt.PyJWTError, ValueError) as error:
            raise CannotAuthenticate(f"the token is not signed by k with ES256: {error}") from error
        if not isinstance(claims, dict):
            raise CannotAuthenticate("the token's claims are not an object")
        self._verified[(token, key_text)] = claims, key
        if len(self._verified) > _CACHE_LIMIT:
            self._verified.popitem(last=False)
        return claims, key


def _parse(authorization: str) -> tuple[str, str]:
    scheme, _, rest = authorization.partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    token, key = fields.get("t", "").strip('"'), fields.get("k", "").strip('"')
    if scheme.lower() != "vapid" or not token or not key:
        raise CannotAuthenticate("the Authorization header is not `vapid t=..., k=...`")
    return token, key


def _check_claims(claims: dict[str, Any], *, origin: str, now: float) -> None:
    audience, expires, subject = claims.get("aud"), claims.get("exp"), claims.get("sub")
    if not isinstance(audience, str) or _origin(audience) != _origin(origin):
        raise CannotAuthenticate(f"aud is {audience!r}, not our origin {origin}")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        raise CannotAuthenticate("exp is missing or not a number")
    if expires <= now:
        raise CannotAuthenticate("the token has expired")
    if expires > now + MAX_LIFETIME_SECONDS:
        raise CannotAuthenticate("exp is more than 24 hours ahead")
    if not isinstance(subject, str) or not subject.startswith(("mailto:", "https:")):
        raise CannotAuthenticate("sub is not a mailto: or https: contact")


def _origin(text: str) -> str | None:
    """Return the origin in one spelling, or None for anything that is more or less than an origin."""
    try:
        url = URL(text)
        return str(url.origin()) if url.path in ("", "/") and not url.query_string else None
    except ValueError:
        return None
