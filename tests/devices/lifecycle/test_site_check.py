"""The check of an installation: its findings on a website, and where it does not look."""

import io
import json
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from devices.brands.services.refused_origins import origin_refused
from devices.delivery.services.receipts import Receipt, receipts_record
from devices.delivery.transports import site_fetch as fetching
from devices.delivery.transports.site_fetch import CannotFetch, site_fetch
from devices.lifecycle.brands import local_pages_follow
from devices.lifecycle.site_check import CannotTest, Finding, State, findings_of, live_of, site_look, site_test_send
from devices.lifecycle.site_check.policy import missing_sources, policies_split
from devices.management.commands.check_installation import WAYS
from devices.models import App, Delivery, Device, Dispatch
from smartpush.common.ids import report_token
from smartpush.common.time.clock import utc_now
from tests.browser.harness.sites import Page, Site
from tests.support.people import Browser

SCRIPT = {"Content-Type": "text/javascript"}
WORKER = "/push/smartpush-sw.js"
HOST = "http://127.0.0.1:8800"


def front(brand: Any, *, key: str = "", host: str = HOST, worker: str = WORKER, script: str = "") -> str:
    return (
        f"<!doctype html><script>smartpush('init', {{brand: '{key or brand.public_key}', host: '{host}',"
        f' serviceWorker: "{worker}"}});</script>'
        f"<script src='{script or host + '/sdk/v1/smartpush.js'}' async></script>"
    )


@pytest.fixture
def site(brand, settings) -> Iterator[Site]:
    found = Site({"/": front(brand), WORKER: Page(f'importScripts("{HOST}/sdk/v1/sw.js");', SCRIPT)})
    settings.SMARTPUSH_DEV_ORIGINS = frozenset({found.origin, *settings.SMARTPUSH_DEV_ORIGINS})
    settings.SMARTPUSH_PUBLIC_URL = HOST
    App.objects.filter(brand=brand).update(origin=found.origin)
    yield found
    found.close()


@pytest.fixture
def check(brand, site) -> Callable[..., dict[str, Finding]]:
    def run(**given: str) -> dict[str, Finding]:
        app = App.objects.select_related("brand").get(brand=brand)
        now = utc_now()
        seen = site_look(app=app, now=now, **given)
        return {one.key: one for one in findings_of(app=app, seen=seen, live=live_of(app=app, now=now), ways=WAYS)}

    return run


def test_a_site_that_is_put_together_as_the_guide_says_is_good_as_far_as_can_be_seen(check):
    states = {key: str(one.state) for key, one in check().items()}
    assert states == {
        "page": "good", "script": "good", "key": "good", "origins": "good", "worker": "good", "policy": "good",
        "session": "waiting", "subscription": "waiting", "test": "waiting",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("page", "word"),
    [
        (Page("", SCRIPT), "is empty"),
        (Page("// later\n/* on */", SCRIPT), "is empty"),
        (Page("gone", SCRIPT, 404), "answers 404"),
        (Page("<!doctype html>", {"Content-Type": "text/html"}), "text/html"),
        (Page("", {"Location": "/login"}, 302), "redirects"),
        (Page("self.onpush = null;", SCRIPT), "does not import"),
        (Page(f'self.onpush = null; // importScripts("{HOST}/sdk/v1/sw.js");', SCRIPT), "does not import"),
        (Page('importScripts("https://HOST/sdk/v1/sw.js");', SCRIPT), "not of this server"),
    ],
)
def test_a_worker_file_that_is_wrong_is_said_with_its_address_and_what_to_do(check, site, page, word):
    site.set(WORKER, page)
    found = check()["worker"]
    assert found.state == State.WRONG
    assert site.url(WORKER) in found.text and word in found.text and found.fix


