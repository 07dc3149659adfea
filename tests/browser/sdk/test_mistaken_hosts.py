"""A host where no smartpush server is: said once and for good; a network or a server that is away: waited for."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.browser.conftest import FirefoxFactory, SiteFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Page, Site

from .conftest import CALLS, QUEUE, eventually, page_with, run, told
from .fake_api import BRAND, FakeApi
from .mistakes import SCRIPT, assert_given_up, initialise, load, ours, start

OPEN = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "content-type,x-smartpush-key"}
HTML = Page("<!doctype html><title>Shop</title>", {"Content-Type": "text/html"})
QUEUED = ({"version": 1}, {"queued": True})


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def host() -> Iterator[FakeApi]:
    """A smartpush server from which no page has the SDK's script."""
    server = FakeApi()
    yield server
    server.close()


@pytest.fixture
def quiet_shop(shop: Site, api: FakeApi) -> Site:
    """A shop whose front page has the script of `api` and calls nothing."""
    shop.set("/", page_with(api, QUEUE + CALLS))
    return shop


def to(host: str) -> dict[str, str]:
    return {"brand": BRAND, "host": host}


def test_a_host_whose_name_does_not_resolve_is_named(chromium: Chromium, api: FakeApi, shop: Site):
    outcome = start(chromium, shop, api, to("https://no-such-host.invalid"))
    message = assert_given_up(chromium, outcome, "host_unreachable")
    assert "Nothing answers at https://no-such-host.invalid. Check host" in message


def test_a_host_that_refuses_connections_is_named(chromium: Chromium, api: FakeApi, shop: Site):
    outcome = start(chromium, shop, api, to(f"http://127.0.0.1:{closed_port()}"))
    assert_given_up(chromium, outcome, "host_unreachable")


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_another_server_that_other_sites_may_not_read_is_named(
    chromium: Chromium, api: FakeApi, shop: Site, static_site: SiteFactory, status: int
):
    page = Page(HTML.body, {**(HTML.headers or {}), "Location": "/login"}, status)
    other = static_site({"/": HTML, "/api/v1/sdk/session": page, "/sdk/v1/rare.js": page})
    outcome = start(chromium, shop, api, to(other.origin))
    message = assert_given_up(chromium, outcome, "host_foreign")
    assert f"no smartpush server at {other.origin}" in message and "CORS headers" in message


@pytest.mark.parametrize("status", [200, 403, 404, 405])
def test_another_server_that_any_site_may_read_is_named(
    chromium: Chromium, api: FakeApi, shop: Site, static_site: SiteFactory, status: int
):
    page = Page(HTML.body, HTML.headers, status)
    other = static_site({"/": HTML, "/api/v1/sdk/session": page, "/sdk/v1/rare.js": page}, headers=OPEN)
    outcome = start(chromium, shop, api, to(other.origin))
    assert f"no smartpush server at {other.origin}" in assert_given_up(chromium, outcome, "host_foreign")


def test_a_page_whose_policy_keeps_it_from_the_server_is_told_the_directive(
    chromium: Chromium, api: FakeApi, shop: Site
):
    """The script came from there, and the policy holds whatever was before: no other try can help."""
    shop.set("/", Page(page_with(api, QUEUE + CALLS), {"Content-Security-Policy": "connect-src 'self'"}))
    load(chromium, shop)
    message = assert_given_up(chromium, initialise(chromium, to(api.host)), "host_blocked")
    assert f"needs {api.host} in connect-src" in message
    assert not api.calls


def test_a_policy_that_only_reports_is_no_mistake(chromium: Chromium, api: FakeApi, host: FakeApi, shop: Site):
    policy = {"Content-Security-Policy-Report-Only": "connect-src 'none'"}
    shop.set("/", Page(page_with(api, QUEUE + CALLS), policy))
    load(chromium, shop)
    host.fail("session", 0, "", times=99)  # each connection ends without an answer
    outcome = initialise(chromium, to(host.host))
    assert (outcome["init"], outcome["event"]) == QUEUED
    assert not ours(chromium)


def test_a_host_is_named_too_where_the_policy_keeps_the_page_from_its_own_site(
    chromium: Chromium, api: FakeApi, shop: Site
):
    nowhere = f"http://127.0.0.1:{closed_port()}"
    shop.set("/", Page(page_with(api, QUEUE + CALLS), {"Content-Security-Policy": f"connect-src {nowhere}"}))
    load(chromium, shop)
    assert_given_up(chromium, initialise(chromium, to(nowhere)), "host_unreachable")


