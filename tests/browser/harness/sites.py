"""Small HTTP origins on loopback: the customer's site with its pages and its service worker file."""

import contextlib
import mimetypes
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

INSECURE_HOST = "insecure.test"
"""A name that both browsers resolve to loopback without calling it a secure context."""

TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".webmanifest": "application/manifest+json"}


@dataclass(frozen=True)
class Page:
    """One resource: its body, and headers that come on top of the site's own."""

    body: str | bytes
    headers: Mapping[str, str] | None = None
    status: int = 200


@dataclass(frozen=True)
class Seen:
    """One request as the site received it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class DroppingServer(ThreadingHTTPServer):
    """A server that can go away at once, with the connections that browsers keep open."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop(self) -> None:
        """Stop listening and end every connection."""
        self.shutdown()
        self.server_close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class _Server(DroppingServer):
    site: "Site"


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path = unquote(urlsplit(self.path).path)
        site = self.server.site
        site.requests.append(Seen(self.command, self.path, dict(self.headers.items()), body))
        page = site.find(path)
        data = page.body.encode() if isinstance(page.body, str) else page.body
        headers = {"Content-Type": content_type(path), "Cache-Control": "no-store"}
        headers |= {**site.headers, **(page.headers or {})}
        self.send_response(page.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = _answer

    def do_OPTIONS(self) -> None:
        """Let every preflight through that the site's own headers allow."""
        self.send_response(204)
        for name, value in self.server.site.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Requests are kept in `Site.requests`, so nothing is printed."""


def content_type(path: str) -> str:
    """The Content-Type of a path by its ending; pages without one are HTML."""
    suffix = Path(path).suffix
    kind = TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "text/html"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


class Site:
    """A threaded web server on 127.0.0.1 with a port, so an origin, of its own."""

    def __init__(
        self,
        content: Path | Mapping[str, str | bytes | Page],
        *,
        headers: Mapping[str, str] | None = None,
        port: int = 0,
    ) -> None:
        self.headers: dict[str, str] = dict(headers or {})
        self.requests: list[Seen] = []
        self._folder = content.resolve() if isinstance(content, Path) else None
        self._pages: dict[str, Page] = {}
        if not isinstance(content, Path):
            for path, page in content.items():
                self.set(path, page)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.site = self
        self.port: int = self._server.server_address[1]
        self.origin = f"http://127.0.0.1:{self.port}"
        self.insecure_origin = f"http://{INSECURE_HOST}:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True, name="site").start()

    def url(self, path: str = "/") -> str:
        """The full address of a path on this origin."""
        return self.origin + path

    def set(self, path: str, page: str | bytes | Page) -> None:
        """Serve `page` at `path` from now on, over anything that was there."""
        if not path.startswith("/"):
            raise ValueError(f"a site's path starts with a slash: {path!r}")
        self._pages[path] = page if isinstance(page, Page) else Page(page)

    def find(self, path: str) -> Page:
        """The resource at a path: a set page, then a file of the folder, then a 404."""
        for candidate in (path, path + "index.html") if path.endswith("/") else (path,):
            if candidate in self._pages:
                return self._pages[candidate]
            if self._folder is not None:
                file = (self._folder / candidate.lstrip("/")).resolve()
                if file.is_relative_to(self._folder) and file.is_file():
                    return Page(file.read_bytes())
        return Page(f"nothing at {path}", {"Content-Type": "text/plain"}, 404)

    def close(self) -> None:
        """Stop serving, end open connections and free the port; closing again does nothing."""
        self._server.drop()