def test_the_worker_that_init_names_is_looked_at_and_so_is_one_that_is_typed(check, site, brand):
    site.set("/", front(brand, worker="/own/sw.js"))
    assert "/own/sw.js answers 404" in check()["worker"].text
    assert check(worker=WORKER)["worker"].state == State.GOOD
    site.set("/own/sw.js", Page("importScripts('/part.js');", SCRIPT))
    assert check()["worker"].state == State.UNKNOWN


def test_another_brands_key_and_a_host_without_https_are_wrong(check, site, brand):
    site.set("/", front(brand, key="pk_other"))
    assert check()["key"].state == State.WRONG and brand.public_key in check()["key"].fix
    site.set("/", front(brand, host="push.example.com", script=HOST + "/sdk/v1/smartpush.js"))
    assert check()["key"].state == State.WRONG and HOST in check()["key"].fix


@pytest.mark.parametrize("host", ["https://push.exmaple.com", "http://push.example.com"])
def test_another_server_is_wrong_in_init_and_as_the_scripts(check, site, brand, host):
    site.set("/", front(brand, host=host))
    found = check()
    for key in ("script", "key"):
        assert found[key].state == State.WRONG
        assert host in found[key].text and HOST in found[key].fix
    site.set("/", front(brand, host=f"{HOST}/"))
    assert check()["key"].state == State.GOOD


def test_a_subscriber_is_found_behind_newer_installations_without_a_token(check, brand, browser, monkeypatch):
    monkeypatch.setattr("devices.lifecycle.site_check.findings.NEWEST", 2)
    browser.load()
    browser.allow()
    subscribed = Device.objects.get().pk
    for _ in range(3):
        Browser(brand).load()
    assert Device.objects.filter(pk__gt=subscribed, token_hash=None).count() == 3
    assert check()["subscription"].state == State.GOOD


def test_a_site_that_redirects_to_another_origin_names_the_one_to_add(check, site, brand, settings):
    other = Site({"/": front(brand)})
    try:
        settings.SMARTPUSH_DEV_ORIGINS |= {other.origin}
        site.set("/", Page("", {"Location": other.url("/")}, 301))
        found = check()["page"]
    finally:
        other.close()
    assert found.state == State.WRONG and other.origin in found.fix


def test_a_page_that_has_no_script_waits_and_a_session_shows_that_a_bundle_brings_it(check, site, brand, browser):
    site.set("/", "<!doctype html><title>Shop</title>")
    assert {check()[key].state for key in ("script", "key", "session")} == {State.WAITING}
    browser.load()
    assert {check()[key].state for key in ("script", "key", "session")} == {State.GOOD}


def test_nothing_is_said_of_the_markup_of_a_page_that_could_not_be_read(check, browser):
    browser.load()
    found = check(path="/nowhere")
    assert found["page"].text.endswith("answers 404.")
    assert found["script"].text == "A visitor's browser has run it. The page itself could not be read."


@pytest.mark.parametrize(
    ("policy", "missing"),
    [
        ("", []),
        ("default-src *; script-src * 'unsafe-inline'", []),
        ("script-src 'nonce-a' https://push.example; connect-src https://push.example; worker-src 'self'", []),
        ("script-src 'nonce-a' https://push.example; connect-src https:; worker-src 'self'", []),
        ("script-src 'self' 'nonce-a' https://*.example; connect-src https://push.example:443", []),
        ("default-src 'none'", ["script-src https://push.example", "script-src 'nonce", "connect-src https://push.example",
                                "worker-src 'self'"]),
        ("default-src 'self'; script-src 'nonce-a'", ["connect-src https://push.example", "worker-src 'self'"]),
        ("connect-src http://push.example", ["connect-src https://push.example"]),
        ("connect-src https://push.example:8443", ["connect-src https://push.example"]),
        ("connect-src https://other.example", ["connect-src https://push.example"]),
        ("script-src https://push.example; worker-src 'self'", ["script-src 'nonce"]),
        ("img-src 'none', connect-src 'none'", ["connect-src https://push.example"]),
    ],
)  # fmt: skip
def test_a_policy_is_read_as_browsers_read_it(policy, missing):
    nonce = "nonce-a" in policy
    found = missing_sources(
        policies_split([policy]),
        host="https://push.example",
        origin="https://shop.example",
        script_nonce=nonce,
        inline=True,
        inline_nonce=nonce,
    )
    for one, expected in zip(found, missing, strict=True):
        assert one.startswith(expected)


