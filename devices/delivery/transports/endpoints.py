"""Which addresses and keys a browser may hand us. They come from outside, so nothing is taken on trust."""

import base64
import binascii
import re
from collections.abc import Collection

from cryptography.hazmat.primitives.asymmetric import ec

from devices.delivery.transports.base import SendRefused

PUSH_SERVICE_HOSTS = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",
)
MAX_ENDPOINT_LENGTH = 2048
P256DH_LENGTH = 65
AUTH_LENGTH = 16

# Stricter than any URL parser: what this does not match, no two parsers can read differently.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<rest>[/?][!$%&'()*+,\-./0-9:;=?@A-Z_a-z~]*)?"
)
# The URL alphabet, which browsers write, or the standard one, which native bridges and back ends make of it.
_BASE64 = re.compile(r"(?:[A-Za-z0-9_-]*|[A-Za-z0-9+/]*)={0,2}")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


class EndpointRefused(SendRefused):
    """An endpoint that we will not send to; codes: endpoint_length, endpoint_malformed, endpoint_scheme,
    endpoint_port, endpoint_host."""


class KeysRefused(SendRefused):
    """Subscription keys that nothing can be encrypted to; codes: p256dh_malformed, p256dh_length,
    p256dh_not_on_curve, auth_malformed, auth_length."""


def check_endpoint(
    url: str, *, dev_origins: Collection[str] = frozenset(), extra_hosts: Collection[str] = frozenset()
) -> str:
    """Return the origin of an endpoint we may send to, or raise EndpointRefused (RFC 8030, section 8.3).

    `extra_hosts` are the operator's further push services, by host name; `dev_origins` are exact origins such
    as `http://127.0.0.1:8090`, for development only: they alone may be http, loopback or on another port.
    """
    if len(url) > MAX_ENDPOINT_LENGTH:
        raise EndpointRefused("endpoint_length")
    match = _URL.fullmatch(url)
    if match is None:
        raise EndpointRefused("endpoint_malformed")
    scheme, host, port = match["scheme"], match["host"], match["port"]
    default_port = _DEFAULT_PORTS[scheme]
    origin = f"{scheme}://{host}" if port in (None, default_port) else f"{scheme}://{host}:{port}"
    if origin in dev_origins:
        return origin
    if scheme != "https":
        raise EndpointRefused("endpoint_scheme")
    if port not in (None, default_port):
        raise EndpointRefused("endpoint_port")
    if not (_is_or_is_under(host, PUSH_SERVICE_HOSTS) or _is_or_is_under(host, extra_hosts)):
        raise EndpointRefused("endpoint_host")
    return origin


def _is_or_is_under(host: str, allowed: Collection[str]) -> bool:
    if host.startswith(".") or ".." in host:
        return False
    return any(host == name or host.endswith("." + name) for name in allowed)


def check_keys(p256dh: str, auth: str) -> tuple[bytes, bytes]:
    """Decode a subscription's keys from base64 of either alphabet, padded or not, or raise KeysRefused.

    RFC 8291, 2.1, has them in base64url.
    """
    point = _decode(p256dh, code="p256dh_malformed")
    secret = _decode(auth, code="auth_malformed")
    check_raw_keys(p256dh=point, auth=secret)
    return point, secret


def check_raw_keys(*, p256dh: bytes, auth: bytes) -> None:
    """Raise KeysRefused unless `p256dh` is an uncompressed point on P-256 and `auth` is 16 bytes."""
    if len(p256dh) != P256DH_LENGTH:
        raise KeysRefused("p256dh_length")
    if len(auth) != AUTH_LENGTH:
        raise KeysRefused("auth_length")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    except ValueError as error:
        raise KeysRefused("p256dh_not_on_curve") from error


def _decode(text: str, *, code: str) -> bytes:
    if len(text) > 256 or _BASE64.fullmatch(text) is None:
        raise KeysRefused(code)
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare.replace("+", "-").replace("/", "_") + "=" * (-len(bare) % 4), altchars=b"-_")
    except binascii.Error as error:
        raise KeysRefused(code) from error
