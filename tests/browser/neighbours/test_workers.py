"""Imported into a worker that a site has already: ours shows once, theirs is theirs, none is in the other's way."""

import hashlib
import json
import socket
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid
from pywebpush import webpush

from devices.pushservice.subscribers import b64url_encode
from smartpush.machine.bootstrap.node import Node
from tests.browser.conftest import FirefoxFactory, SiteFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.waiting import PATIENCE_SECONDS, wait_until
from tests.browser.sdk.conftest import init, page_with
from tests.browser.sdk.fake_api import Call, FakeApi
from tests.npm.installing import esbuild
from tests.support.node import MODULES

from .conftest import arrive, eventually, ours

LANDING = "<!doctype html><title>Landing</title>"
# A handler of the careless kind: it shows whatever comes, and it trusts that every notification is its own.
CARELESS = """
self.heard = [];
self.addEventListener('push', (event) => {
  heard.push('push');
  const {title = 'Something new'} = event.data.json().theirs || {};
  event.waitUntil(self.registration.showNotification(title, {data: {theirs: {path: '/landing?theirs'}}}));
});
self.addEventListener('notificationclick', (event) => {
  heard.push('click');
  event.notification.close();
  event.waitUntil(clients.openWindow(event.notification.data.theirs.path));
});
self.addEventListener('notificationclose', (event) => heard.push('close ' + event.notification.data.theirs.path));
"""


def angular_manifest(front: str) -> str:
    """ngsw.json as Angular's build writes it, for one page."""
    group = {"name": "app", "installMode": "prefetch", "updateMode": "prefetch", "urls": ["/"], "patterns": []}
    return json.dumps(
        {
            "configVersion": 1,
            "timestamp": 1,
            "index": "/",
            "assetGroups": [{**group, "cacheQueryOptions": {"ignoreVary": True}}],
            "dataGroups": [],
            "hashTable": {"/": hashlib.sha1(front.encode()).hexdigest()},
            "navigationUrls": [],
            "navigationRequestStrategy": "performance",
        }
    )


@pytest.mark.parametrize("order", ["ours first", "theirs first"])
def test_beside_angulars_worker(
    chromium: Chromium, api: FakeApi, static_site: SiteFactory, desktop: Desktop, order: str
):
    front = page_with(api, init(api, serviceWorker="/worker.js"))
    lines = [f"importScripts('{api.host}/sdk/v1/sw.js');", "importScripts('/ngsw-worker.js');"]
    site = static_site(
        {
            "/": front,
            "/landing": LANDING,
            "/worker.js": "\n".join(lines if order == "ours first" else reversed(lines)),
            "/ngsw-worker.js": (MODULES / "@angular" / "service-worker" / "ngsw-worker.js").read_text(),
            "/ngsw.json": angular_manifest(front),
        }
    )
    arrive(chromium, site)
    page = chromium.page
    # Angular's worker is the real one at work: it answers its own address and serves the page from its cache.
    page.reload()
    eventually(page, lambda: page.evaluate("!!navigator.serviceWorker.controller"), what="Angular's worker")
    assert "Driver state: NORMAL" in page.evaluate("fetch('/ngsw/state').then((answer) => answer.text())")

    page.evaluate(
        "window.angular = [];"
        "navigator.serviceWorker.addEventListener('message', ({data}) => data.type && angular.push(data.type))"
    )

    chromium.deliver_push(page, ours(api, url=site.url("/landing?ours"), body="Once"))
    mine = desktop.wait_notification(predicate=lambda one: one.summary == "Ours")
    opening = {"default": {"operation": "openWindow", "url": "/landing?theirs"}}
    theirs = {"notification": {"title": "Theirs", "body": "Once", "data": {"onActionClick": opening}}}
    chromium.deliver_push(page, json.dumps(theirs))
    their = desktop.wait_notification(predicate=lambda one: one.summary == "Theirs")
    assert [one.summary for one in desktop.history] == ["Ours", "Theirs"]
    eventually(page, lambda: api.reports, what="the first report")

    for shown, path in ((mine, "/landing?ours"), (their, "/landing?theirs")):
        desktop.click(shown)
        chromium.wait_page(site.url(path)).close()
    eventually(page, lambda: len(api.reports) >= 2, what="our reports")
    assert [report["kind"] for report in api.reports] == ["displayed", "clicked"]
    # Imported first, ours keeps its messages to itself; imported last, Angular tells its own pages of them and no more.
    told = ["PUSH", "NOTIFICATION_CLICK"] * (1 if order == "ours first" else 2)
    assert sorted(what for what in page.evaluate("angular") if what != "NOTIFICATION_CLOSE") == sorted(told)


