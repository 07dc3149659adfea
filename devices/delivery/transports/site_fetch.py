"""GET a page of a customer's website: bounded in time and size, and never from a private network.

Staff type the address, so that it could name the server's own network. The address that the name resolves to is looked
at when the socket is opened, for each redirect anew, and proxies of the environment are left out.
"""

import socket
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import certifi
import pycurl

from devices.delivery.transports.addresses import is_public_address
from smartpush.common.addresses.origins import normal_origin

MAX_BYTES = 1_000_000
MAX_REDIRECTS = 3
TIMEOUT_SECONDS = 8
_MAX_HEADER_BYTES = 32_768
_USER_AGENT = "smartpush installation check"


class CannotFetch(Exception):
    """Why no answer came, in words for the person who checks."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; headers by lower-case name, those of one name in their order."""

    url: str
    status: int
    headers: dict[str, list[str]] = field(default_factory=dict)
    text: str = ""

    def header(self, name: str) -> str:
        """Return the last header of this name, or ''."""
        return (self.headers.get(name) or [""])[-1]


def site_fetch(url: str, *, redirects: bool, local_origins: Collection[str] | None = frozenset()) -> Fetched:
    """Fetch one address of a website; raises CannotFetch.

    `local_origins` are the origins that may lie on this machine or a private network, for development; None lets in
    every loopback one. With `redirects` up to three are followed, each under the same rules.
    """
    until = time.monotonic() + TIMEOUT_SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        left = until - time.monotonic()
        if left <= 0:
            raise CannotFetch(_reason(pycurl.E_OPERATION_TIMEDOUT))
        answer = _one(url, private=_may_be_private(url, local_origins), seconds=left)
        target = answer.header("location")
        if not redirects or answer.status not in (301, 302, 303, 307, 308) or not target:
            return answer
        url = urljoin(url, target)
        if urlsplit(url).scheme not in ("http", "https"):
            raise CannotFetch("It redirects to something that is no web page.")
    raise CannotFetch("It redirects more than three times.")


def _may_be_private(url: str, local_origins: Collection[str] | None) -> bool:
    if local_origins is None:
        return urlsplit(url).hostname in ("localhost", "127.0.0.1")
    return normal_origin(url) in local_origins


def _one(url: str, *, private: bool, seconds: float) -> Fetched:
    headers: dict[str, list[str]] = {}
    body = bytearray()
    refused: list[str] = []

    def take_header(line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if line.startswith(b"HTTP/"):  # what follows a 100 Continue is the answer
            headers.clear()
        elif colon and sum(map(len, headers)) < _MAX_HEADER_BYTES:
            headers.setdefault(name.strip().lower(), []).append(value.strip()[:_MAX_HEADER_BYTES])

    def take_body(part: bytes) -> int:
        body.extend(part[: MAX_BYTES - len(body)])
        return len(part) if len(body) < MAX_BYTES else 0  # fewer than came: libcurl stops

    def open_socket(purpose: int, address: tuple[int, int, int, tuple[object, ...]]) -> object:
        family, kind, protocol, where = address
        if not private and not is_public_address(str(where[0])):
            refused.append(str(where[0]))
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)

    handle = pycurl.Curl()
    try:
        handle.setopt(pycurl.URL, url.encode("utf-8"))
        for option, value in (
            (pycurl.USERAGENT, _USER_AGENT),
            (pycurl.PROXY, ""),
            (pycurl.NOSIGNAL, 1),
            (pycurl.CAINFO, certifi.where()),
            (pycurl.TIMEOUT_MS, max(int(seconds * 1000), 1)),
            (pycurl.ACCEPT_ENCODING, ""),
            (pycurl.OPENSOCKETFUNCTION, open_socket),
            (pycurl.HEADERFUNCTION, take_header),
            (pycurl.WRITEFUNCTION, take_body),
        ):
            handle.setopt(option, value)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.perform()
    except pycurl.error as error:
        whole = len(body) >= MAX_BYTES
        if refused:
            raise CannotFetch("Its name leads into a private network, where this server does not look.") from None
        if not whole:
            raise CannotFetch(_reason(error.args[0])) from None
    finally:
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        handle.close()
    return Fetched(url=url, status=status, headers=headers, text=bytes(body).decode("utf-8", errors="replace"))


def _reason(code: int) -> str:
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        return "There is no such host."
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return f"It did not answer within {TIMEOUT_SECONDS} seconds."
    if code in (pycurl.E_SSL_CONNECT_ERROR, pycurl.E_PEER_FAILED_VERIFICATION):
        return "Its certificate is not valid for this host."
    if code == pycurl.E_URL_MALFORMAT:
        return "This is not an address."
    return "This server cannot connect to it."
