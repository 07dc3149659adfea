"""What every log line of a request carries: its id, its member of staff, and the caller's address."""

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware

from smartpush.common.calls.callers import caller_of


class RequestLogMiddleware(RequestMiddleware):
    """Logs the address that limits count; the library's own would believe any X-Forwarded-For."""

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """Bind the caller's address for the rest of the request."""
        structlog.contextvars.bind_contextvars(ip=caller_of(request))
