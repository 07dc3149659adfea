"""Consent: nothing leaves the page and nothing is kept before it, and nothing stays after its withdrawal."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page as BrowserPage

from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site
from tests.browser.harness.waiting import wait_until

from .conftest import eventually, init, page_with, run, told
from .fake_api import FakeApi

# Everything that a page can keep in a browser.
KEPT = """(async () => ({
  databases: (await indexedDB.databases()).map((one) => one.name),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  local: Object.keys(localStorage).filter((name) => name !== 'test-subscription'),
  session: Object.keys(sessionStorage),
  caches: await caches.keys(),
  cookies: document.cookie,
}))()"""
NOTHING: dict[str, Any] = {"databases": [], "workers": 0, "local": [], "session": [], "caches": [], "cookies": ""}


def withheld(api: FakeApi, more: str = "") -> str:
    """A page that asks for consent first."""
    return page_with(api, init(api, requireConsent=True, language="el") + more)


def settled(page: BrowserPage) -> None:
    """Wait until the SDK has read what it knows: `init` has answered, and so has everything that it began."""
    page.evaluate("window.begun")
    page.wait_for_load_state("networkidle")


@pytest.fixture
def asking(shop: Site, api: FakeApi) -> Site:
    """The shop, whose front page withholds consent and calls this and that at once."""
    calls = "smartpush('identify', 'ann'); smartpush('event', 'deposit', {amount: 20});"
    begun = (
        "window.begun = new Promise((done) => addEventListener('load', () => smartpush('debug', false).then(done)));"
    )
    shop.set("/", withheld(api, calls + begun))
    return shop


def test_before_consent_no_request_leaves_and_nothing_is_stored_then_what_waited_is_sent(
    chromium: Chromium, api: FakeApi, asking: Site
):
    page = chromium.page
    page.goto(asking.url())
    settled(page)
    page.evaluate(
        "dispatchEvent(new Event('online')); dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}));"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    assert run(page, "'requestPushPermission'")["code"] == "consent_required"
    assert run(page, "'openPreferences'")["code"] == "consent_required"
    assert run(page, "'consent', 'yes'")["code"] == "invalid_argument"
    settled(page)
    assert page.evaluate(KEPT) == NOTHING
    assert api.calls == []

    assert run(page, "'consent', true") is None
    eventually(page, lambda: api.events, what="the event that waited")
    (session,) = api.named("session")
    assert session.body["external_id"] == "ann"
    proof = session.body["consent"]
    assert (proof["answer"], proof["language"], proof["at"][-1]) == ("given", "el", "Z")
    assert page.evaluate(KEPT)["databases"] == ["smartpush"]


def test_given_consent_is_remembered_and_told_once(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set("/", withheld(api, "smartpush('consent', true);"))
    shop.set("/later", withheld(api))
    page = chromium.page
    page.goto(shop.url())
    eventually(page, lambda: run(page, "'getStatus'")["endUser"], what="the session")
    page.goto(shop.url("/later"))
    eventually(page, lambda: len(api.named("session")) == 2, what="the second session")
    assert run(page, "'consent', true") is None
    assert [one["answer"] for one in api.consents] == ["given"]
    assert not api.named("consents")


def test_refused_consent_forgets_what_waited(chromium: Chromium, api: FakeApi, asking: Site):
    page = chromium.page
    page.goto(asking.url())
    settled(page)
    page.evaluate("window.told_event = smartpush('event', 'second'); null")
    run(page, "'consent', false")
    assert page.evaluate("told_event.catch(({code}) => code)") == "consent_required"
    assert page.evaluate(KEPT) == NOTHING and api.calls == []
    run(page, "'consent', true")
    eventually(page, lambda: api.named("session"), what="the session")
    assert run(page, "'event', 'next'") == {"queued": False}
    assert [one["name"] for one in api.events.values()] == ["next"]
    assert api.named("session")[0].body["external_id"] is None


def test_withdrawal_tells_the_server_and_leaves_nothing_behind_in_any_tab(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    shop.set("/", withheld(api))
    page, other = chromium.page, chromium.context.new_page()
    page.goto(shop.url())
    run(page, "'consent', true")
    eventually(page, lambda: api.named("status"), what="the subscription")
    other.goto(shop.url())
    eventually(other, lambda: run(other, "'getStatus'").get("status") == "allowed", what="the other tab's session")
    api.offer(primary={"kind": "click", "url": ""})
    run(page, "'event', 'deposit'")
    page.wait_for_selector("smartpush-popup")

    assert run(page, "'consent', false") is None
    assert [one["answer"] for one in api.consents] == ["given", "withdrawn"]
    assert page.evaluate(KEPT)["databases"] == []
    assert page.evaluate("localStorage.getItem('test-subscription')") is None
    assert page.locator("smartpush-popup").count() == 0
    # Whose worker file it is, and what else lives on its registration, we cannot know.
    assert page.evaluate(KEPT)["workers"] == 1
    before = len(api.calls)
    for one in (page, other):
        one.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        one.evaluate("window.waits = smartpush('event', 'deposit'); null")
    settled(page)
    assert len(api.calls) == before and page.evaluate(KEPT)["databases"] == []
    page.reload()
    settled(page)
    assert len(api.calls) == before and page.evaluate(KEPT)["databases"] == []


def test_withdrawal_leaves_another_services_subscription_alone(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    page = chromium.page
    page.goto(shop.url())
    eventually(page, lambda: run(page, "'getStatus'")["endUser"], what="the session")
    theirs = {"endpoint": "https://push.test/theirs", "key": "AQID"}
    page.evaluate("(theirs) => localStorage.setItem('test-subscription', JSON.stringify(theirs))", theirs)
    run(page, "'consent', false")
    assert json.loads(page.evaluate("localStorage.getItem('test-subscription')")) == theirs
    assert [one["answer"] for one in api.consents] == ["withdrawn"]


def test_consent_on_a_page_that_never_asked_for_it_is_recorded(chromium: Chromium, api: FakeApi, shop: Site):
    page = chromium.page
    page.goto(shop.url())
    eventually(page, lambda: run(page, "'getStatus'")["endUser"], what="the session")
    assert run(page, "'consent', true") is None and run(page, "'consent', true") is None
    assert [one["answer"] for one in api.consents] == ["given"]
    assert len(api.named("consents")) == 1
    page.evaluate("smartpush('consent', false); smartpush('consent', true)")
    eventually(page, lambda: len(api.installations) == 2, what="a new beginning")
    assert run(page, "'event', 'deposit'") == {"queued": False}
    assert [one["answer"] for one in api.consents] == ["given", "withdrawn", "given"]


def test_a_withdrawal_that_does_not_arrive_still_cleans_up_and_says_so(chromium: Chromium, api: FakeApi, shop: Site):
    page = chromium.page
    page.goto(shop.url())
    eventually(page, lambda: run(page, "'getStatus'")["endUser"], what="the session")
    api.fail("consents", 503, "server_busy")
    assert run(page, "'consent', false")["code"] == "server_busy"
    assert page.evaluate(KEPT)["databases"] == []
    assert told(page, "error")[-1]["code"] == "server_busy"


def test_firefox_stores_nothing_before_consent_either(firefox_factory: FirefoxFactory, api: FakeApi, asking: Site):
    tab = firefox_factory().open(asking.url())
    tab.evaluate("window.begun")
    assert tab.evaluate(KEPT) == NOTHING and api.calls == []
    tab.evaluate("smartpush('consent', true)")
    wait_until(lambda: api.events, what="the event that waited")
    tab.evaluate("smartpush('consent', false)")
    assert tab.evaluate(KEPT)["databases"] == []
    assert [one["answer"] for one in api.consents] == ["given", "withdrawn"]