def test_a_first_visitor_without_network_loses_no_event(
    chromium: Chromium, api: FakeApi, host: FakeApi, quiet_shop: Site
):
    load(chromium, quiet_shop)
    chromium.context.set_offline(True)
    outcome = initialise(chromium, to(host.host))
    assert (outcome["init"], outcome["event"]) == QUEUED
    assert not ours(chromium)
    chromium.context.set_offline(False)
    eventually(chromium.page, lambda: host.events, what="the event")
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}


def test_a_first_visitor_whose_network_drops_unnoticed_loses_no_event(
    chromium: Chromium, api: FakeApi, host: FakeApi, quiet_shop: Site
):
    """The browser believes to be online, and the site itself does not answer either."""
    load(chromium, quiet_shop)
    host.close()
    quiet_shop.close()
    outcome = initialise(chromium, to(host.host))
    assert chromium.page.evaluate("navigator.onLine")
    assert (outcome["init"], outcome["event"]) == QUEUED
    assert not ours(chromium)
    back = FakeApi(port=host.port)
    try:
        chromium.page.evaluate("dispatchEvent(new Event('online'))")
        eventually(chromium.page, lambda: back.events, what="the event")
    finally:
        back.close()


def test_a_visitor_who_had_a_session_before_loses_no_event_while_the_server_is_away(
    chromium: Chromium, api: FakeApi, host: FakeApi, quiet_shop: Site
):
    load(chromium, quiet_shop)
    assert initialise(chromium, to(host.host))["event"] == {"queued": False}
    host.close()
    load(chromium, quiet_shop)
    outcome = initialise(chromium, to(host.host))
    assert (outcome["init"], outcome["event"]) == QUEUED
    assert not ours(chromium) and "host_unreachable" not in str(told(chromium.page, "error"))


def test_a_server_that_the_script_came_from_is_waited_for(chromium: Chromium, api: FakeApi, quiet_shop: Site):
    load(chromium, quiet_shop)
    # What says why is there already, so that nothing but the rule keeps it from saying so.
    assert run(chromium.page, "'dance'")["message"].startswith("There is no command")
    api.close()
    outcome = initialise(chromium, to(api.host))
    assert (outcome["init"], outcome["event"]) == QUEUED
    assert not ours(chromium)


def test_a_worker_file_that_imports_from_a_server_that_is_away_is_no_mistake(
    chromium: Chromium, api: FakeApi, host: FakeApi, quiet_shop: Site
):
    quiet_shop.set("/later/sw.js", Page(f"importScripts('{host.host}/sdk/v1/sw.js');", SCRIPT))
    load(chromium, quiet_shop)
    assert initialise(chromium, to(host.host))["init"] == {"version": 1}
    host.close()
    load(chromium, quiet_shop)
    outcome = initialise(chromium, {**to(host.host), "serviceWorker": "/later/sw.js"})
    assert (outcome["init"], outcome["event"]) == QUEUED
    assert "service_worker_failed" in [error["code"] for error in told(chromium.page, "error")]
    assert not ours(chromium)


IN_FIREFOX = """(async () => {{
  const [init, event] = [smartpush('init', {options}), smartpush('event', 'deposit')];
  return [await init.catch(({{code}}) => code), await event.catch(({{code}}) => code)];
}})()"""


@pytest.mark.parametrize(
    ("options", "policy", "code"),
    [
        ({"host": "https://no-such-host.invalid"}, "", "host_unreachable"),
        ({"host": "CLOSED"}, "", "host_unreachable"),
        ({"host": "OTHER"}, "", "host_foreign"),
        ({}, "connect-src 'self'", "host_blocked"),
        ({"serviceWorker": "/throws.js"}, "", "worker_broken"),
        ({"serviceWorker": "http://["}, "", "worker_invalid"),
        ({"scope": "https://elsewhere.example/"}, "", "worker_scope"),
    ],
)
def test_firefox_tells_the_same(
    firefox_factory: FirefoxFactory,
    api: FakeApi,
    shop: Site,
    static_site: SiteFactory,
    options: dict[str, str],
    policy: str,
    code: str,
):
    shop.set("/", Page(page_with(api, QUEUE + CALLS), {"Content-Security-Policy": policy} if policy else {}))
    shop.set("/throws.js", Page(f"importScripts('{api.host}/sdk/v1/sw.js'); throw new Error('theirs');", SCRIPT))
    places = {"CLOSED": f"http://127.0.0.1:{closed_port()}", "OTHER": static_site({"/": HTML}).origin}
    taken = {**to(api.host), **{name: places.get(value, value) for name, value in options.items()}}
    tab = firefox_factory().open(shop.url())
    tab.wait("smartpush.loaded")
    of_init, of_event = tab.evaluate(IN_FIREFOX.format(options=json.dumps(taken)))
    assert of_init == code and of_event in (code, "not_initialised")
    assert code in [error["code"] for name, error in tab.evaluate("told") if name == "error"]
    assert not api.calls
