"""One request on the wire: a libcurl handle that is used again and again."""

import socket
from typing import Generic, TypeVar

import pycurl

from devices.delivery.transports.addresses import is_public_address
from devices.delivery.transports.base import Request
from devices.delivery.transports.origin_queues import OriginQueue

MAX_RESPONSE_BODY = 8192
MAX_RESPONSE_HEADERS = 16384

M = TypeVar("M")

_USER_AGENT = "smartpush"
_KEPT_HEADERS = frozenset({"location", "retry-after"})


class Transfer(Generic[M]):
    """A handle with the options that never change, and what the current message needs of it.

    The body goes out by a callback instead of POSTFIELDS so that we know whether libcurl ever took it, and so
    that libcurl cannot send it again by itself: it would repeat a POST when a reused connection dies.
    """

    __slots__ = (
        "_body",
        "_header_bytes",
        "_offset",
        "_origin",
        "_patience",
        "body_taken",
        "handle",
        "message",
        "private_address",
        "queue",
        "response_body",
        "response_headers",
    )

    message: M
    queue: OriginQueue[M]

    def __init__(self, *, ca_file: str, connect_timeout: float) -> None:
        self.response_headers: dict[str, str] = {}
        self.response_body = bytearray()
        self._origin = ""
        self._patience = 0.0
        self.release()
        handle = self.handle = pycurl.Curl()
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.READFUNCTION, self._read)
        handle.setopt(pycurl.SEEKFUNCTION, self._rewind)
        handle.setopt(pycurl.HEADERFUNCTION, self._on_header)
        handle.setopt(pycurl.WRITEFUNCTION, self._on_body)
        handle.setopt(pycurl.PIPEWAIT, 1)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.NOPROXY, "*")
        handle.setopt(pycurl.PATH_AS_IS, 1)
        handle.setopt(pycurl.TCP_NODELAY, 1)
        handle.setopt(pycurl.USERAGENT, _USER_AGENT)
        handle.setopt(pycurl.SSL_VERIFYPEER, 1)
        handle.setopt(pycurl.SSL_VERIFYHOST, 2)
        handle.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv1_2)
        handle.setopt(pycurl.CAINFO, ca_file)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, round(connect_timeout * 1000))

    def prepare(
        self,
        *,
        message: M,
        queue: OriginQueue[M],
        request: Request,
        patience: float,
        connect_to: str | None,
        any_address: bool,
    ) -> None:
        """Load the next message; `patience` in seconds; `any_address` allows private addresses (development only)."""
        self.message = message
        self.queue = queue
        self._body = request.body
        handle = self.handle
        if queue.origin != self._origin:
            self._aim(queue.origin, connect_to=connect_to, any_address=any_address)
        if patience != self._patience:
            handle.setopt(pycurl.TIMEOUT_MS, round(patience * 1000))
            self._patience = patience
        handle.setopt(pycurl.URL, request.url)
        handle.setopt(pycurl.HTTPHEADER, request.headers)
        handle.setopt(pycurl.POSTFIELDSIZE, len(request.body))

    def _aim(self, origin: str, *, connect_to: str | None, any_address: bool) -> None:
        """Set what is the same for all messages to an origin."""
        handle = self.handle
        secure = origin.startswith("https:")
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTPS if secure else pycurl.PROTO_HTTP)
        version = pycurl.CURL_HTTP_VERSION_2TLS if secure else pycurl.CURL_HTTP_VERSION_1_1
        handle.setopt(pycurl.HTTP_VERSION, version)
        handle.setopt(pycurl.CONNECT_TO, [] if connect_to is None else [connect_to])
        handle.setopt(pycurl.OPENSOCKETFUNCTION, _open_any if any_address else self._open_public)
        self._origin = origin

    def release(self) -> None:
        """Forget everything about the message that was sent."""
        self._body = b""
        self._offset = 0
        self._header_bytes = 0
        self.body_taken = False
        self.private_address = False
        self.response_headers.clear()
        self.response_body.clear()

    def close(self) -> None:
        """Free the handle."""
        self.handle.close()

    def _read(self, size: int) -> bytes:
        self.body_taken = True
        chunk = self._body[self._offset : self._offset + size]
        self._offset += len(chunk)
        return chunk

    def _rewind(self, offset: int, origin: int) -> int:
        return pycurl.SEEKFUNC_FAIL

    def _on_header(self, line: bytes) -> int:
        size = len(line)
        self._header_bytes += size
        if self._header_bytes > MAX_RESPONSE_HEADERS:
            return -1
        if line[:1] in b"lLrR" and b":" in line:
            name, _, value = line.decode("latin-1").partition(":")
            if name.lower() in _KEPT_HEADERS:
                self.response_headers[name.lower()] = value.strip()
        return size

    def _on_body(self, data: bytes) -> int:
        if len(self.response_body) + len(data) > MAX_RESPONSE_BODY:
            return -1
        self.response_body += data
        return len(data)

    def _open_public(self, purpose: int, address: tuple[int, int, int, tuple[object, ...]]) -> object:
        if not is_public_address(str(address[3][0])):
            self.private_address = True
            return pycurl.SOCKET_BAD
        return _open_any(purpose, address)


def _open_any(purpose: int, address: tuple[int, int, int, tuple[object, ...]]) -> socket.socket:
    family, kind, protocol, _ = address
    return socket.socket(family, kind, protocol)
