"""The push status that a session reports, with every cause that a page can see."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route

from tests.browser.conftest import SiteFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import CALLS, QUEUE, eventually, init, page_with, run, told
from .fake_api import BRAND, FOREIGN_KEY, KEY, OTHER_KEY, FakeApi

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
AS_IPHONE = (
    "delete window.PushManager; delete window.Notification;"
    f"Object.defineProperty(navigator, 'userAgent', {{get: () => '{IPHONE}'}});"
    "Object.defineProperty(navigator, 'userAgentData', {get: () => undefined});"
)

# `register` answers when everything about the new worker has happened already.
ONCE_FAILED = """(() => {
  const {register} = ServiceWorkerContainer.prototype;
  ServiceWorkerContainer.prototype.register = async function late(...given) {
    const registration = await register.apply(this, given);
    while (registration.installing) await new Promise((done) => setTimeout(done, 20));
    return registration;
  };
})()"""


def session_of(chromium: Chromium, api: FakeApi, url: str) -> dict[str, Any]:
    """Open the page and return the body of its session."""
    before = len(api.named("session"))
    chromium.page.goto(url)
    eventually(chromium.page, lambda: len(api.named("session")) > before, what="the session")
    return api.named("session")[-1].body


def picture(body: dict[str, Any]) -> tuple[str, str, str]:
    return body["push"]["status"], body["push"]["reason"], body["push"]["permission"]


def test_a_first_visit_reports_ask_with_what_the_server_needs_to_know(chromium: Chromium, api: FakeApi, shop: Site):
    body = session_of(chromium, api, shop.url("/?token=private#part"))
    assert picture(body) == ("ask", "", "default")
    assert body["installation"] is None and body["external_id"] is None
    assert body["page"] == {"url": shop.url("/")}
    device = body["device"]
    assert (device["browser"], device["os"], device["form_factor"]) == ("chrome", "linux", "desktop")
    assert (device["language"] == "en-GB" and "/" in device["time_zone"]) or device["time_zone"] == "UTC"
    assert run(chromium.page, "'getStatus'")["status"] == "ask"


def test_the_installation_comes_back_with_its_secret(chromium: Chromium, api: FakeApi, shop: Site):
    session_of(chromium, api, shop.url())
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'")["endUser"], what="the session to be taken")
    body = session_of(chromium, api, shop.url("/other"))
    assert body["installation"] == {
        "id": next(iter(api.installations)),
        "secret": next(iter(api.installations.values())),
    }
    assert len(api.installations) == 1


def test_denied_is_blocked(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.set_permission(shop.origin, "denied")
    assert picture(session_of(chromium, api, shop.url())) == ("blocked", "", "denied")


def test_granted_without_a_subscription_subscribes_silently(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    assert picture(session_of(chromium, api, shop.url())) == ("ask", "subscription_missing", "granted")
    eventually(chromium.page, lambda: api.named("status"), what="the subscription to be reported")
    report = api.named("status")[0].body
    assert (report["cause"], report["push"]["status"]) == ("resubscribe", "allowed")
    assert report["push"]["subscription"]["vapid_key"] == KEY
    again = session_of(chromium, api, shop.url())
    assert picture(again) == ("allowed", "", "granted")
    assert again["push"]["subscription"] == report["push"]["subscription"]


def test_a_lost_subscription_is_made_again_before_the_session_is_told(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    session_of(chromium, api, shop.url())
    eventually(chromium.page, lambda: api.named("status"), what="the subscription")
    chromium.page.evaluate("localStorage.clear()")
    assert picture(session_of(chromium, api, shop.url())) == ("allowed", "", "granted")


def test_granted_but_refused_by_the_browser_is_not_supported(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script(
        "PushManager.prototype.subscribe = async () => { throw new DOMException('push service', 'AbortError') }"
    )
    chromium.set_permission(shop.origin, "granted")
    session_of(chromium, api, shop.url())
    eventually(chromium.page, lambda: api.named("status"), what="the refusal to be reported")
    push = api.named("status")[0].body["push"]
    assert (push["status"], push["reason"], push["subscription"]) == ("not_supported", "subscribe_refused", None)
    assert run(chromium.page, "'getStatus'")["reason"] == "subscribe_refused"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("delete window.PushManager", "no_api"),
        ("delete window.Notification", "no_api"),
        ("delete Navigator.prototype.serviceWorker", "no_api"),
        (AS_IPHONE, "ios_not_installed"),
        (
            "Permissions.prototype.query = async () => "
            "Object.assign(new EventTarget(), {state: 'denied', addEventListener() {}})",
            "contradictory",
        ),
        ("PushManager.prototype.permissionState = async () => 'granted'", "contradictory"),
    ],
)
def test_what_the_browser_cannot_do_is_not_supported_with_its_reason(
    chromium: Chromium, api: FakeApi, shop: Site, script: str, reason: str
):
    chromium.context.add_init_script(script)
    assert picture(session_of(chromium, api, shop.url()))[:2] == ("not_supported", reason)


def test_an_installed_iphone_web_app_has_push(chromium: Chromium, api: FakeApi, shop: Site):
    script = AS_IPHONE.split(";", 2)[2] + "Object.defineProperty(navigator, 'standalone', {get: () => true});"
    chromium.context.add_init_script(script)
    body = session_of(chromium, api, shop.url())
    assert picture(body)[:2] == ("ask", "")
    assert (body["device"]["browser"], body["device"]["os"]) == ("safari", "ios")
    assert body["device"]["form_factor"] == "mobile"


def test_an_insecure_page_is_not_supported_and_still_has_a_session(
    chromium: Chromium, api: FakeApi, static_site: SiteFactory
):
    host = "https://push.test"

    def forward(route: Route) -> None:
        route.fulfill(response=route.fetch(url=route.request.url.replace(host, api.host)))

    chromium.context.route(f"{host}/**", forward)
    given = {"brand": BRAND, "host": host}
    script = f"{QUEUE}{CALLS}smartpush('init', {json.dumps(given)});"
    site = static_site({"/": page_with(api, script).replace(api.host, host)})
    body = session_of(chromium, api, site.insecure_origin + "/")
    assert picture(body) == ("not_supported", "insecure_context", "unsupported")
    assert body["push"]["subscription"] is None
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}


def test_a_worker_that_the_browser_refuses_is_told_to_the_site(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script(
        "ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('no', 'SecurityError'));"
    )
    assert picture(session_of(chromium, api, shop.url()))[:2] == ("not_supported", "worker_failed")
    assert told(chromium.page, "error")[0]["code"] == "service_worker_failed"


def test_a_worker_that_failed_before_the_page_could_listen_is_told_as_such(
    chromium: Chromium, api: FakeApi, shop: Site
):
    failing = "self.oninstall = (event) => event.waitUntil(Promise.reject(new Error('no')));"
    shop.set("/failing.js", f"importScripts('{api.host}/sdk/v1/sw.js'); {failing}")
    shop.set("/", page_with(api, init(api, serviceWorker="/failing.js")))
    chromium.context.add_init_script(ONCE_FAILED)
    assert picture(session_of(chromium, api, shop.url()))[:2] == ("not_supported", "worker_failed")
    (error,) = told(chromium.page, "error")
    assert error["code"] == "service_worker_failed" and "failed to install" in error["message"]


def test_a_new_server_key_moves_our_own_subscription_silently(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    session_of(chromium, api, shop.url())
    eventually(chromium.page, lambda: api.named("status"), what="the subscription")
    first = api.named("status")[0].body["push"]["subscription"]
    api.vapid_key = OTHER_KEY
    assert session_of(chromium, api, shop.url())["push"]["subscription"] == first
    eventually(chromium.page, lambda: len(api.named("status")) == 2, what="the move to be reported")
    moved = api.named("status")[1].body
    assert (moved["cause"], moved["push"]["subscription"]["vapid_key"]) == ("resubscribe", OTHER_KEY)
    assert moved["push"]["subscription"]["endpoint"] != first["endpoint"]


def test_a_dead_subscription_is_replaced_when_the_server_says_so(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    session_of(chromium, api, shop.url())
    eventually(chromium.page, lambda: api.named("status"), what="the subscription")
    dead = api.named("status")[0].body["push"]["subscription"]["endpoint"]
    api.dead_endpoints.add(dead)
    session_of(chromium, api, shop.url())
    eventually(chromium.page, lambda: len(api.named("status")) == 2, what="the replacement")
    assert api.named("status")[1].body["push"]["subscription"]["endpoint"] != dead


def foreign(chromium: Chromium, shop: Site, key: str) -> str:
    """Another service's subscription on the same worker; returns its endpoint."""
    chromium.page.goto(shop.url("/plain"))
    return chromium.page.evaluate(
        f"localStorage.setItem('test-subscription', JSON.stringify({{endpoint: 'https://push.test/f', key: '{key}'}}));"
        "'https://push.test/f'"
    )


