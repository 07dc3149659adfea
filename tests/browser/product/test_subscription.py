"""Subscriptions that end, move and come back, in real Firefox: the back office knows whom a push reaches."""

from django.utils import timezone

from devices.lifecycle.brands import vapid_key_add
from devices.pushservice.server import LocalPushService
from segments.models import Segment
from segments.rules import parse_rules
from segments.selectors.audiences import context_for, matches
from segments.services import segments_make_ready
from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.tab import Tab
from tests.browser.harness.waiting import wait_until

from .shop import SOON, Shop

FORGET_EVERYTHING = """(async () => {
  localStorage.clear();
  for (const {name} of await indexedDB.databases()) {
    const base = await new Promise((done, failed) => {
      const opening = indexedDB.open(name);
      opening.onsuccess = () => done(opening.result);
      opening.onerror = () => failed(opening.error);
    });
    const stores = [...base.objectStoreNames];
    const work = base.transaction(stores, 'readwrite');
    for (const store of stores) work.objectStore(store).clear();
    await new Promise((done, failed) => { work.oncomplete = done; work.onabort = failed; });
    base.close();
  }
})()"""
UNSUBSCRIBE = """navigator.serviceWorker.getRegistrations().then(async ([registration]) => {
  const subscription = await registration.pushManager.getSubscription();
  return subscription.unsubscribe();
})"""


def push_enabled(shop: Shop) -> bool:
    segments_make_ready(brand=shop.brand)
    rules = parse_rules(Segment.objects.get(brand=shop.brand, name="Push enabled").rules)
    context = context_for(rules=rules, brand_id=shop.brand.pk, now=timezone.now())
    return matches(rules=rules, context=context, end_user_id=shop.visitor.pk)


def subscribed(shop: Shop, *, but: str | None = None) -> str:
    """Wait for a live token (another than `but`) and return its endpoint."""

    def endpoint() -> str:
        device = shop.devices().first()
        return "" if device is None or device.endpoint == but else device.endpoint

    return wait_until(endpoint, timeout=SOON, what="the subscription")


def opened(firefox_factory: FirefoxFactory, shop: Shop) -> Tab:
    """The shop in a Firefox whose user allowed notifications before; the SDK subscribes without a question."""
    tab = firefox_factory(prompt="granted").open(shop.url())
    subscribed(shop)
    return tab


def arrives(shop: Shop, desktop: Desktop, title: str) -> None:
    """A push sent now is shown on the desktop."""
    shop.send_test(shop.push(title), shop.visitor)
    desktop.wait_notification(SOON, lambda one: one.summary == title)


def test_a_push_is_shown_with_no_page_open_and_its_click_opens_one(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Shop
):
    tab = opened(firefox_factory, shop)
    tab.firefox.close_tabs()
    delivery = shop.send_test(shop.push("News", click_url=shop.url("/books/news")), shop.visitor)
    shown = desktop.wait_notification(SOON, lambda one: one.summary == "News")
    desktop.click(shown)
    tab.firefox.wait_tab("/books/news", timeout=SOON)

    def reported() -> bool:
        delivery.refresh_from_db()
        return bool(delivery.displayed_at and delivery.clicked_at)

    wait_until(reported, timeout=SOON, what="both reports")
    assert delivery.state == "accepted"


def test_a_revoked_permission_ends_in_410_and_a_dead_token_and_the_status_waits_for_the_next_session(
    firefox_factory: FirefoxFactory, push_service: LocalPushService, desktop: Desktop, shop: Shop
):
    tab = opened(firefox_factory, shop)
    firefox = tab.firefox
    assert push_enabled(shop)
    firefox.close_tabs()
    firefox.set_permission(shop.origin, "denied")
    wait_until(lambda: not push_service.state()["subscriptions"].get("browser"), timeout=SOON, what="the revocation")
    assert shop.device.token_hash and push_enabled(shop)

    delivery = shop.send_test(shop.push("Too late"), shop.visitor)

    def finished() -> bool:
        delivery.refresh_from_db()
        return delivery.finished_at is not None

    wait_until(finished, timeout=SOON, what="the answer of the push service")
    assert (delivery.state, delivery.http_status) == ("gone", 410)
    device, visitor = shop.device, shop.visitor
    assert (device.token_hash, device.endpoint, device.unreachable_reason) == (None, "", "gone")
    assert not push_enabled(shop)
    assert (shop.status(visitor), visitor.last_session_status) == ("allowed", "allowed")

    firefox.open(shop.url())
    wait_until(lambda: shop.visitor.last_session_status == "blocked", timeout=SOON, what="the next session's report")
    assert shop.status(visitor) == "blocked" and desktop.history == []


def test_a_rotated_server_key_moves_the_subscription_at_the_next_page_without_a_question(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Shop
):
    tab = opened(firefox_factory, shop)
    before = shop.device
    key = vapid_key_add(brand=shop.brand)
    tab.goto(shop.url("/books/gulls"))
    subscribed(shop, but=before.endpoint)
    after = shop.device
    assert (after.pk, after.vapid_key_id) == (before.pk, key.pk)
    arrives(shop, desktop, "Under the new key")


def test_a_subscription_that_vanished_is_renewed_at_the_next_page_without_a_question(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Shop
):
    tab = opened(firefox_factory, shop)
    before = shop.device
    assert tab.evaluate(UNSUBSCRIBE) is True
    tab.goto(shop.url("/books/gulls"))
    subscribed(shop, but=before.endpoint)
    assert shop.device.pk == before.pk and shop.status(shop.visitor) == "allowed"
    arrives(shop, desktop, "Still here")


def test_a_browser_that_lost_its_storage_is_the_same_device_while_its_subscription_lives(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Shop
):
    tab = opened(firefox_factory, shop)
    before, visitor = shop.device, shop.visitor
    tab.goto(shop.url("/icon.svg"))
    tab.evaluate(FORGET_EVERYTHING)
    sessions = shop.sessions()
    tab.goto(shop.url())
    wait_until(lambda: shop.sessions() > sessions, timeout=SOON, what="the next session")
    assert tab.evaluate("smartpush('getStatus').then(({status}) => status)") == "allowed"
    after = shop.device
    assert (after.pk, after.endpoint, after.session_end_user_id) == (before.pk, before.endpoint, visitor.pk)
    assert after.secret_hash != before.secret_hash
    arrives(shop, desktop, "Same device")
