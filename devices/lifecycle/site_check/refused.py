"""The origins whose calls were refused, as a person mends them: what each is, and what lets it in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings

from devices.brands.models import App, Brand, RefusedOrigin
from devices.brands.services.refused_origins import MOST
from smartpush.common.addresses.origins import LOCAL_ORIGIN, NO_ORIGIN, is_local_origin

SHOWN = 5


class Remedy(StrEnum):
    """The way to let a refused origin in; `none` where nothing in the back office does."""

    ADD = "add"
    RESTORE = "restore"
    SWITCH = "switch"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refused origin: how often it called, in which hour last, and what to do."""

    origin: str
    count: int
    at: datetime
    text: str
    fix: str
    remedy: Remedy
    app_id: int | None = None


def refusals_of(*, brand: Brand, near: str = "") -> list[Refusal]:
    """Return what was refused of a brand's calls and would be still: first what resembles the origin `near`."""
    websites = App.objects.filter(brand=brand, kind=App.Kind.WEB)
    sites = {app.origin: app for app in websites.only("origin", "archived_at")}
    kept = RefusedOrigin.objects.filter(brand=brand).order_by("-last_at", "-count", "pk")[:MOST]
    found = [_refusal(row, sites.get(row.origin), brand) for row in kept if not _let_in(row.origin, sites, brand)]
    return sorted(found, key=lambda one: not _resembles(one.origin, near))


def _let_in(origin: str, sites: dict[str, App], brand: Brand) -> bool:
    site = sites.get(origin)
    if site is not None and site.archived_at is None and origin != LOCAL_ORIGIN:
        return True
    return settings.DEVELOPMENT and brand.local_pages and is_local_origin(origin)


def _refusal(row: RefusedOrigin, site: App | None, brand: Brand) -> Refusal:
    origin = row.origin
    unknown = f"Calls came from {origin}, which is not registered."

    def made(text: str, fix: str, remedy: Remedy = Remedy.NONE, app_id: int | None = None) -> Refusal:
        return Refusal(origin, row.count, row.last_at, text, fix, remedy, app_id)

    if origin == NO_ORIGIN:
        text = "Calls came from a page without an origin, such as a file on disk or a frame in a sandbox."
        return made(text, "Open the page at its website's address.")
    if is_local_origin(origin) and origin not in settings.SMARTPUSH_DEV_ORIGINS:
        text = f"Calls came from {origin}, which is a page on a developer's own machine."
        if not settings.DEVELOPMENT:
            return made(text, "A production server never lets such pages in.")
        return made(text, "Switch on “Pages on developers' own machines” in the brand's settings.", Remedy.SWITCH)
    if site is not None and site.archived_at is not None:
        return made(
            f"Calls came from {origin}, whose website is archived.",
            "Restore that website.",
            Remedy.RESTORE,
            site.pk,
        )
    if not origin.startswith("https://") and origin not in settings.SMARTPUSH_DEV_ORIGINS:
        return made(unknown, "Browsers refuse push on insecure pages: serve it at an https:// address.")
    return made(unknown, f"Add it as a website of {brand}, if it is yours.", Remedy.ADD)


def _resembles(origin: str, near: str) -> bool:
    """Whether both are of one site as far as names can tell: the same host, or one below the other."""
    host, other = ((urlsplit(one).hostname or "").removeprefix("www.") for one in (origin, near))
    return bool(host and other) and (host == other or host.endswith(f".{other}") or other.endswith(f".{host}"))