def kept_endpoint(chromium: Chromium) -> str:
    return chromium.page.evaluate("JSON.parse(localStorage.getItem('test-subscription')).endpoint")


def test_a_foreign_subscription_is_left_alone_and_said(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    endpoint = foreign(chromium, shop, FOREIGN_KEY)
    for url in (shop.url(), shop.url("/other")):
        session_of(chromium, api, url)
        eventually(
            chromium.page,
            lambda: run(chromium.page, "'getStatus'")["reason"] == "foreign_subscription",
            what="the reason",
        )
        assert kept_endpoint(chromium) == endpoint


def test_a_foreign_subscription_is_taken_over_only_when_asked_for(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    endpoint = foreign(chromium, shop, FOREIGN_KEY)
    shop.set("/taker", page_with(api, init(api, takeOverSubscription=True)))
    session_of(chromium, api, shop.url("/taker"))
    eventually(chromium.page, lambda: api.named("status"), what="the take-over")
    assert api.named("status")[0].body["push"]["subscription"]["vapid_key"] == KEY
    assert kept_endpoint(chromium) != endpoint
    assert any(detail.get("tookOver") for detail in told(chromium.page, "status"))


def test_after_cleared_storage_the_subscription_is_proof_and_stays_ours(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    foreign(chromium, shop, OTHER_KEY)
    body = session_of(chromium, api, shop.url())
    assert body["installation"] is None and body["push"]["subscription"]["vapid_key"] == OTHER_KEY
    eventually(chromium.page, lambda: api.named("status"), what="the move to the active key")
    assert api.named("status")[0].body["push"]["subscription"]["vapid_key"] == KEY


def test_a_permission_taken_away_while_the_page_is_open_is_reported(chromium: Chromium, api: FakeApi, shop: Site):
    session_of(chromium, api, shop.url())
    chromium.set_permission(shop.origin, "denied", names=("push", "notifications"))
    eventually(chromium.page, lambda: api.named("status"), what="the change")
    assert api.named("status")[-1].body["push"]["status"] == "blocked"


def test_an_installation_that_the_server_forgot_is_replaced(chromium: Chromium, api: FakeApi, shop: Site):
    session_of(chromium, api, shop.url())
    run(chromium.page, "'getStatus'")
    api.installations.clear()
    body = session_of(chromium, api, shop.url("/other"))
    assert body["installation"] is None and len(api.installations) == 1


def test_without_indexeddb_the_page_still_has_a_session(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script("Object.defineProperty(window, 'indexedDB', {get() { throw new Error('no') }})")
    session_of(chromium, api, shop.url())
    assert run(chromium.page, "'event', 'deposit', {amount: 20}") == {"queued": False}
