"""The caller's network address: the one answer that limits, log-in locks and logs share.

`X-Forwarded-For` is read only as far as `SMARTPUSH_TRUSTED_PROXIES` reaches. Each proxy appends the address that it
saw: the last entries come from our proxies, and everything before them from the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest

log = structlog.get_logger(__name__)

IPV6_PREFIX = 64  # bits: one connection of a household or a server has at least these to choose from
_told: set[str] = set()


@dataclass(frozen=True, slots=True)
class CallerAddress:
    """An address as it is counted: IPv4, or the first address of an IPv6 /64; '' where the server knows none.

    `shared`: it belongs to a proxy that the settings do not account for, so that everybody has it.
    """

    text: str
    shared: bool = False


def caller_read(meta: Mapping[str, Any], *, trusted_proxies: int, https: bool = False) -> CallerAddress:
    """Read the address that the outermost trusted proxy saw, or the peer's where the header does not reach so far.

    `https`: the public address is https. A request that comes to us unencrypted then has passed a proxy, whether or not
    it says so.
    """
    peer = _parsed(str(meta.get("REMOTE_ADDR", "")))
    hops = [hop for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
    if 0 < trusted_proxies <= len(hops):
        seen = _parsed(hops[-trusted_proxies])
        if seen is not None:
            return CallerAddress(_counted(seen))
    passed_proxy = bool(hops) or (https and meta.get("wsgi.url_scheme") == "http")
    return CallerAddress(_counted(peer), shared=passed_proxy and (peer is None or not peer.is_global))


def caller_address(request: HttpRequest) -> CallerAddress:
    """Return the caller's address by this installation's settings.

    A proxy that they do not account for is logged once a process.
    """
    caller = caller_read(
        request.META,
        trusted_proxies=settings.SMARTPUSH_TRUSTED_PROXIES,
        https=settings.SMARTPUSH_PUBLIC_URL.startswith("https://"),
    )
    if caller.shared and caller.text not in _told and len(_told) < 10:
        _told.add(caller.text)
        log.warning(
            "proxy_not_accounted_for",
            peer=caller.text,
            trusted_proxies=settings.SMARTPUSH_TRUSTED_PROXIES,
            do="Set SMARTPUSH_TRUSTED_PROXIES to the number of proxies in front that append to X-Forwarded-For.",
        )
    return caller


def caller_of(request: HttpRequest) -> str:
    """Return the caller's address as text, for limits and logs."""
    return caller_address(request).text


def axes_address(request: HttpRequest) -> str | None:
    """Return what django-axes stores as the address of a log-in (AXES_CLIENT_IP_CALLABLE)."""
    return caller_of(request) or None


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address with or without a port: 192.0.2.1, 192.0.2.1:51000, 2001:db8::1, [2001:db8::1]:443."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _counted(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX), strict=False).network_address)
    return str(address) if address is not None else ""
