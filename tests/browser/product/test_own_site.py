"""A customer's own site in real Firefox: consent first, a service worker that was there before, a strict policy."""

from collections.abc import Callable, Iterator

import pytest
from pywebpush import webpush

from devices.models import ConsentRecord, Device, EndUser, Event
from smartpush.common.crypto import decrypt
from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.sites import Page, Site
from tests.browser.harness.tab import Tab
from tests.browser.harness.waiting import wait_until

from .running import Product
from .shop import CARD, PRIMARY, SOON, Shop

QUEUE = "window.smartpush = window.smartpush || function(){(smartpush.q = smartpush.q || []).push(arguments)};"
NONCE = "r4nd0m"
FOREIGN = """
self.addEventListener('push', (event) => {
  const text = event.data ? event.data.text() : '';
  event.waitUntil(self.registration.showNotification('Theirs: ' + text));
});
"""
STORED = """(async () => ({
  databases: (await indexedDB.databases()).map(({name}) => name),
  workers: (await navigator.serviceWorker.getRegistrations()).length,
  local: localStorage.length, session: sessionStorage.length, cookies: document.cookie,
}))()"""
REQUESTS = "performance.getEntriesByType('resource').map(({name}) => name).filter((name) => name.startsWith('%s'))"
NOTHING = {"databases": [], "workers": 0, "local": 0, "session": 0, "cookies": ""}

SiteFactory = Callable[..., Site]


@pytest.fixture
def own_site(product: Product, shop: Shop) -> Iterator[SiteFactory]:
    """The shop's brand on a second origin, with pages of the test's own."""
    started: list[Site] = []

    def start(*, script: str, worker: str = "", policy: str = "") -> Site:
        port = product.site_ports[1]
        shop.brand.apps.create(name="Second site", origin=f"http://127.0.0.1:{port}")
        html = (
            f"<!doctype html><html lang=en><title>Own site</title><body><h1>Own site</h1>"
            f"<script nonce={NONCE}>window.refused = []; document.addEventListener('securitypolicyviolation',"
            f" (one) => refused.push(one.violatedDirective + ' ' + one.blockedURI)); {QUEUE} {script}</script>"
            f"<script nonce={NONCE} src='{product.url}/sdk/v1/smartpush.js' async></script>"
        )
        headers = {"Content-Security-Policy": policy} if policy else {}
        pages = {"/": Page(html, headers), "/sw.js": Page(worker, {"Content-Type": "text/javascript"})}
        started.append(Site(pages, port=port))
        return started[-1]

    yield start
    for site in started:
        site.close()


def init(product: Product, shop: Shop, options: str = "") -> str:
    return f"smartpush('init', {{brand: '{shop.brand.public_key}', host: '{product.url}', {options}}});"


def loaded(tab: Tab) -> None:
    """The SDK's script has run: a call answers with a promise."""
    tab.wait("typeof smartpush('debug', false)?.then === 'function'", timeout=SOON)


