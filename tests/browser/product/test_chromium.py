"""The product in stock Chromium: what its popup looks like, the states that end in no popup, its notifications."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from devices.models import App
from devices.pushservice.server import LocalPushService
from tests.browser.conftest import ChromiumFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.sites import INSECURE_HOST
from tests.browser.harness.waiting import POLL_SECONDS, wait_until
from tests.support.sending import Channel

from .running import Product
from .shop import LANDING, SOON, Shop

SCREENS = Path(__file__).resolve().parents[3] / "var" / "screens"
PUBLIC = "https://push.test"
POPUP = "smartpush-popup .card"
STATUS = "smartpush('getStatus').then(({status, reason}) => [status, reason])"


def eventually(page: Page, probe: Callable[[], Any], *, what: str) -> Any:
    """`wait_until` that lets Playwright's own events through while it waits."""

    def look() -> Any:
        page.wait_for_timeout(POLL_SECONDS * 1000)
        return probe()

    return wait_until(look, timeout=SOON, what=what)


WORKER_STATE = "navigator.serviceWorker.getRegistration('/push/').then((one) => one?.active?.state)"


def opened(chromium: Chromium, url: str) -> Page:
    """A page whose SDK has loaded and has its session."""
    page = chromium.page
    page.goto(url)
    page.wait_for_function("window.smartpush && !smartpush.q", timeout=SOON * 1000)
    return page


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_published_popup_fits_the_screen_and_leaves_the_page_usable(
    chromium_factory: ChromiumFactory, shop: Shop, size: str
):
    shop.ready_flow()
    chromium = chromium_factory(size=size)
    page = chromium.page
    page.goto(shop.url())
    page.wait_for_selector(POPUP, timeout=SOON * 1000)
    page.wait_for_function(
        "document.querySelector('smartpush-popup').shadowRoot.querySelector('.card').getAnimations()"
        ".every((one) => one.playState === 'finished')"
    )
    SCREENS.mkdir(parents=True, exist_ok=True)
    chromium.screenshot(SCREENS / f"product-popup-{size}.png")
    box, screen = page.locator(POPUP).bounding_box(), page.viewport_size
    assert box is not None and screen is not None
    assert box["x"] >= 0 and box["x"] + box["width"] <= screen["width"] and box["y"] >= 0
    assert box["height"] < screen["height"] / 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#lobby")
    page.click("smartpush-popup .later")
    eventually(page, lambda: shop.offers()[0].state == "later", what="the answer")


def test_a_visitor_who_denied_before_is_blocked_and_not_asked(chromium: Chromium, shop: Shop):
    campaign = shop.ready_flow()
    chromium.set_permission(shop.origin, "denied")
    page = opened(chromium, shop.url())
    assert page.evaluate(STATUS) == ["blocked", ""]
    assert (shop.status(shop.visitor), shop.visitor.last_session_status) == ("blocked", "blocked")
    assert shop.counts(campaign).totals.entered == 0 and shop.offers() == []


def test_an_insecure_page_is_not_supported_and_not_asked(chromium: Chromium, product: Product, shop: Shop):
    # An insecure page may use the SDK of an https server only: that address is the product's here.
    def forward(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace(PUBLIC, product.url)))

    def rewrite(route: Route) -> None:
        answer = route.fetch(url=shop.url())
        route.fulfill(response=answer, body=answer.text().replace(product.url, PUBLIC))

    campaign = shop.ready_flow()
    insecure = shop.origin.replace("127.0.0.1", INSECURE_HOST)
    App.objects.create(brand=shop.brand, kind=App.Kind.WEB, name="Without TLS", origin=insecure)
    chromium.context.route(f"{PUBLIC}/**", forward)
    chromium.context.route(f"{insecure}/", rewrite)
    page = opened(chromium, f"{insecure}/")
    assert page.evaluate(STATUS) == ["not_supported", "insecure_context"]
    assert (shop.status(shop.visitor), shop.visitor.last_session_status) == ("not_supported", "not_supported")
    assert shop.counts(campaign).totals.entered == 0 and shop.offers() == []


def test_a_browser_without_push_is_not_supported_and_not_asked(chromium: Chromium, shop: Shop):
    campaign = shop.ready_flow()
    chromium.context.add_init_script("delete window.PushManager")
    page = opened(chromium, shop.url())
    assert page.evaluate(STATUS) == ["not_supported", "no_api"]
    assert shop.status(shop.visitor) == "not_supported"
    assert shop.counts(campaign).totals.entered == 0 and shop.offers() == []


def test_the_message_is_what_the_marketer_wrote_and_its_button_opens_its_page_and_is_counted(
    chromium: Chromium, push_service: LocalPushService, desktop: Desktop, shop: Shop
):
    channel = Channel(shop.brand, push_service)
    channel.subscriber("ann", first_name="Ann")
    revision = shop.push(
        "New in",
        title="New in, {{ user.first_name | default: 'reader' }}",
        message="Four books came in on Monday’s boat. Διαβάστε.",
        buttons=(("Show me", "/books/new"), ("Later", "/books/later")),
    )
    delivery = shop.send_test(revision, shop.user("ann"))
    page = opened(chromium, shop.url())
    eventually(page, lambda: channel.received("ann"), what="the message")
    (payload,) = channel.received("ann")
    assert payload["title"] == "New in, Ann"
    assert payload["body"] == "Four books came in on Monday’s boat. Διαβάστε."
    assert payload["url"] == shop.url(LANDING)
    assert [(one["title"], one["url"]) for one in payload["actions"]] == [
        ("Show me", shop.url("/books/new")),
        ("Later", shop.url("/books/later")),
    ]

    chromium.set_permission(shop.origin, "granted")
    eventually(page, lambda: page.evaluate(WORKER_STATE) == "activated", what="the service worker")
    chromium.hand_over(json.dumps({"smartpush": payload}), url_part="smartpush-sw.js")
    shown = desktop.wait_notification(SOON, lambda one: one.summary == "New in, Ann")
    assert "Monday’s boat" in shown.body
    desktop.click(shown, "Show me")
    chromium.wait_page(shop.url("/books/new"), timeout=SOON)

    def reported() -> bool:
        delivery.refresh_from_db()
        return bool(delivery.displayed_at and delivery.clicked_at)

    eventually(page, reported, what="both reports")
    assert delivery.clicked_action == payload["actions"][0]["action"]
