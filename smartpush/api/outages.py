"""What nobody caught: calls of the API get the one error shape, people a page that needs nothing but itself.

Django calls `failed` while it handles the exception, so what went wrong can still be asked for.
"""

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from smartpush.common.calls.errors import error_body, unavailable

_INTERNAL = "Something went wrong here; it is logged. Try again later."


def failed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """handler500: 503 with Retry-After where the database is away, else 500."""
    error = sys.exc_info()[1]
    headers: dict[str, str] = {}
    status = 500
    body = error_body("internal", _INTERNAL)
    if isinstance(error, OperationalError | InterfaceError):
        status = 503
        body, headers = unavailable(error)
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse(body, status=status, headers=headers)
    else:
        page = render_to_string("outage.html", {"away": status == 503, "cause": body["error"]["message"]})
        response = HttpResponse(page, status=status, headers=headers)
        response["Referrer-Policy"] = "no-referrer"  # the address of a preference page is the right to it
        response["X-Frame-Options"] = "DENY"
        response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    add_never_cache_headers(response)
    return response