def test_bundled_with_workbox_and_a_careless_push_handler(
    chromium: Chromium, api: FakeApi, static_site: SiteFactory, desktop: Desktop, site_with_package: tuple[Path, Node]
):
    folder, node = site_with_package
    worker = folder / "workbox.js"
    worker.write_text(
        "import 'smartpush-web/sw.js';\n"
        f"import {{precacheAndRoute}} from '{MODULES}/workbox-precaching';\n"
        f"import {{registerRoute}} from '{MODULES}/workbox-routing';\n"
        f"import {{CacheFirst}} from '{MODULES}/workbox-strategies';\n"
        "self.skipWaiting();\n"
        "self.addEventListener('activate', (event) => event.waitUntil(clients.claim()));\n"
        "precacheAndRoute([{url: '/offline.html', revision: '1'}]);\n"
        "registerRoute(({url}) => url.pathname === '/picture.svg', new CacheFirst());\n" + CARELESS
    )
    define = "--define:process.env.NODE_ENV='production'"
    esbuild(node, worker.name, "--outfile=workbox.out.js", "--format=iife", "--minify", define, cwd=folder)
    site = static_site(
        {
            "/": page_with(api, init(api, serviceWorker="/worker.js")),
            "/landing": LANDING,
            "/offline.html": LANDING,
            "/picture.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "/worker.js": (folder / "workbox.out.js").read_text(),
        }
    )
    arrive(chromium, site)
    page = chromium.page
    eventually(page, lambda: page.evaluate("!!navigator.serviceWorker.controller"), what="Workbox's worker")
    # Both kinds of Workbox's work: what it stored beforehand, and what its route keeps on the way.
    assert page.evaluate("caches.match('/offline.html', {ignoreSearch: true}).then((found) => !!found)")
    picture = "fetch('/picture.svg').then((answer) => answer.text())"
    assert "svg" in page.evaluate(picture)
    eventually(page, lambda: page.evaluate("caches.match('/picture.svg').then((one) => !!one)"), what="the route")
    site.set("/picture.svg", "changed")
    assert "svg" in page.evaluate(picture)

    chromium.deliver_push(page, ours(api, url=site.url("/landing?ours")))
    mine = desktop.wait_notification(predicate=lambda one: one.summary == "Ours")
    chromium.deliver_push(page, '{"theirs": {"title": "Theirs"}}')
    their = desktop.wait_notification(predicate=lambda one: one.summary == "Theirs")
    eventually(page, lambda: api.reports, what="the first report")
    for shown, path in ((mine, "/landing?ours"), (their, "/landing?theirs")):
        desktop.click(shown)
        chromium.wait_page(site.url(path)).close()
    eventually(page, lambda: len(api.reports) == 2, what="the report of the click")
    chromium.deliver_push(page, ours(api, id="de_2", tag="second"))
    second = desktop.wait_notification(predicate=lambda one: one.summary == "Ours" and one is not mine)
    eventually(page, lambda: len(api.reports) == 3, what="its report")
    desktop.dismiss(second)
    eventually(page, lambda: len(api.reports) >= 4, what="our reports")
    assert [report["kind"] for report in api.reports] == ["displayed", "clicked", "displayed", "closed"]
    assert [one.summary for one in desktop.history] == ["Ours", "Theirs", "Ours"]
    heard = chromium.service_worker(url_part="worker.js").evaluate("heard")
    assert [what for what in heard if not what.startswith("close")] == ["push", "click"]
    assert all("theirs" in what for what in heard if what.startswith("close"))


