"""The harness does with real browsers what every product test builds on."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image
from py_vapid import Vapid
from pywebpush import WebPushException, webpush

from devices.pushservice.server import LocalPushService
from devices.pushservice.subscribers import b64url_encode
from tests.support.processes import kill, lives

from .conftest import ChromiumFactory, FirefoxFactory, SiteFactory
from .harness.chromium import Chromium
from .harness.desktop import CLOSED_BY_APPLICATION, CLOSED_BY_USER, Desktop
from .harness.firefox import Firefox
from .harness.process import APT_LINE, MissingProgram, program
from .harness.sites import Page, Site
from .harness.tab import Tab
from .harness.waiting import PATIENCE_SECONDS, wait_until

VAPID = Vapid()
VAPID.generate_keys()
KEY = b64url_encode(VAPID.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

PAGE = f"""<!doctype html><meta name=viewport content="width=device-width"><title>Shop</title>
<button id=ask>Ask</button><div id=host></div>
<script>
  document.getElementById('ask').onclick = () => {{
    window.asked = true;
    Notification.requestPermission().then((answer) => {{ window.answer = answer; }});
  }};
  const root = document.getElementById('host').attachShadow({{mode: 'closed'}});
  root.innerHTML = '<button>Inner</button>';
  root.firstChild.onclick = (event) => {{
    window.inner = [event.isTrusted, navigator.userActivation.isActive];
  }};
  navigator.serviceWorker.onmessage = (event) => {{ window.told = event.data; }};
  window.register = () =>
    navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready);
  window.subscribe = async () => (await window.register()).pushManager.subscribe(
    {{userVisibleOnly: true, applicationServerKey: '{KEY}'}}).then((made) => JSON.stringify(made));
</script>"""

WORKER = """
self.onpush = (event) => {
  const {title, ...options} = event.data.json();
  event.waitUntil(self.registration.showNotification(title, options));
};
self.onnotificationclick = (event) => {
  event.notification.close();
  event.waitUntil((async () => {
    const [page] = await clients.matchAll({type: 'window', includeUncontrolled: true});
    if (page) { await page.focus(); page.postMessage('clicked ' + event.action); }
    else await clients.openWindow('/landing?' + event.action);
  })());
};
"""

SHOP: dict[str, str | bytes | Page] = {"/": PAGE, "/sw.js": WORKER, "/landing": "<title>Landing</title>"}


@pytest.fixture
def shop(static_site: SiteFactory) -> Site:
    """A customer's site with a service worker."""
    return static_site(SHOP)


def ask_and_answer(firefox: Firefox, tab: Tab, answer: str) -> dict[str, str]:
    """Click the page's button and answer the browser's question."""
    tab.click("#ask")
    return firefox.answer_permission(answer)


def send(subscription: dict, **message: object) -> None:
    """Send a push as an application server does."""
    webpush(
        subscription,
        json.dumps(message),
        vapid_private_key=VAPID,
        vapid_claims={"sub": "mailto:tests@shop.example"},
        ttl=60,
        timeout=PATIENCE_SECONDS,
    )


def test_allowing_the_real_prompt_leads_to_a_desktop_notification_whose_click_reaches_the_open_page(
    firefox: Firefox, desktop: Desktop, shop: Site
):
    tab = firefox.open(shop.url())
    prompt = ask_and_answer(firefox, tab, "allow")
    assert prompt["origin"] == shop.origin.removeprefix("http://")
    assert tab.wait("window.answer") == "granted"
    subscription = json.loads(tab.evaluate("subscribe()"))

    send(subscription, title="Welcome", body="Glad you are here")

    shown = desktop.wait_notification()
    assert (shown.summary, shown.body, shown.replaces) == ("Welcome", "Glad you are here", 0)
    desktop.click(shown)
    assert tab.wait("window.told") == "clicked "
    assert shown.closed == CLOSED_BY_USER


def test_a_push_with_no_page_open_is_shown_and_its_button_opens_the_landing_page(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Site
):
    firefox = firefox_factory(prompt="granted")
    subscription = json.loads(firefox.open(shop.url()).evaluate("subscribe()"))
    firefox.close_tabs()
    assert firefox.tabs == []

    send(subscription, title="Come back", actions=[{"action": "play", "title": "Play now"}])

    shown = desktop.wait_notification(predicate=lambda one: one.summary == "Come back")
    desktop.click(shown, "play")
    assert firefox.wait_tab("/landing").url == shop.url("/landing?play")


@pytest.mark.parametrize("answer", ["block", "escape"])
def test_blocking_the_real_prompt_denies_for_good(firefox: Firefox, shop: Site, answer: str):
    tab = firefox.open(shop.url())
    ask_and_answer(firefox, tab, answer)
    assert tab.wait("window.answer") == "denied"
    tab.reload()
    assert tab.evaluate("Notification.permission") == "denied"


