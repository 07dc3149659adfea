"""/healthz and /metrics: what a load balancer and Prometheus ask."""

import hmac

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from smartpush import __version__


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 {"status": "ok", "version": ...} when the database answers, else 503 with another status."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:
        return JsonResponse({"status": "database_unreachable", "version": __version__}, status=503)
    return JsonResponse({"status": "ok", "version": __version__})


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