def test_a_smartpush_server_that_hangs_does_not_hold_up_a_worker_that_controls_pages(
    chromium: Chromium, api: FakeApi, static_site: SiteFactory
):
    site = static_site(
        {
            "/": LANDING,
            "/worker.js": (
                f"importScripts('{api.host}/sdk/v1/sw.js');"
                "self.addEventListener('fetch', (event) => event.respondWith(new Response('from the worker')));"
            ),
        }
    )
    page = chromium.page
    page.goto(site.url())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1/sdk/reports"
        page.evaluate(
            """(url) => new Promise((resolve, reject) => {
              const request = indexedDB.open('smartpush', 1);
              request.onupgradeneeded = () => {
                request.result.createObjectStore('installations', {keyPath: 'key'});
                request.result.createObjectStore('queue', {keyPath: 'id'});
              };
              request.onsuccess = () => {
                const transaction = request.result.transaction('queue', 'readwrite');
                const report = {token: 't', kind: 'closed'};
                transaction.objectStore('queue').put({id: '1', at: Date.now(), url, report});
                transaction.oncomplete = () => { request.result.close(); resolve(); };
                transaction.onabort = reject;
              };
            })""",
            address,
        )
        page.evaluate("navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)")
        silent.settimeout(PATIENCE_SECONDS)
        held, _ = silent.accept()
        with held:
            # Less than our own worker waits for its server: what held the page up until then would fail here.
            page.goto(site.url("/anything"), timeout=14_000)
            assert page.inner_text("body") == "from the worker"


def subscription_told(call: Call) -> dict[str, str] | None:
    return (call.body.get("push") or {}).get("subscription")


def key_pair() -> tuple[Vapid, str]:
    vapid = Vapid()
    vapid.generate_keys()
    return vapid, b64url_encode(vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def send(vapid: Vapid, subscription: dict[str, str], data: str) -> None:
    keys = {"p256dh": subscription["p256dh"], "auth": subscription["auth"]}
    webpush(
        {"endpoint": subscription["endpoint"], "keys": keys},
        data,
        vapid_private_key=vapid,
        vapid_claims={"sub": "mailto:tests@shop.example"},
        ttl=60,
        timeout=PATIENCE_SECONDS,
    )


def test_in_firefox_a_foreign_subscription_goes_on_working_until_taking_over_is_asked_for(
    firefox_factory: FirefoxFactory, api: FakeApi, static_site: SiteFactory, desktop: Desktop
):
    their_vapid, their_key = key_pair()
    our_vapid, api.vapid_key = key_pair()
    api.own_keys.add(api.vapid_key)
    site = static_site(
        {
            "/theirs": LANDING,
            "/": page_with(api, init(api, serviceWorker="/worker.js")),
            "/taking": page_with(api, init(api, serviceWorker="/worker.js", takeOverSubscription=True)),
            "/worker.js": f"importScripts('{api.host}/sdk/v1/sw.js');{CARELESS}",
        }
    )
    tab = firefox_factory(prompt="granted").open(site.url("/theirs"))
    foreign = tab.evaluate(
        "(async () => {"
        f"const key = atob('{their_key}'.replace(/-/g, '+').replace(/_/g, '/'));"
        "await navigator.serviceWorker.register('/worker.js');"
        "const {pushManager} = await navigator.serviceWorker.ready;"
        "const applicationServerKey = Uint8Array.from(key, (c) => c.charCodeAt(0));"
        "const made = await pushManager.subscribe({userVisibleOnly: true, applicationServerKey});"
        "const {endpoint, keys} = made.toJSON(); return {endpoint, ...keys};"
        "})()"
    )

    tab.goto(site.url())
    reason = "(async () => (await smartpush('getStatus')).reason)()"
    assert wait_until(lambda: tab.evaluate(reason), what="the status") == "foreign_subscription"
    send(their_vapid, foreign, '{"theirs": {"title": "Theirs"}}')
    desktop.wait_notification(predicate=lambda one: one.summary == "Theirs")
    send(their_vapid, foreign, ours(api, title="Ours on their subscription"))
    desktop.wait_notification(predicate=lambda one: one.summary == "Ours on their subscription")

    tab.goto(site.url("/taking"))
    took = wait_until(
        lambda: [one for one in map(subscription_told, api.calls) if one and one["endpoint"] != foreign["endpoint"]],
        what="our own subscription",
    )[-1]
    assert took["vapid_key"] == api.vapid_key
    assert [detail for kind, detail in tab.evaluate("told") if kind == "status" and detail.get("tookOver")]
    send(our_vapid, took, ours(api, title="Ours on our own"))
    desktop.wait_notification(predicate=lambda one: one.summary == "Ours on our own")
    assert [one.summary for one in desktop.history] == ["Theirs", "Ours on their subscription", "Ours on our own"]
