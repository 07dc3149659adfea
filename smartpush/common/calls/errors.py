"""One shape for every API error: {"error": {"code", "message", "fields"}}."""

from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response

from smartpush.common.database.deadlocks import ChangedMeanwhile, is_contention

log = structlog.get_logger(__name__)

_CODES: dict[type[exceptions.APIException], str] = {
    exceptions.ParseError: "invalid_json",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "not_allowed",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.NotAcceptable: "not_acceptable",
}


class ApiError(exceptions.APIException):
    """A refusal with a machine-readable code; `fields` maps a path in the request to what is wrong there."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        fields: dict[str, list[str]] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, code)
        self.status_code = status
        self.code = code
        self.message = message
        self.fields = fields or {}
        self.retry_after = retry_after


def error_body(code: str, message: str, fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The one error shape."""
    return {"error": {"code": code, "message": message, "fields": fields or {}}}


def error_fields(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested refusals, flat: a path in the request such as `push.subscription.auth` to what is wrong there."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            name = path if key == "non_field_errors" and path else (f"{path}.{key}" if path else str(key))
            found |= error_fields(value, name)
        return found
    if isinstance(detail, list):
        texts = [str(item) for item in detail if not isinstance(item, dict | list)]
        found = {path: texts} if texts else {}
        for index, item in enumerate(detail):
            if isinstance(item, dict | list) and item:
                found |= error_fields(item, f"{path}.{index}" if path else str(index))
        return found
    return {path: [str(detail)]}


# What PostgreSQL says of itself by SQLSTATE, in a sentence that is true of it and of nothing else.
_BUSY: tuple[tuple[str, str, int], ...] = (
    ("57014", "The database took too long over this call; try again.", 5),
    ("53300", "The database takes no more connections at the moment; try again.", 5),
    ("53", "The database has run out of room or memory; its operator has to see to it.", 30),
    ("57P", "The database is restarting; try again.", 5),
    ("08", "The server cannot reach its database; try again.", 5),
)


def unavailable(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers of the 503 for an error of the database's, logged under the cause that it really has."""
    state = str(getattr(error.__cause__, "sqlstate", None) or "")
    if is_contention(error):
        event, (text, wait) = "contention_not_settled", ("Other calls are changing the same data; try again.", 1)
    elif state:
        event = "database_refuses"
        known = ((text, wait) for prefix, text, wait in _BUSY if state.startswith(prefix))
        text, wait = next(known, ("The database could not do this now; try again.", 5))
    else:  # without a state the connection could not be made, or broke
        event, (text, wait) = "database_unavailable", ("The server cannot reach its database; try again.", 5)
    log.error(event, error=str(error), sqlstate=state)
    return error_body("server_busy", text), {"Retry-After": str(wait)}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: whatever happens, one shape."""
    if isinstance(error, ApiError):
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
        return Response(error_body(error.code, error.message, error.fields), error.status_code, headers=headers)
    if isinstance(error, exceptions.ValidationError):
        fields = error_fields(error.detail)
        return Response(
            error_body("invalid_request", "The request is not valid; see fields.", fields), error.status_code
        )
    if isinstance(error, Http404):
        return Response(error_body("not_found", "There is no such thing here."), 404)
    if isinstance(error, PermissionDenied):
        return Response(error_body("not_allowed", "This is not allowed."), 403)
    if isinstance(error, RequestDataTooBig):
        return Response(error_body("payload_too_large", "The body is too large; send less at a time."), 413)
    if isinstance(error, UnreadablePostError):
        return Response(error_body("invalid_json", "The connection ended before the body did."), 400)
    if isinstance(error, OperationalError | InterfaceError | ChangedMeanwhile):
        body, headers = unavailable(error)
        return Response(body, 503, headers=headers)
    if isinstance(error, exceptions.APIException):
        code = _CODES.get(type(error), "error")
        return Response(error_body(code, str(error.detail)), error.status_code)
    # As Django does with what nobody caught: tell whoever listens, log it whole, say nothing of it to the caller.
    got_request_exception.send(sender=None, request=context.get("request"))
    log.exception("request_failed")
    return Response(error_body("internal", "Something went wrong here; it is logged. Try again later."), 500)


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    """The 404 of paths under /api/ that exist nowhere."""
    return JsonResponse(error_body("not_found", "There is no such address."), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The 400 of requests that Django or an entry refuses: a page for people, the one error shape for programs."""
    if isinstance(exception, DisallowedHost):
        log.warning("host_refused", host=request.META.get("HTTP_HOST", ""))
    if "text/html" in request.headers.get("Accept", "") and not request.path_info.startswith("/api/"):
        return defaults.bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        message = "This server does not answer to that host name."
    elif isinstance(exception, ValueError):
        message = str(exception)
    else:
        message = "The request cannot be read."
    return JsonResponse(error_body("bad_request", message), status=400)