def test_policies_of_headers_and_markup_are_both_looked_at(check, site, brand):
    site.headers["Content-Security-Policy"] = "connect-src 'self'"
    assert check()["policy"].state == State.WRONG and f"connect-src {HOST}" in check()["policy"].fix
    del site.headers["Content-Security-Policy"]
    site.set("/", "<meta http-equiv=Content-Security-Policy content=\"worker-src 'none'\">" + front(brand))
    assert "worker-src 'self'" in check()["policy"].fix


def test_the_test_push_goes_to_the_newest_subscriber_alone_until_it_was_displayed(check, site, channel, brand):
    site_app = App.objects.get(brand=brand)
    with pytest.raises(CannotTest, match="no browser has subscribed"):
        site_test_send(app=site_app, now=channel.now)
    channel.subscriber("ann")
    channel.subscriber("ben")
    site_test_send(app=site_app, now=channel.now)
    delivery = Delivery.objects.get()
    assert delivery.end_user.external_id == "ben"
    assert "on its way" in check()["test"].text
    channel.send_due()
    assert check()["test"].state == State.WAITING and "taken it" in check()["test"].text
    token = report_token(delivery.pk, delivery.day)
    receipts_record(receipts=[Receipt(token=token, kind="displayed", at=channel.now)], now=channel.now)
    assert (check()["test"].state, check()["test"].at) == (State.GOOD, channel.now)
    assert {check()[key].state for key in ("session", "subscription")} == {State.GOOD}
    assert Dispatch.objects.get().purpose == "operational"


# --- where it does not look ---
@pytest.fixture
def inside() -> Iterator[Site]:
    found = Site({"/": "secret of the inside"})
    yield found
    found.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1"])
def test_a_private_address_is_refused_however_it_is_spelled(inside, host):
    with pytest.raises(CannotFetch):
        site_fetch(f"http://{host}:{inside.port}/", redirects=True)
    assert not inside.requests


def test_a_redirect_to_a_private_address_is_refused(inside, site):
    site.set("/", Page("", {"Location": inside.url("/")}, 302))
    with pytest.raises(CannotFetch, match="private network"):
        site_fetch(site.url("/"), redirects=True, local_origins={site.origin})
    assert not inside.requests


def test_a_redirect_to_a_file_and_a_circle_of_redirects_end(site):
    site.set("/", Page("", {"Location": "file:///etc/passwd"}, 302))
    with pytest.raises(CannotFetch, match="no web page"):
        site_fetch(site.url("/"), redirects=True, local_origins={site.origin})
    site.set("/", Page("", {"Location": "/"}, 302))
    with pytest.raises(CannotFetch, match="more than three"):
        site_fetch(site.url("/"), redirects=True, local_origins={site.origin})


def test_a_page_is_read_up_to_a_megabyte(site):
    site.set("/", "x" * (3 * fetching.MAX_BYTES))
    assert len(site_fetch(site.url("/"), redirects=True, local_origins={site.origin}).text) <= fetching.MAX_BYTES


