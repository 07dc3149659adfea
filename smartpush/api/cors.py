"""CORS of the SDK endpoints: exact origins of any brand's websites, no cookies.

The browser's preflight names no brand, so it is answered for every origin that some brand registered; the call itself
is checked again with its brand's own origins (smartpush.api.sdk.auth). Reports name no brand at all, only their token:
from a browser they come from some brand's website too.
"""

import re
from collections.abc import Callable

from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from devices.models import App

PREFIX = "/api/v1/sdk/"
_MAX_AGE = "7200"
_REMEMBER = 30
_ORIGIN = re.compile(r"https?://[!-~]{1,240}")


def origin_known(origin: str) -> bool:
    """True when a brand has a website with exactly this origin (remembered for 30 s), or the database is away."""
    if not _ORIGIN.fullmatch(origin):
        return False
    key = f"cors:{origin}"
    if cache.get(key):
        return True
    try:
        known = App.objects.filter(kind=App.Kind.WEB, origin=origin).exists()
    except (OperationalError, InterfaceError):
        # Nobody can be asked. The call itself is refused for the same reason, and a page has to be able to read that;
        # should the database be back by then, the call is checked with its brand's own origins.
        return True
    # Only what exists is remembered: made-up origins would push the rate limits out of a small cache.
    if known:
        cache.set(key, True, _REMEMBER)
    return known


class SdkCorsMiddleware:
    """Answers preflights and adds the headers, for the SDK's addresses only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if preflight else self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        # A 503 tells nothing, and the cause may be that nobody can be asked: a page has to be able to read it.
        unreachable = response.status_code == 503 and _ORIGIN.fullmatch(origin)
        if unreachable or origin_known(origin):
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = "Retry-After"
            if preflight:
                response["Access-Control-Allow-Methods"] = "POST"
                response["Access-Control-Allow-Headers"] = "Content-Type, X-Smartpush-Key"
                response["Access-Control-Max-Age"] = _MAX_AGE
        return response
