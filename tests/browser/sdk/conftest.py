"""A customer's site that integrates the SDK, in front of the stand-in for the API."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page as BrowserPage

from tests.browser.conftest import SiteFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Page, Site
from tests.browser.harness.waiting import PATIENCE_SECONDS, POLL_SECONDS, wait_until

from .fake_api import BRAND, FakeApi

# Inside test runs Chromium reaches no push service, so that its subscriptions are made up here; Firefox's are real.
SUBSCRIBE = (Path(__file__).parent / "subscribe.js").read_text()
CALLS = "window.told = []; for (const name of ['status', 'popup', 'push', 'click', 'error']) " + (
    "smartpush('on', name, (detail) => { told.push([name, JSON.parse(JSON.stringify(detail))]); });"
)
QUEUE = "window.smartpush = window.smartpush || function(){(smartpush.q = smartpush.q || []).push(arguments)};"


def init(api: FakeApi, **options: Any) -> str:
    """The script that a customer's page holds."""
    given = {"brand": BRAND, "host": api.host, "serviceWorker": "/push/smartpush-sw.js", **options}
    return f"{QUEUE}{CALLS}smartpush('init', {json.dumps(given)});"


def page_with(api: FakeApi, script: str, *, head: str = "", body: str = "") -> str:
    """A page that loads the SDK as the documentation says."""
    return (
        f"<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>Shop</title>{head}"
        f"<script>{script}</script><script src='{api.host}/sdk/v1/smartpush.js' async></script>"
        f"<body>{body or '<h1>Shop</h1><p><a id=first href=/other>Other</a> <button id=ask>Ask</button></p>'}"
    )


@pytest.fixture
def api() -> Iterator[FakeApi]:
    """The stand-in for the server."""
    server = FakeApi()
    yield server
    server.close()


@pytest.fixture
def shop(static_site: SiteFactory, api: FakeApi) -> Site:
    """A site whose front page integrates the SDK; `/other` is a second page with it."""
    front = page_with(api, init(api))
    worker = f"importScripts('{api.host}/sdk/v1/sw.js');"
    return static_site(
        {
            "/": front,
            "/other": front,
            "/plain": "<!doctype html><title>Plain</title>",
            "/push/smartpush-sw.js": worker,
            "/wide.svg": Page(WIDE_PICTURE, {"Content-Type": "image/svg+xml"}),
        }
    )


WIDE_PICTURE = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='880' height='330'><defs><linearGradient id='a'>"
    "<stop stop-color='#7c3aed'/><stop offset='1' stop-color='#f59e0b'/></linearGradient></defs>"
    "<rect width='880' height='330' fill='url(#a)'/><circle cx='700' cy='165' r='90' fill='#fff' opacity='.5'/></svg>"
)


@pytest.fixture
def allow(chromium: Chromium) -> Callable[[], None]:
    """Let Chromium's pages subscribe."""

    def subscribing() -> None:
        chromium.context.add_init_script(SUBSCRIBE)

    return subscribing


def eventually(page: BrowserPage, probe: Callable[[], Any], *, what: str, timeout: float = PATIENCE_SECONDS) -> Any:
    """`wait_until` that lets Playwright's own events through while it waits."""

    def look() -> Any:
        page.wait_for_timeout(POLL_SECONDS * 1000)
        return probe()

    return wait_until(look, timeout=timeout, what=what)


def run(page: BrowserPage, command: str) -> Any:
    """Run `smartpush(...)` in the page; {"code"} where it rejects."""
    failed = "({code, message}) => ({code, message})"
    return page.evaluate(f"smartpush({command}).then((value) => value ?? null, {failed})")


def told(page: BrowserPage, name: str) -> list[Any]:
    """The details that handlers of one event got so far."""
    return [detail for kind, detail in page.evaluate("window.told") if kind == name]
