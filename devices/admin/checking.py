"""Check your installation: a page of each website that says what works and what to mend, and refreshes by itself."""

import hashlib

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode

from devices.admin.archiving import ArchivingAdmin
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.lifecycle.site_check import (
    CannotTest,
    Refusal,
    Remedy,
    SiteSeen,
    State,
    Ways,
    findings_of,
    live_of,
    site_look,
    site_test_send,
)
from devices.models import App, Brand
from smartpush.common.addresses.origins import LOCAL_ORIGIN
from smartpush.common.calls.limits import limit_exceeded
from smartpush.common.time.clock import utc_now

FRESH_SECONDS = 20
LOOKS_A_MINUTE = 6
WAYS = Ways(
    another_page="Type the path of a page that everybody may open under “What is looked at”.",
    send_test="Send one below.",
)


def integration_of(brand: Brand) -> dict[str, str]:
    """Return what a website's developer copies, in the order of the guide (docs/web/ten-minutes.md)."""
    host = settings.SMARTPUSH_PUBLIC_URL
    key = brand.vapid_keys.filter(active=True).values_list("public_key", flat=True).first()
    return {
        "worker": f'importScripts("{host}/sdk/v1/sw.js");',
        "script": (
            "<script>\n"
            "window.smartpush = window.smartpush || function () {\n"
            "  (smartpush.q = smartpush.q || []).push(arguments)\n"
            "};\n"
            f"smartpush('init', {{brand: '{brand.public_key}', host: '{host}', "
            "serviceWorker: '/push/smartpush-sw.js'});\n"
            "</script>\n"
            f'<script src="{host}/sdk/v1/smartpush.js" async></script>'
        ),
        "identify": (
            "smartpush('identify', 'user-1', {language: 'en', properties: {first_name: 'Ann'}});\n"
            "smartpush('event', 'deposit', {amount: 20});\n"
            "smartpush('logout');"
        ),
        "public_key": brand.public_key,
        "vapid": key or "",
    }


class CheckingAdmin(ArchivingAdmin):
    """The page of one website; whoever may see the website may look, and a publisher sends the test push."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/check/", wrap(self.check_view), name="devices_app_check"),
            *super().get_urls(),
        ]

    def check_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the list, or its part alone to the page that refreshes itself; POST sends the test push."""
        app: App = self.object_or_404(request, object_id)
        self._require_view(request, app)
        if app.kind != App.Kind.WEB:
            raise Http404
        given = {name: request.GET.get(name, "").strip()[:500].replace("\x00", "") for name in ("path", "worker")}
        if request.method == "POST":
            return self._test(request, app, given)
        seen = _looked(app, given, again="again" in request.GET)
        findings = findings_of(app=app, seen=seen, live=live_of(app=app, now=utc_now()), ways=WAYS)
        shown = [(one, [(refusal, *self._remedy(request, refusal)) for refusal in one.refusals]) for one in findings]
        context = {
            "app": app,
            "findings": shown,
            "done": sum(finding.state == State.GOOD for finding in findings),
            "looked_at": seen.at,
        }
        if "part" in request.GET:
            return TemplateResponse(request, "devices/check_findings.html", context)
        context |= {
            **self.admin_site.each_context(request),
            "title": f"Check your installation: {app.name}",
            "opts": self.model._meta,
            "original": app,
            "given": {"path": given["path"] or "/", "worker": given["worker"]},
            "local": app.origin == LOCAL_ORIGIN,
            "integration": integration_of(app.brand),
            "may_send": self._allowed(request, app, Role.PUBLISHER),
        }
        return TemplateResponse(request, "devices/check.html", context)

    def _remedy(self, request: HttpRequest, refusal: Refusal) -> tuple[str, str]:
        """Return the address and the label of what lets an origin in; empty where it is not theirs to do."""
        if not self._allowed(request, None, Role.ADMIN):
            return "", ""
        if refusal.remedy == Remedy.ADD:
            name = refusal.origin.partition("://")[2]
            query = urlencode({"kind": App.Kind.WEB, "name": name[:120], "origin": refusal.origin})
            return f"{reverse('admin:devices_app_add')}?{query}", "Add it as a website"
        if refusal.remedy == Remedy.RESTORE:
            return reverse("admin:devices_app_archive", args=[refusal.app_id]), "Restore the website"
        brand = current_brand(request)
        if refusal.remedy == Remedy.SWITCH and brand is not None:
            return reverse("admin:devices_brand_change", args=[brand.pk]), "Open the brand's settings"
        return "", ""

    def _test(self, request: HttpRequest, app: App, given: dict[str, str]) -> HttpResponse:
        self.require_role(request, app, Role.PUBLISHER)
        try:
            site_test_send(app=app, now=utc_now())
        except CannotTest as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, app, "Sent the test push of the installation check.")
            messages.success(request, "The test push is on its way to the browser that subscribed last.")
        query = urlencode({name: value for name, value in given.items() if value})
        return HttpResponseRedirect(reverse("admin:devices_app_check", args=[app.pk]) + (f"?{query}" if query else ""))


def _looked(app: App, given: dict[str, str], *, again: bool) -> SiteSeen:
    """Return what the website showed at most 20 seconds ago; look anew when asked to, six times a minute at most."""
    named = hashlib.sha256(repr(sorted(given.items())).encode()).hexdigest()[:32]
    key = f"site-check:{app.pk}:{app.origin}:{named}"
    seen: SiteSeen | None = cache.get(key)
    if seen is not None and (
        not again or limit_exceeded(scope="site-check", key=str(app.pk), per_minute=LOOKS_A_MINUTE) is not None
    ):
        return seen
    seen = site_look(app=app, path=given["path"] or "/", worker=given["worker"], now=utc_now())
    cache.set(key, seen, FRESH_SECONDS)
    return seen