def test_a_site_that_does_not_answer_is_given_up(monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(CannotFetch, match="did not answer"):
            site_fetch(f"{origin}/", redirects=True, local_origins={origin})


@pytest.mark.parametrize(
    "path", ["//169.254.169.254/", "http://inside/", "https://evil.example/", "\\\\inside", "/a b", "http://[", "\x00"]
)
def test_a_path_that_would_leave_the_site_is_the_front_page(check, site, path):
    check(path=path, worker=path)
    assert {seen.path for seen in site.requests} <= {"/", WORKER}


def test_production_looks_at_no_private_address_whatever_the_settings_say(check, site, settings):
    settings.DEVELOPMENT = False
    assert check()["page"].state == State.WRONG and "private network" in check()["page"].text
    assert not site.requests


# --- the command ---
def test_the_command_fails_where_something_is_wrong_and_strictly_where_it_is_not_there_yet(check, site):
    out = io.StringIO()
    call_command("check_installation", site.origin, stdout=out)
    assert "good     The service worker file is at its address" in out.getvalue()
    with pytest.raises(CommandError, match="3 of 9 checks failed"):
        call_command("check_installation", site.origin, "--strict", stdout=io.StringIO())
    site.set(WORKER, Page("", SCRIPT))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 9 checks failed: The service worker file"):
        call_command("check_installation", site.origin, "--json", stdout=out)
    assert {row["check"]: row["state"] for row in json.loads(out.getvalue())}["worker"] == "wrong"
    with pytest.raises(CommandError, match="exact origin"):
        call_command("check_installation", "https://unknown.example")


def test_the_command_names_its_own_arguments_and_never_a_place_of_the_page(check, site):
    site.set("/", Page("", {}, 404))
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("check_installation", site.origin.upper(), stdout=out)
    assert "--path" in out.getvalue() and "--send" in out.getvalue() and "/admin/devices/app/" in out.getvalue()
    assert "below" not in out.getvalue() and "above" not in out.getvalue()


def test_the_command_sends_a_test_push_only_when_asked(channel, check, site, brand):
    with pytest.raises(CommandError, match="no browser has subscribed"):
        call_command("check_installation", site.origin, "--send", stdout=io.StringIO())
    channel.subscriber("ann")
    call_command("check_installation", site.origin, stdout=io.StringIO())
    assert not Delivery.objects.exists()
    out = io.StringIO()
    call_command("check_installation", site.origin, "--send", "--wait", "0", stdout=out)
    assert Delivery.objects.count() == 1 and "on its way" in out.getvalue()


def test_a_developers_machine_is_looked_at_by_its_own_origin_in_any_spelling(brand, site, settings):
    typed = site.origin.replace("http://", "HTTP://").replace("127.0.0.1", "LOCALHOST")
    App.objects.filter(brand=brand).update(origin="https://shop.example")
    settings.SMARTPUSH_DEV_ORIGINS = frozenset()
    with pytest.raises(CommandError, match="Switch on"):
        call_command("check_installation", typed, stdout=io.StringIO())
    brand.local_pages = True
    brand.save()
    local_pages_follow(brand=brand, now=utc_now())
    out = io.StringIO()
    call_command("check_installation", typed, stdout=out)
    assert f"{typed.lower()}/ answers" in out.getvalue()
    settings.DEVELOPMENT = False
    App.objects.filter(origin="http://localhost").delete()
    with pytest.raises(CommandError, match="production server lets in no pages"):
        call_command("check_installation", typed, stdout=io.StringIO())


def test_the_newest_subscriber_is_the_one_by_the_tokens_time(check, brand, channel):
    older = channel.subscriber("ann")
    channel.subscriber("ben")
    Device.objects.filter(holder__external_id="ben").update(token_at=channel.now - timedelta(days=1))
    app = App.objects.get(brand=brand)
    assert live_of(app=app, now=channel.now).subscriber.holder.external_id == "ann", older


def test_what_outsiders_send_fails_no_build(check, site, brand, browser):
    origin_refused(brand_id=brand.pk, origin="https://evil.example", now=utc_now())
    assert check()["origins"].state == State.WAITING  # nothing was taken yet
    call_command("check_installation", site.origin, stdout=io.StringIO())
    browser.load()
    assert check()["origins"].state == State.NOTE
    assert check()["origins"].refusals[0].origin == "https://evil.example"
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 of 9 checks failed: A browser has subscribed; A test push"):
        call_command("check_installation", site.origin, "--strict", stdout=out)
    assert "Calls came from https://evil.example, which is not registered." in out.getvalue()
