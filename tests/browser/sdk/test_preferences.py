"""What the end user wishes, by calls of the page: the opt-out and the hosted preference page."""

from playwright.sync_api import expect

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import eventually, run, told
from .fake_api import FakeApi

# Keeps the windows that the page opens: one that closes at once is gone before Playwright hears of it.
OPENED = """(() => {
  const {open} = window;
  window.opened = [];
  window.open = (...given) => { const made = open.apply(window, given); opened.push(made); return made; };
})()"""


def ready(chromium: Chromium, shop: Site) -> None:
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'").get("endUser"), what="the session")


def test_opting_out_and_in_is_told_to_the_server_and_seen_in_the_status(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    page = chromium.page
    assert run(page, "'getStatus'")["optedOut"] is False
    assert run(page, "'optOut', true") == {"optedOut": True} and api.opted_out
    assert told(page, "status")[-1]["optedOut"] is True
    assert run(page, "'logout'")["optedOut"] is None
    # The preference page, or staff, may have changed it since.
    api.opted_out = False
    assert run(page, "'getStatus'")["optedOut"] is False
    api.fail("preferences", 503, "server_busy")
    assert run(page, "'optOut', true")["code"] == "server_busy"


def test_the_preference_page_opens_in_a_window_of_the_click(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    page = chromium.page
    page.evaluate("ask.onclick = () => { smartpush('openPreferences').catch(({code}) => { window.failed = code; }); }")
    page.evaluate(OPENED)
    page.click("#ask")
    opened = chromium.wait_page(f"{api.host}/p/token-1")
    assert opened.evaluate("window.opener") is None
    opened.close()

    api.fail("preferences/link", 429, "rate_limited")
    page.click("#ask")
    eventually(page, lambda: page.evaluate("window.failed") == "rate_limited", what="the failure")
    eventually(page, lambda: page.evaluate("opened.length === 2 && opened[1].closed"), what="the empty window to close")


def test_where_windows_are_blocked_the_preference_page_opens_here(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script("window.open = () => null")
    ready(chromium, shop)
    chromium.page.evaluate("smartpush('openPreferences')")
    expect(chromium.page).to_have_url(f"{api.host}/p/token-1")
