"""Clean a request where it enters, before anything of ours or of a library's reads it.

A client chooses every byte of its headers. What cannot be meant and would make a reader of it fail is cleaned (a
content type, a cookie) or refused with 400 (a header or a length that is none). Paths, queries and forms are for
their views to check.
"""

import re
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.http import HttpRequest, HttpResponse

from smartpush.common.calls.errors import bad_request

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # RFC 9110, section 5.6.2
_MEDIA_TYPE = re.compile(rf"[ \t]*({_WORD}/{_WORD})[ \t]*(?:;|\Z)")
_BOUNDARY = re.compile(r";[ \t]*boundary=(?:\"([ -!#-\[\]-~]{1,200})\"|([!#-:<-~]{1,200}))", re.I)
_NUL_IN_COOKIE = re.compile(r"\\000|\x00")  # cookies write characters as \ and three octal digits


def content_type_clean(value: str) -> str:
    """Return the media type with no parameter but the boundary of a multipart body.

    A charset may name any codec of Python's, many of which decode no text: requests are UTF-8, whatever they say.
    What is no media type is taken for bytes of an unknown kind (RFC 9110, section 8.3).
    """
    if not value.strip():
        return ""
    media_type = _MEDIA_TYPE.match(value)
    if media_type is None:
        return "application/octet-stream"
    kind = media_type[1].lower()
    boundary = _BOUNDARY.search(value) if kind.startswith("multipart/") else None
    return f'{kind}; boundary="{boundary[1] or boundary[2]}"' if boundary else kind


def headers_clean(meta: MutableMapping[str, Any]) -> None:
    """Clean the headers of a WSGI environment in place."""
    if "CONTENT_TYPE" in meta:
        meta["CONTENT_TYPE"] = content_type_clean(str(meta["CONTENT_TYPE"]))
    cookies = meta.get("HTTP_COOKIE", "")
    if _NUL_IN_COOKIE.search(cookies):
        # Dropped, not refused: another page of the same site may have set it, and the browser sends it every time.
        meta["HTTP_COOKIE"] = ";".join(one for one in cookies.split(";") if not _NUL_IN_COOKIE.search(one))


class CleanHeaders:
    """The WSGI application with clean headers: some make the request fail as it is built, before any middleware."""

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Clean, then hand on."""
        headers_clean(environ)
        return self.application(environ, start_response)


class EntryMiddleware:
    """The first middleware: requests are UTF-8, and those that no reader could take are answered with 400."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse or hand on."""
        headers_clean(request.META)  # again, for servers that come without CleanHeaders: Django's own test client
        request.encoding = "utf-8"
        wrong = _wrong(request.META)
        return bad_request(request, ValueError(wrong)) if wrong else self.get_response(request)


def _wrong(meta: MutableMapping[str, Any]) -> str:
    """Return what is wrong with the headers, or nothing."""
    length = str(meta.get("CONTENT_LENGTH") or "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20):
        return "Content-Length is not a number."
    if any("\0" in value for name, value in meta.items() if name.startswith("HTTP_") and isinstance(value, str)):
        return "A header has a NUL character in it."
    return ""