def test_without_consent_no_request_leaves_and_nothing_is_stored_until_it_is_given_and_again_once_withdrawn(
    firefox_factory: FirefoxFactory, product: Product, shop: Shop, own_site: SiteFactory
):
    worker = f"importScripts('{product.url}/sdk/v1/sw.js');"
    calls = "smartpush('identify', 'ann'); smartpush('event', 'deposit', {amount: 20});"
    script = init(product, shop, "serviceWorker: '/sw.js', requireConsent: true") + calls
    site = own_site(script=script, worker=worker)
    tab = firefox_factory(prompt="granted").open(site.url())
    loaded(tab)
    tab.evaluate("void smartpush('action', 'looked-around')")
    tab.evaluate("void smartpush('markers', 'add', ['CURIOUS'])")
    assert tab.evaluate(STORED) == NOTHING
    assert tab.evaluate(REQUESTS % product.url) == [f"{product.url}/sdk/v1/smartpush.js"]
    assert not EndUser.objects.filter(brand=shop.brand).exists()

    tab.evaluate("smartpush('consent', true)")
    wait_until(
        Event.objects.filter(brand=shop.brand, name="deposit").exists, timeout=SOON, what="the event that had waited"
    )
    wait_until(
        Device.objects.filter(brand=shop.brand, token_hash__isnull=False).exists, timeout=SOON, what="the subscription"
    )
    (given,) = ConsentRecord.objects.filter(brand=shop.brand, subject="tracking")
    assert (given.answer, given.origin, given.end_user_id) == ("given", site.origin, shop.user("ann").pk)
    # The visit itself began with the consent, not before it.
    assert given.at <= Event.objects.filter(brand=shop.brand).earliest("recorded_at").recorded_at

    tab.evaluate("smartpush('consent', false)")
    answers = ConsentRecord.objects.filter(brand=shop.brand, subject="tracking").order_by("pk")
    assert [one.answer for one in answers] == ["given", "withdrawn"]
    assert not Device.objects.filter(brand=shop.brand, token_hash__isnull=False).exists()
    sessions = shop.sessions()
    tab.reload()
    loaded(tab)
    tab.evaluate("void smartpush('event', 'deposit', {amount: 1})")
    assert tab.evaluate(STORED)["databases"] == []
    assert tab.evaluate(REQUESTS % product.url) == [f"{product.url}/sdk/v1/smartpush.js"]
    assert shop.sessions() == sessions


def test_in_a_sites_own_worker_each_push_is_shown_once_by_whom_it_belongs_to(
    firefox_factory: FirefoxFactory, product: Product, shop: Shop, own_site: SiteFactory, desktop: Desktop
):
    worker = f"importScripts('{product.url}/sdk/v1/sw.js');{FOREIGN}"
    site = own_site(script=init(product, shop, "serviceWorker: '/sw.js'"), worker=worker)
    tab = firefox_factory(prompt="granted").open(site.url())
    wait_until(
        Device.objects.filter(brand=shop.brand, token_hash__isnull=False).exists, timeout=SOON, what="the subscription"
    )
    subscription = tab.evaluate(
        "navigator.serviceWorker.ready.then((one) => one.pushManager.getSubscription()).then((one) => one.toJSON())"
    )
    key = shop.brand.vapid_keys.get(active=True)
    webpush(
        {"endpoint": subscription["endpoint"], "keys": subscription["keys"]},
        "hello",
        vapid_private_key=decrypt(key.private_key_encrypted),
        vapid_claims={"sub": "mailto:them@example.com"},
        ttl=60,
    )
    desktop.wait_notification(SOON, lambda one: one.summary == "Theirs: hello")
    shop.send_test(shop.push("Ours"), shop.visitor)
    desktop.wait_notification(SOON, lambda one: one.summary == "Ours")
    assert [one.summary for one in desktop.history] == ["Theirs: hello", "Ours"]


def test_under_a_strict_policy_the_popup_is_drawn_and_answered_without_a_violation(
    firefox_factory: FirefoxFactory, product: Product, shop: Shop, own_site: SiteFactory
):
    shop.ready_flow()
    policy = (
        f"default-src 'none'; script-src 'nonce-{NONCE}' {product.url}; connect-src {product.url}; worker-src 'self';"
        f" img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )
    worker = f"importScripts('{product.url}/sdk/v1/sw.js');"
    site = own_site(script=init(product, shop, "serviceWorker: '/sw.js'"), worker=worker, policy=policy)
    tab = firefox_factory().open(site.url())
    tab.call(CARD, "(card) => card.getBoundingClientRect().width", timeout=SOON)
    drawn = tab.call(CARD, "(card) => getComputedStyle(card).borderTopLeftRadius")
    tab.click(PRIMARY, timeout=SOON)
    tab.firefox.answer_permission("allow", timeout=SOON)
    wait_until(lambda: shop.offers()[0].state == "allowed", timeout=SOON, what="the answer")
    assert drawn == "16px" and tab.evaluate("window.refused") == []