def test_dismissing_the_real_prompt_leaves_the_question_open(firefox: Firefox, shop: Site):
    tab = firefox.open(shop.url())
    ask_and_answer(firefox, tab, "dismiss")
    # Looking at another tab and back makes Firefox show whatever it still wants answered.
    firefox.open(shop.url("/landing")).close()
    tab.activate()
    tab.wait("document.visibilityState === 'visible'")
    assert firefox.permission_prompt() is None
    assert tab.evaluate("[window.asked, window.answer, Notification.permission]") == [True, None, "default"]


def test_revoking_permission_makes_the_endpoint_gone(
    firefox_factory: FirefoxFactory, push_service: LocalPushService, shop: Site
):
    firefox = firefox_factory()
    firefox.set_permission(shop.origin, "granted")
    tab = firefox.open(shop.url())
    subscription = json.loads(tab.evaluate("subscribe()"))

    firefox.set_permission(shop.origin, "denied")

    wait_until(lambda: push_service.state()["subscriptions"]["gone"] == 1, what="Firefox to unregister")
    with pytest.raises(WebPushException) as refused:
        send(subscription, title="Too late")
    assert refused.value.response.status_code == 410
    firefox.clear_permission(shop.origin)
    tab.wait("Notification.permission === 'default'")


def test_a_restarted_firefox_keeps_its_subscription_and_shows_what_waited(
    firefox_factory: FirefoxFactory, push_service: LocalPushService, desktop: Desktop, shop: Site
):
    firefox = firefox_factory(prompt="granted")
    subscription = json.loads(firefox.open(shop.url()).evaluate("subscribe()"))
    firefox.stop()
    wait_until(lambda: push_service.state()["browsers"]["connected"] == 0, what="Firefox to disconnect")
    send(subscription, title="While you slept")
    assert desktop.history == []

    firefox.start()

    assert desktop.wait_notification().summary == "While you slept"


def test_clearing_site_data_takes_service_worker_and_subscription(
    firefox_factory: FirefoxFactory, push_service: LocalPushService, shop: Site
):
    firefox = firefox_factory(prompt="granted")
    tab = firefox.open(shop.url())
    tab.evaluate("localStorage.setItem('who', 'ann'); subscribe()")
    firefox.clear_site_data(shop.origin)
    wait_until(lambda: push_service.state()["subscriptions"]["gone"] == 1, what="Firefox to unregister")
    assert tab.evaluate("localStorage.getItem('who')") is None
    assert tab.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0


def test_real_input_reaches_into_a_closed_shadow_root_at_phone_size(
    firefox_factory: FirefoxFactory, shop: Site, tmp_path: Path
):
    firefox = firefox_factory(viewport=(360, 740))
    tab = firefox.open(shop.url())
    assert tab.evaluate("[innerWidth, innerHeight]") == [360, 740]
    tab.click("#host >>> button")
    assert tab.evaluate("window.inner") == [True, True]
    assert tab.text("#host >>> button") == "Inner"
    tab.evaluate("window.inner = null; document.activeElement.blur()")
    tab.press("Tab", "Tab", "Enter")
    assert tab.wait("window.inner") == [True, True]
    with Image.open(tab.screenshot(tmp_path / "phone.png")) as picture:
        assert picture.size == (360, 740)


def test_containers_of_one_firefox_are_devices_of_their_own(firefox: Firefox, shop: Site):
    home, work = (firefox.open(shop.url(), user_context=firefox.user_context()) for _ in range(2))
    ask_and_answer(firefox, home, "allow")
    assert home.wait("window.answer") == "granted"
    assert work.evaluate("Notification.permission") == "default"
    home.evaluate("localStorage.setItem('who', 'ann')")
    assert work.evaluate("localStorage.getItem('who')") is None


def test_a_page_in_front_hides_the_one_behind_it(firefox: Firefox, shop: Site):
    first = firefox.open(shop.url())
    second = firefox.open(shop.url("/landing"))
    assert first.wait("document.visibilityState === 'hidden'")
    first.activate()
    assert second.wait("document.visibilityState === 'hidden'")
    assert [tab.url for tab in firefox.tabs] == [shop.url(), shop.url("/landing")]


def test_a_failed_wait_tells_what_page_and_worker_said(firefox: Firefox, static_site: SiteFactory):
    page = "<script>console.warn('out of', 3, 'apples'); nonsense()</script>"
    site = static_site({"/": page, "/sw.js": "console.log('worker starts')"})
    tab = firefox.open(site.url())
    tab.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
    said = ("out of 3 apples", "nonsense is not defined", "worker starts")
    wait_until(lambda: all(words in firefox.describe() for words in said), what="what the browser has to tell")
    with pytest.raises(AssertionError) as failure:
        tab.wait("window.never", timeout=0.1)
    assert all(words in str(failure.value) for words in said)


@pytest.mark.parametrize("state", ["granted", "denied", "prompt"])
def test_chromium_reports_the_permission_it_was_given(chromium: Chromium, shop: Site, state: str):
    chromium.set_permission(shop.origin, state)
    chromium.page.goto(shop.url())
    seen = chromium.page.evaluate("Notification.permission")
    assert seen == {"prompt": "default"}.get(state, state)
    query = "navigator.permissions.query({name: 'push', userVisibleOnly: true}).then((it) => it.state)"
    assert chromium.page.evaluate(query) == state


