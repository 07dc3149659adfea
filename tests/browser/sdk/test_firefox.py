"""The whole path in real Firefox: the real question, a real subscription, a real push, a real click."""

import json

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid
from pywebpush import webpush

from devices.pushservice.server import LocalPushService
from devices.pushservice.subscribers import b64url_encode
from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.firefox import Firefox
from tests.browser.harness.sites import Site
from tests.browser.harness.waiting import PATIENCE_SECONDS, wait_until

from .fake_api import Call, FakeApi

CARD, PRIMARY = "smartpush-popup >>> .card", "smartpush-popup >>> .primary"


def signing(api: FakeApi) -> Vapid:
    """Give the server a key pair of its own and return it."""
    vapid = Vapid()
    vapid.generate_keys()
    api.vapid_key = b64url_encode(vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    api.own_keys.add(api.vapid_key)
    return vapid


def send(vapid: Vapid, call: Call, api: FakeApi, **fields: str) -> None:
    """Send one of our pushes to the subscription that a call reported."""
    told = call.body["push"]["subscription"]
    report = {"url": f"{api.host}/api/v1/sdk/reports", "token": "secret-token"}
    payload = {"smartpush": {"v": 1, "id": "de_1", "title": "Welcome", "body": "", "report": report, **fields}}
    webpush(
        {"endpoint": told["endpoint"], "keys": {"p256dh": told["p256dh"], "auth": told["auth"]}},
        json.dumps(payload),
        vapid_private_key=vapid,
        vapid_claims={"sub": "mailto:tests@shop.example"},
        ttl=60,
        timeout=PATIENCE_SECONDS,
    )


def test_subscribing_in_the_popup_leads_to_a_push_that_is_shown_clicked_and_reported(
    firefox: Firefox, desktop: Desktop, api: FakeApi, shop: Site
):
    vapid = signing(api)
    offer = api.offer()
    tab = firefox.open(shop.url())
    tab.click(PRIMARY)
    firefox.answer_permission("allow")
    (call,) = wait_until(lambda: api.named("popups/outcome"), what="the outcome")
    assert (call.body["offer"], call.body["outcome"], call.body["device"]["browser"]) == (offer, "allowed", "firefox")

    send(vapid, call, api, url=shop.url("/plain"))
    shown = desktop.wait_notification(predicate=lambda one: one.summary == "Welcome")
    wait_until(lambda: api.reports, what="the first report")
    desktop.click(shown)

    firefox.wait_tab("/plain")
    wait_until(lambda: len(api.reports) == 2, what="both reports")
    assert [report["kind"] for report in api.reports] == ["displayed", "clicked"]


def test_blocking_the_question_is_reported(firefox: Firefox, api: FakeApi, shop: Site):
    api.offer()
    tab = firefox.open(shop.url())
    tab.click(PRIMARY)
    firefox.answer_permission("block")
    (call,) = wait_until(lambda: api.named("popups/outcome"), what="the outcome")
    assert (call.body["outcome"], call.body["push"]["status"]) == ("blocked", "blocked")


def test_a_question_waved_away_is_a_dismissal(firefox: Firefox, api: FakeApi, shop: Site):
    api.offer()
    tab = firefox.open(shop.url())
    tab.click(PRIMARY)
    firefox.answer_permission("dismiss")
    tab.goto(shop.url("/plain"))
    (call,) = wait_until(lambda: api.named("popups/outcome"), what="the outcome")
    assert (call.body["outcome"], call.body["push"]["status"]) == ("dismissed", "ask")


def test_a_new_server_key_moves_the_subscription_and_pushes_still_arrive(
    firefox_factory: FirefoxFactory, desktop: Desktop, api: FakeApi, shop: Site
):
    signing(api)
    firefox = firefox_factory(prompt="granted")
    tab = firefox.open(shop.url())
    (first,) = wait_until(lambda: api.named("status"), what="the subscription")
    vapid = signing(api)
    tab.reload()
    wait_until(lambda: len(api.named("status")) == 2, what="the move")
    moved = api.named("status")[1]
    assert moved.body["push"]["subscription"]["vapid_key"] == api.vapid_key
    assert moved.body["push"]["subscription"]["endpoint"] != first.body["push"]["subscription"]["endpoint"]
    send(vapid, moved, api)
    desktop.wait_notification(predicate=lambda one: one.summary == "Welcome")


def test_a_push_service_that_forgets_the_browser_leads_to_a_new_subscription(
    firefox_factory: FirefoxFactory, push_service: LocalPushService, desktop: Desktop, api: FakeApi, shop: Site
):
    vapid = signing(api)
    firefox = firefox_factory(prompt="granted")
    firefox.open(shop.url())
    (first,) = wait_until(lambda: api.named("status"), what="the subscription")
    firefox.stop()
    push_service.reset()
    firefox.start()
    (changed,) = wait_until(lambda: api.named("worker/subscription"), what="pushsubscriptionchange")
    assert changed.body["installation"]["id"] in api.installations
    assert changed.body["push"]["subscription"]["endpoint"] != first.body["push"]["subscription"]["endpoint"]
    send(vapid, changed, api)
    desktop.wait_notification(predicate=lambda one: one.summary == "Welcome")


def test_a_push_with_no_page_open_is_shown_and_reported(
    firefox_factory: FirefoxFactory, desktop: Desktop, api: FakeApi, shop: Site
):
    vapid = signing(api)
    firefox = firefox_factory(prompt="granted")
    firefox.open(shop.url())
    (call,) = wait_until(lambda: api.named("status"), what="the subscription")
    firefox.close_tabs()
    send(vapid, call, api)
    desktop.wait_notification(predicate=lambda one: one.summary == "Welcome")
    wait_until(lambda: api.reports, what="the report")
