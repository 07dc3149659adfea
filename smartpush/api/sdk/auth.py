"""Who calls: a page by the brand's public key and exact origin, a native app by its own key; within their limits."""

import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from devices.brands.selectors.click_hosts import click_host_names
from devices.brands.services.refused_origins import origin_refused
from devices.installations.reporting import Credentials
from devices.models import App, Brand
from smartpush.common.addresses.origins import LOCAL_ORIGIN, is_local_origin
from smartpush.common.calls.callers import caller_of
from smartpush.common.calls.errors import ApiError
from smartpush.common.calls.limits import limit_exceeded
from smartpush.common.ids import row_number
from smartpush.common.time.clock import utc_now


@dataclass(frozen=True, slots=True)
class Caller:
    """The brand, the website or native app that calls, and the time of the call."""

    brand: Brand
    app: App
    click_hosts: tuple[str, ...]
    now: datetime


REMEMBER = 2.0  # seconds: how late a process may notice that a website was removed or a brand's settings changed
_MOST_REMEMBERED = 10_000
_sites: dict[tuple[str, str], tuple[float, App, tuple[str, ...]]] = {}
Site = tuple[App, tuple[str, ...]]


def site_of(*, key: str, origin: str) -> Site | None:
    """The website with its brand, and the brand's click hosts, by public key and exact origin.

    A brand may let in pages on developers' own machines, at any port, outside production. What was found is remembered
    for two seconds.
    """
    if not key or not origin or len(key) > 64 or len(origin) > 255 or "\x00" in key + origin:
        return None
    condition: dict[str, object] = {"brand__public_key": key, "kind": App.Kind.WEB, "archived_at": None}
    if origin != LOCAL_ORIGIN:
        found = _remembered(key, origin, condition | {"origin": origin})
        if found is not None:
            return found
    if not settings.DEVELOPMENT or not is_local_origin(origin):
        return None
    return _remembered(key, origin, condition | {"origin": LOCAL_ORIGIN, "brand__local_pages": True})


def native_app_of(*, key: str) -> Site | None:
    """The native app with its brand, and the brand's click hosts, by the app's key; remembered for two seconds too."""
    if not key or len(key) > 64 or "\x00" in key:
        return None
    return _remembered(key, "", {"app_key": key, "kind__in": [App.Kind.ANDROID, App.Kind.IOS], "archived_at": None})


def _remembered(key: str, origin: str, condition: dict[str, object]) -> Site | None:
    until, remembered, hosts = _sites.get((key, origin), (0.0, None, ()))
    if remembered is not None and until >= time.monotonic():
        return remembered, hosts
    app = App.objects.select_related("brand").filter(**condition).first()
    if app is None:
        return None
    if len(_sites) >= _MOST_REMEMBERED:
        _sites.clear()
    hosts = click_host_names(brand=app.brand)
    _sites[key, origin] = (time.monotonic() + REMEMBER, app, hosts)
    return app, hosts


def limits_check(request: Request, *, scope: str, key: str, per_minute: int) -> None:
    """Count the call; refuse it with Retry-After when there were too many."""
    wait = limit_exceeded(scope=scope, key=key, per_minute=per_minute)
    if wait is not None:
        raise ApiError(429, "rate_limited", "Too many calls; wait and try again.", retry_after=wait)


class FromBrandSite(BasePermission):
    """Sets `request.caller`; refuses unknown keys, foreign origins and too many calls."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        limits = settings.SMARTPUSH_LIMITS
        limits_check(request, scope="sdk-address", key=caller_of(request), per_minute=limits["sdk_per_address"])
        app, hosts = _native_caller(request) if "X-Smartpush-App" in request.headers else _web_caller(request)
        limits_check(request, scope="sdk-brand", key=str(app.brand_id), per_minute=limits["sdk_per_brand"])
        request.caller = Caller(brand=app.brand, app=app, click_hosts=hosts, now=utc_now())  # type: ignore[attr-defined]
        return True


def _web_caller(request: Request) -> Site:
    key = request.headers.get("X-Smartpush-Key", "")
    site = site_of(key=key, origin=request.headers.get("Origin", ""))
    if site is not None:
        return site
    brand_id = None
    if "\x00" not in key:
        brand_id = Brand.objects.filter(public_key=key[:80]).values_list("pk", flat=True).first()
    if brand_id is not None:
        origin_refused(brand_id=brand_id, origin=request.headers.get("Origin", ""), now=utc_now())
        raise ApiError(
            403,
            "origin_not_allowed",
            "This site is not registered: add its exact origin under the brand's apps in the admin, or restore it"
            " there if it is archived.",
        )
    raise ApiError(401, "brand_unknown", "The brand key in X-Smartpush-Key is not known here.")


def _native_caller(request: Request) -> Site:
    if "Origin" in request.headers:  # a browser always names it: app keys are no way around the brand's origins
        raise ApiError(403, "origin_not_allowed", "An app key is for native apps; a page calls with X-Smartpush-Key.")
    site = native_app_of(key=request.headers["X-Smartpush-App"])
    if site is None:
        raise ApiError(401, "app_unknown", "The app key in X-Smartpush-App is not known here, or its app is archived.")
    return site


class WithReportToken(BasePermission):
    """Open to everyone within the limit: each report carries its own proof."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        limits_check(
            request,
            scope="reports",
            key=caller_of(request),
            per_minute=settings.SMARTPUSH_LIMITS["reports_per_address"],
        )
        return True


def credentials_of(data: dict[str, str] | None) -> Credentials | None:
    """The installation that the body names; raises installation_unknown for an id that we never gave out."""
    if data is None:
        return None
    device_id = row_number("device", data["id"])
    if device_id is None:
        raise installation_unknown()
    return Credentials(device_id=device_id, secret=data["secret"])


def installation_unknown() -> ApiError:
    """The client drops its credentials and opens a new session."""
    return ApiError(401, "installation_unknown", "This installation is not known; open a new session without it.")
