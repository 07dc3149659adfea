"""What the tests of wrong integrations share: a call of init with an event beside it, and what has to follow."""

import json
from typing import Any

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import CALLS, QUEUE, eventually, page_with, run, told
from .fake_api import BRAND, FakeApi

SCRIPT = {"Content-Type": "text/javascript"}
# Milliseconds. On a machine with nothing else to do it takes less than one second; what the SDK itself would wait for
# before it tries again, or gives up a request, is longer than this.
SOON = 3000
WORKER = "/push/smartpush-sw.js"
# The outcome of init, how long it took, and of calls that were made with it.
WATCH = (
    "const began = performance.now(); window.settled = {};"
    "const keep = (name, promise) => promise.then((value) => { settled[name] = value; }, ({code, message}) => {"
    " settled[name] = {code, message, after: performance.now() - began}; });"
)


def given(api: FakeApi, options: str) -> str:
    """Return the options of a right init as JavaScript, with more behind them."""
    return f"{{brand: '{BRAND}', host: '{api.host}', {options}}}"


def start(chromium: Chromium, shop: Site, api: FakeApi, options: dict[str, Any] | str) -> dict[str, Any]:
    """Load the SDK, then call init and an event in one script; what both came to. Options may be JavaScript."""
    shop.set("/", page_with(api, QUEUE + CALLS))
    return begin(chromium, shop, options)


def begin(chromium: Chromium, shop: Site, options: dict[str, Any] | str) -> dict[str, Any]:
    """The same on the front page that the site has, which holds the queue and handlers but no call of init."""
    load(chromium, shop)
    return initialise(chromium, options)


def load(chromium: Chromium, shop: Site) -> None:
    """Open the front page and wait for the SDK."""
    page = chromium.page
    page.goto(shop.url())
    eventually(page, lambda: page.evaluate("smartpush.loaded"), what="the script")


def initialise(chromium: Chromium, options: dict[str, Any] | str) -> dict[str, Any]:
    """Call init and an event on the page that is open; what both came to."""
    page = chromium.page
    taken = options if isinstance(options, str) else json.dumps(options)
    page.evaluate(f"{WATCH} keep('init', smartpush('init', {taken}));"
                  " keep('event', smartpush('event', 'deposit')); null")  # fmt: skip
    eventually(page, lambda: {"init", "event"} <= set(page.evaluate("settled")), what="both to settle")
    outcome: dict[str, Any] = page.evaluate("settled")
    return outcome


def ours(chromium: Chromium) -> list[str]:
    """Return the errors that the console shows of ours."""
    return [line for line in chromium.console if line.startswith("[error] [smartpush]")]


def assert_given_up(chromium: Chromium, outcome: dict[str, Any], code: str) -> str:
    """Each promise about an init that failed for good; returns its message."""
    page = chromium.page
    assert outcome["init"]["code"] == code
    assert outcome["init"]["after"] < SOON
    assert outcome["event"]["code"] in (code, "not_initialised")  # never {queued: true}
    (line,) = ours(chromium)
    message: str = outcome["init"]["message"]
    assert line == f"[error] [smartpush] {code}: {message}"
    assert [error["code"] for error in told(page, "error")].count(code) == 1
    page.evaluate("smartpush('on', 'error', ({code}) => { window.late = code; })")
    assert page.evaluate("window.late") == code  # a handler that came later
    for call in ("'event', 'deposit'", "'getStatus'", "'identify', 'ann'", "'logout'", "'markers', 'clear'",
                 "'optOut', true", "'openPreferences'", "'requestPushPermission'", "'consent', true"):  # fmt: skip
        assert run(page, call)["code"] == "not_initialised", call
    assert len(ours(chromium)) == 1
    return message
