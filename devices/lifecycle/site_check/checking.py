"""Look at a website from outside: its page and its worker file."""

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from devices.brands.models import App
from devices.delivery.transports.site_fetch import CannotFetch, Fetched, site_fetch
from devices.lifecycle.site_check.pages import PageRead, page_read
from smartpush.common.addresses.origins import LOCAL_ORIGIN, is_local_origin, normal_origin

DEFAULT_WORKER = "/push/smartpush-sw.js"


@dataclass(frozen=True, slots=True)
class SiteSeen:
    """The findings at `at`: an answer, or the reason why there is none."""

    at: datetime
    origin: str
    page_url: str
    page: Fetched | None
    page_problem: str
    read: PageRead
    worker_url: str
    worker: Fetched | None
    worker_problem: str


def _fetch(url: str, *, redirects: bool, app: App) -> tuple[Fetched | None, str]:
    """An answer, or why there is none. Private addresses only as the switches for development allow."""
    allowed = frozenset(settings.SMARTPUSH_DEV_ORIGINS) if settings.DEVELOPMENT else frozenset()
    local = settings.DEVELOPMENT and app.brand.local_pages and app.origin == LOCAL_ORIGIN
    try:
        return site_fetch(url, redirects=redirects, local_origins=None if local else allowed), ""
    except CannotFetch as problem:
        return None, str(problem)


def site_look(*, app: App, path: str = "/", worker: str = "", now: datetime) -> SiteSeen:
    """Fetch a page of the website and the worker file that it names, or the one at `worker`.

    Both addresses are of the website's own origin, whatever is given. For developers' own machines `path` is the whole
    address, since it has a port.
    """
    origin = app.origin
    named = normal_origin(path.strip())
    if origin == LOCAL_ORIGIN and named is not None and is_local_origin(named):
        origin = named
    page_url = _own(origin, path, "/")
    page, page_problem = _fetch(page_url, redirects=True, app=app)
    read = page_read(page.text) if page is not None else PageRead()
    worker_url = _own(origin, worker or read.worker, DEFAULT_WORKER)
    found, worker_problem = _fetch(worker_url, redirects=False, app=app)
    # What was read of the page is kept, not the page.
    page = page and replace(page, text="")
    return SiteSeen(now, origin, page_url, page, page_problem, read, worker_url, found, worker_problem)


def _own(origin: str, path: str, default: str) -> str:
    """The address of a path on this origin; the default path for what would leave it."""
    try:
        url = urljoin(f"{origin}/", path.strip() or default)
        outside = normal_origin(url) != origin or "\\" in url or not url.isprintable() or " " in url
    except ValueError:
        outside = True
    if outside:
        return f"{origin}{default}"
    parts = urlsplit(url)
    return f"{origin}{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
