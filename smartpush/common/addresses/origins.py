"""Check the addresses that a click may open: https on the brand's own hosts, at save and again at send."""

import functools
import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

import idna

MAX_URL = 2_000  # characters
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]")
_LIQUID = re.compile(r"\{\{|\{%")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
HOST_WITH_PORT: Final = re.compile(r":[0-9]+\Z")
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")

MESSAGES = {
    "url_empty": "Give an address.",
    "url_too_long": f"The address is longer than {MAX_URL} characters.",
    "url_characters": "The address has a space, a line break, a backslash or an invisible character in it.",
    "url_malformed": "This is not an address such as https://www.example.com/page.",
    "url_not_https": "The address must begin with https://.",
    "url_user_info": "An address with a user name or password in it is not allowed.",
    "url_port": "The address must not name a port other than 443, or than the port of one of the brand's websites.",
    "url_host": "This host is not one of the brand's hosts.",
    "url_dynamic_host": "Write the host out: personalisation may only begin after it, as in"
    " https://www.example.com/{{ user.page }}.",
}


@functools.lru_cache(maxsize=1024)
def normal_host(host: str) -> str | None:
    """Return a host as browsers send it: lower-case ASCII, no final dot; None for what no browser resolves.

    International names follow IDNA 2008 with UTS 46's mapping, and plain UTS 46 where they hold a symbol, as browsers
    do. An IPv6 address stands in brackets.
    """
    host = host.strip().removesuffix(".")
    if ":" in host:
        return _ipv6(host)
    name = host.lower() if host.isascii() else _ascii_name(host)
    if not name or len(name) > 253:
        return None
    labels = name.split(".")
    if not all(_LABEL.match(label) and _punycode_reads(label) for label in labels):
        return None
    if _NUMBER.match(labels[-1]):  # browsers take such a name for an IPv4 address, or for none
        return _ipv4(name)
    return name


def _ascii_name(host: str) -> str | None:
    """Write an international name in ASCII."""
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, ValueError):
        pass
    try:
        mapped = idna.uts46_remap(host, std3_rules=False, transitional=False)
        labels = [
            label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
            for label in mapped.split(".")
        ]
    except (idna.IDNAError, ValueError):
        return None
    return ".".join(labels)


def _punycode_reads(label: str) -> bool:
    if not label.startswith("xn--"):
        return True
    try:
        meant = label[4:].encode("ascii").decode("punycode")
        return not meant.isascii() and idna.uts46_remap(meant, std3_rules=False, transitional=False) == meant
    except (idna.IDNAError, ValueError, OverflowError):
        return False


def _ipv4(name: str) -> str | None:
    try:
        return str(IPv4Address(name))
    except ValueError:
        return None


def _ipv6(host: str) -> str | None:
    try:
        return f"[{IPv6Address(host.removeprefix('[').removesuffix(']'))}]" if "%" not in host else None
    except ValueError:
        return None


def host_allowed(host: str, hosts: Iterable[str]) -> bool:
    """Return whether a normal host is one of these: exact, or `*.example.com` for every name below example.com.

    A wildcard over a whole top-level domain (`*.com`) allows nothing.
    """
    for entry in hosts:
        wildcard = entry.startswith("*.")
        name = normal_host(entry[2:] if wildcard else entry)
        if name is None:
            continue
        if host == name if not wildcard else "." in name and host.endswith("." + name):
            return True
    return False


def normal_origin(origin: str) -> str | None:
    """Return the origin of an address as browsers send it, or None where no browser opens such an address.

    scheme://host[:port], the scheme's own port left out; what follows the host is not looked at.
    """
    if _CONTROL.search(origin) or "\\" in origin:
        return None
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    host = normal_host(parts.hostname or "")
    if parts.scheme not in DEFAULT_PORTS or host is None or "@" in parts.netloc or port == 0:
        return None
    shown = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def origin_hosts(origin: str) -> frozenset[str]:
    """Return what a website adds to the click hosts: its host, and `host:port` where it is on a port of its own.

    Nothing for an origin that no browser sends.
    """
    normal = normal_origin(origin)
    if normal is None:
        return frozenset()
    host = normal.partition("://")[2]
    return frozenset({host, HOST_WITH_PORT.sub("", host)})


NO_ORIGIN: Final = "null"
"""What browsers send for a page without an origin: a file on disk, or a frame in a sandbox."""
LOCAL_ORIGIN = "http://localhost"
"""The origin of the website that stands for every page on a developer's own machine."""
_LOCAL = re.compile(r"http://(?:localhost|127\.0\.0\.1)(?::[1-9][0-9]{0,4})?")


def is_local_origin(origin: str) -> bool:
    """Whether a browser names this for a page that a machine serves to itself."""
    return _LOCAL.fullmatch(origin) is not None


def check_click_url(url: str, *, hosts: frozenset[str], dev_origins: Iterable[str] = frozenset()) -> str | None:
    """The code of what is wrong (see MESSAGES), or None. The origin of a Liquid template must be literal."""
    literal = url
    liquid = _LIQUID.search(url)
    if liquid:
        literal = url[: liquid.start()]
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\\]+[/?#]", literal):
            return "url_dynamic_host"
    if not url:
        return "url_empty"
    if len(url) > MAX_URL:
        return "url_too_long"
    if _CONTROL.search(literal) or "\\" in literal:
        return "url_characters"
    try:
        parts = urlsplit(literal)
        port = parts.port
    except ValueError:
        return "url_malformed"
    if not parts.scheme or not parts.netloc:
        return "url_malformed" if parts.scheme in {"", "http", "https"} else "url_not_https"
    if parts.username is not None or "@" in parts.netloc:
        return "url_user_info"
    origin = normal_origin(literal)
    if origin is not None and origin in {normal_origin(item) for item in dev_origins}:
        return None
    if parts.scheme != "https":
        return "url_not_https"
    host = normal_host(parts.hostname or "")
    if host is None:
        return "url_malformed"
    if port not in (None, 443) and f"{host}:{port}" in hosts:
        return None
    if not host_allowed(host, hosts):
        return "url_host"
    return "url_port" if port not in (None, 443) else None


def is_allowed_click_url(url: str, *, hosts: frozenset[str], dev_origins: Iterable[str] = frozenset()) -> bool:
    """Whether a click may open this (rendered) address."""
    return not _LIQUID.search(url) and check_click_url(url, hosts=hosts, dev_origins=dev_origins) is None