def test_chromium_shows_a_delivered_push_on_the_desktop_and_its_button_reaches_the_worker(
    chromium: Chromium, desktop: Desktop, shop: Site
):
    chromium.set_permission(shop.origin, "granted")
    page = chromium.page
    page.goto(shop.url())
    page.evaluate("register().then(() => true)")
    message = {
        "title": "Welcome",
        "body": "Hello",
        "tag": "w",
        "actions": [{"action": "play", "title": "Play"}],
    }

    chromium.deliver_push(page, json.dumps(message))

    shown = desktop.wait_notification()
    assert shown.summary == "Welcome"
    [seen] = chromium.notifications(page)
    assert (seen["title"], seen["tag"], seen["actions"][0]["action"]) == ("Welcome", "w", "play")
    desktop.click(shown, "Play")
    page.wait_for_function("window.told === 'clicked play'")
    wait_until(lambda: chromium.notifications(page) == [], what="the end of the notification")


def test_chromium_takes_pictures_at_desktop_and_phone_size(
    chromium_factory: ChromiumFactory, shop: Site, tmp_path: Path
):
    query = """() => ['(prefers-color-scheme: dark)', '(prefers-reduced-motion: reduce)', '(pointer: coarse)']
      .map((one) => matchMedia(one).matches)"""
    wide = chromium_factory()
    wide.page.goto(shop.url())
    assert wide.page.evaluate(query) == [False, False, False]
    phone = chromium_factory(size="phone", color_scheme="dark", reduced_motion="reduce")
    phone.page.goto(shop.url())
    assert phone.page.evaluate(query) == [True, True, True]
    for browser, size in ((wide, (1280, 800)), (phone, (720, 1480))):
        with Image.open(browser.screenshot(tmp_path / "shot.png")) as picture:
            assert picture.size == size


def test_both_browsers_call_the_insecure_name_insecure(firefox: Firefox, chromium: Chromium, shop: Site):
    tab = firefox.open(f"{shop.insecure_origin}/landing")
    chromium.page.goto(f"{shop.insecure_origin}/landing")
    asked = "[isSecureContext, 'serviceWorker' in navigator]"
    assert tab.evaluate(asked) == chromium.page.evaluate(asked) == [False, False]


def test_a_site_serves_types_headers_and_changes(static_site: SiteFactory, chromium: Chromium, tmp_path: Path):
    (tmp_path / "index.html").write_text("<script>window.inline = true</script><script src=/app.js></script>")
    (tmp_path / "app.js").write_text("window.file = 1")
    site = static_site(tmp_path, headers={"Content-Security-Policy": "script-src 'self'"})
    chromium.page.goto(site.url())
    assert chromium.page.evaluate("[window.inline, window.file]") == [None, 1]
    site.set("/app.js", Page("window.file = 2", {"X-Seen": "yes"}))
    answer = chromium.page.reload()
    assert answer.headers["content-security-policy"] == "script-src 'self'"
    assert chromium.page.evaluate("window.file") == 2
    assert [one.path for one in site.requests].count("/app.js") == 2


def test_notifications_of_one_tag_replace_each_other_and_the_page_can_close_them(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Site
):
    tab = firefox_factory(prompt="granted").open(shop.url())
    for title in ("One", "Two"):
        tab.evaluate(f"register().then((it) => it.showNotification('{title}', {{tag: 'same'}}))")
    one, two = desktop.wait_notification(), desktop.wait_notification()
    assert (one.summary, one.closed) == ("One", CLOSED_BY_APPLICATION)
    assert desktop.on_screen == [two]
    tab.evaluate("register().then((it) => it.getNotifications()).then((all) => all.forEach((one) => one.close()))")
    assert desktop.wait_closed(two) == CLOSED_BY_APPLICATION


HELD_OPEN = """
import sys
from playwright.sync_api import sync_playwright
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.firefox import Firefox
desktop = Desktop()
firefox = Firefox(push_url="ws://127.0.0.1:9/", dbus_address=desktop.address)
with sync_playwright() as driver:
    chromium = Chromium(driver, dbus_address=desktop.address)
    print("up", flush=True)
    sys.stdin.read()
"""


def test_a_killed_run_leaves_no_process_behind():
    root = Path(__file__).parents[2]
    run = subprocess.Popen(
        [sys.executable, "-c", HELD_OPEN],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert run.stdout.readline() == b"up\n"
    children = psutil.Process(run.pid).children(recursive=True)
    names = set()
    for child in children:
        with suppress(psutil.NoSuchProcess):  # a helper of the moment
            names.add(child.name())
    assert {"firefox-esr", "chromium", "dbus-daemon"} <= names, names

    run.send_signal(signal.SIGKILL)
    run.wait()

    pids = [child.pid for child in children]
    try:
        wait_until(lambda: not any(map(lives, pids)), what="the end of the whole family")
    finally:
        kill(pids)


def test_a_missing_browser_is_answered_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingProgram) as missing:
        program("firefox-esr")
    assert APT_LINE in str(missing.value)
