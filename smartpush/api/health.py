"""/healthz, /readyz and /metrics: what a supervisor, a load balancer and Prometheus ask."""

import functools
import hmac

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from smartpush import __version__
from smartpush.common import redis_link


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 {"status": "ok", "version": ...} while the process lives: whoever restarts by it mends no database."""
    return JsonResponse({"status": "ok", "version": __version__})


@functools.cache
def _migrations_of_this_code() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _database() -> tuple[str, str]:
    """What the database and its migrations are: "ok", or what is wrong with them."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except Error:
        return "unreachable", "unknown"
    missing = _migrations_of_this_code() - applied.keys()
    return "ok", "missing" if missing else "ok"


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when calls can be served; 503 with each part that is missing: database, migrations, redis if configured."""
    database, migrations = _database()
    parts = {"database": database, "migrations": migrations}
    if settings.REDIS_URL:
        parts["redis"] = "ok" if redis_link.answers() else "unreachable"
    missing = [part for part, state in parts.items() if state != "ok"]
    body = {"status": "not_ready" if missing else "ready", "missing": missing, "parts": parts}
    return JsonResponse(body, status=503 if missing else 200)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """This process's metrics, for who knows SMARTPUSH_METRICS_TOKEN; without one set there are none in production."""
    token = settings.SMARTPUSH_METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and not hmac.compare_digest(given.encode(), token.encode()):
        return HttpResponse("Give SMARTPUSH_METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain")
    if not token and not settings.DEVELOPMENT:
        raise Http404
    response: HttpResponse = ExportToDjangoView(request)
    return response
