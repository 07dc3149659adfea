"""The map of addresses."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny

from smartpush.api.health import healthz, metrics, readyz
from smartpush.api.scripts import script
from smartpush.common.calls.errors import not_found

handler400 = "smartpush.common.calls.errors.bad_request"


def home(request: HttpRequest) -> HttpResponse:
    """Nothing lives at the root: staff want the back office."""
    return redirect("admin:index")


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask here for pages that name no icon, such as the API's documentation."""
    return redirect(static("backoffice/favicon.svg"))


handler500 = "smartpush.api.outages.failed"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home),
    path("favicon.ico", favicon),
    path("admin/", admin.site.urls),
    path("sdk/v1/smartpush.js", script, {"name": "smartpush.js"}),
    path("sdk/v1/rare.js", script, {"name": "rare.js"}),
    path("sdk/v1/sw.js", script, {"name": "sw.js"}),
    path("api/v1/sdk/", include("smartpush.api.sdk.urls")),
    path("api/v1/server/", include("smartpush.api.server.urls")),
    path("api/schema/", SpectacularAPIView.as_view(permission_classes=[AllowAny]), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", permission_classes=[AllowAny]),
        name="api-docs",
    ),
    re_path("^api/", not_found),
    path("a/", include("assets.urls")),
    path("p/", include("smartpush.api.preferences.urls")),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
]
