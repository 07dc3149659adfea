"""CORS of the SDK endpoints: every page may ask and read the answer, no cookies.

A preflight names no brand, so it cannot tell a registered website from another page. It lets every page through and
asks no database; the call itself is checked with its brand's own origins (smartpush.api.sdk.auth). A page from
elsewhere is refused there with a reason that it can read: a developer sees `origin_not_allowed` instead of a browser's
words on CORS. Nothing is given away by that, because browsers send no cookies and any program can make the same call.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from smartpush.common.calls.callers import caller_of
from smartpush.common.calls.errors import error_body
from smartpush.common.calls.limits import limit_exceeded

PREFIX = "/api/v1/sdk/"
_MAX_AGE = "7200"  # seconds: as long as Chromium keeps an answer


class SdkCorsMiddleware:
    """Answers preflights and adds the headers, for the SDK's addresses only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = _preflight_answer(request) if preflight else self.get_response(request)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "Retry-After"
        return response


def _preflight_answer(request: HttpRequest) -> HttpResponse:
    """Answer a preflight; too many of one caller's are refused, as other calls are."""
    per_minute = settings.SMARTPUSH_LIMITS["sdk_per_address"]
    wait = limit_exceeded(scope="sdk-preflight", key=caller_of(request), per_minute=per_minute)
    if wait is not None:
        body = error_body("rate_limited", "Too many calls; wait and try again.")
        return JsonResponse(body, status=429, headers={"Retry-After": str(wait)})
    headers = {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type, X-Smartpush-Key",
        "Access-Control-Max-Age": _MAX_AGE,
    }
    return HttpResponse(status=204, headers=headers)
