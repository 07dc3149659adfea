"""A developer who made a mistake is told soon, once, in words, and nothing only looks as if it worked."""

import json
import time

import pytest

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Page, Site

from .conftest import CALLS, QUEUE, eventually, init, page_with, run, told
from .fake_api import BRAND, FakeApi
from .mistakes import SCRIPT, WORKER, assert_given_up, ours, start


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("push.example.com", "https://push.example.com."),
        ("http://push.example.com", "its https address"),
        ("//push.example.com", "whole address"),
        ("ftp://push.example.com", "whole address"),
        ("https://", "whole address"),
        ("", "the address of your smartpush server"),
        (None, "the address of your smartpush server"),
    ],
)
def test_a_host_that_is_no_https_address_is_refused_at_once(
    chromium: Chromium, api: FakeApi, shop: Site, host: str | None, advice: str
):
    outcome = start(chromium, shop, api, {"brand": BRAND, **({"host": host} if host is not None else {})})
    assert advice in assert_given_up(chromium, outcome, "host_invalid")
    assert not api.calls


@pytest.mark.parametrize(
    ("name", "advice"),
    [("serviceworker", "Write serviceWorker."), ("service_worker", "Write serviceWorker."), ("brnad", "Write brand."),
     ("publicKey", "It knows brand, host"), ("debug", "It knows brand, host")],
)  # fmt: skip
def test_an_option_that_is_not_there_is_named_with_the_nearest(
    chromium: Chromium, api: FakeApi, shop: Site, name: str, advice: str
):
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host, name: "x"})
    message = assert_given_up(chromium, outcome, "unknown_option")
    assert f'"{name}"' in message and advice in message
    assert not api.calls


@pytest.mark.parametrize(
    ("file", "code"),
    [
        (None, "worker_missing"),
        (Page("", SCRIPT), "worker_empty"),
        (Page("// Nothing yet\n/* todo */\n", SCRIPT), "worker_empty"),
        (Page("self.addEventListener('push', () => {});", SCRIPT), "worker_foreign"),
        (Page("importScripts('/theirs.js');", SCRIPT), "worker_foreign"),
        (Page("self.a = 1; // importScripts('https://x.example/sdk/v1/sw.js');", SCRIPT), "worker_foreign"),
        (Page("<!doctype html><title>Shop</title>", {"Content-Type": "text/html"}), "worker_not_script"),
        (Page("Gone", {"Content-Type": "text/javascript"}, status=410), "worker_missing"),
        (Page("", {"Location": "/login", "Content-Type": "text/plain"}, status=302), "worker_redirected"),
    ],
)
def test_a_worker_file_that_cannot_be_ours_is_named(
    chromium: Chromium, api: FakeApi, shop: Site, file: Page | None, code: str
):
    shop.set("/theirs.js", Page("self.theirs = true;", SCRIPT))
    shop.set(WORKER, file if file is not None else Page("Not found", status=404))
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host})
    assert WORKER in assert_given_up(chromium, outcome, code)
    assert not api.calls


@pytest.mark.parametrize(
    "file",
    [
        "this is ( not JavaScript",
        "importScripts('%/sdk/v1/sw.js'); const = 1;",
        "importScripts('%/sdk/v1/sw.js'); throw new Error('theirs');",
        "importScripts('%/sdk/v1/sw.js'); missing.start();",
        "importScripts('%/sdk/v1/sw.js', '/gone.js');\nimportScripts('/gone.js');",
        "importScripts('https://HOST/sdk/v1/sw.js');",
        "importScripts('http://127.0.0.1:9/sdk/v1/sw.js');",
        "importScripts('%/sdk/v2/sw.js');",
    ],
)
def test_a_worker_file_that_ends_with_an_error_is_named(chromium: Chromium, api: FakeApi, shop: Site, file: str):
    shop.set(WORKER, Page(file.replace("%", api.host), SCRIPT))
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host})
    assert WORKER in assert_given_up(chromium, outcome, "worker_broken")
    assert not api.calls


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"serviceWorker": "https://elsewhere.example/sw.js"}, "worker_origin"),
        ({"serviceWorker": "http://["}, "worker_invalid"),
        ({"serviceWorker": "data:text/javascript,1"}, "worker_invalid"),
        ({"serviceWorker": "javascript:1"}, "worker_invalid"),
        ({"serviceWorker": "/push%2fsmartpush-sw.js"}, "worker_invalid"),
        ({"scope": "/"}, "worker_scope"),
        ({"scope": "http://["}, "worker_scope"),
        ({"scope": "https://elsewhere.example/push/"}, "worker_scope"),
        ({"scope": "javascript:1"}, "worker_scope"),
        ({"scope": "/push/a%5cb"}, "worker_scope"),
    ],
)
def test_a_worker_that_no_browser_may_register_is_named(
    chromium: Chromium, api: FakeApi, shop: Site, options: dict[str, str], code: str
):
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host, **options})
    message = assert_given_up(chromium, outcome, code)
    assert (options.get("scope") or options["serviceWorker"].removesuffix("/sw.js")) in message


@pytest.mark.parametrize(("allowed", "code"), [("/push/../shop/", "worker_scope"), ("/", None)])
def test_a_scope_above_the_folder_is_named_unless_the_files_header_allows_it(
    chromium: Chromium, api: FakeApi, shop: Site, allowed: str, code: str | None
):
    headers = {**SCRIPT, "Service-Worker-Allowed": allowed}
    shop.set(WORKER, Page(f"importScripts('{api.host}/sdk/v1/sw.js');", headers))
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host, "scope": "/"})
    if code:
        assert_given_up(chromium, outcome, code)
    else:
        assert outcome["init"] == {"version": 1}


def test_a_browser_without_push_is_not_asked_about_its_worker(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script("delete window.PushManager")
    shop.set(WORKER, Page("this is ( not JavaScript", SCRIPT))
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host, "serviceWorker": "http://["})
    assert (outcome["init"], outcome["event"]) == ({"version": 1}, {"queued": False})
    api.offer(primary={"kind": "click", "url": ""})
    run(chromium.page, "'event', 'deposit'")
    chromium.page.wait_for_selector("smartpush-popup .card")
    assert not ours(chromium)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "origin_not_allowed", "Pages on developers' own machines"),
        (401, "brand_unknown", "Copy it from the back office"),
    ],
)
def test_a_refused_origin_or_key_is_said_once_and_not_tried_again(
    chromium: Chromium, api: FakeApi, shop: Site, status: int, code: str, words: str
):
    api.fail("session", status, code, times=99)
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host})
    assert words in assert_given_up(chromium, outcome, code)
    asked = len(api.calls)
    chromium.page.evaluate("dispatchEvent(new Event('online')); document.dispatchEvent(new Event('visibilitychange'))")
    chromium.page.wait_for_timeout(1500)  # longer than the first wait before another try
    assert len(api.calls) == asked == 1
    stored = "indexedDB.open('smartpush').onsuccess = ({target}) => { target.result.transaction('queue')" + (
        ".objectStore('queue').getAll().onsuccess = (event) => { window.kept = event.target.result.length; }; }; null"
    )
    chromium.page.evaluate(stored)
    assert eventually(chromium.page, lambda: [chromium.page.evaluate("window.kept")], what="the queue") == [0]


def test_an_init_that_was_mended_on_the_same_page_works(chromium: Chromium, api: FakeApi, shop: Site):
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": "push.example.com"})
    assert outcome["init"]["code"] == "host_invalid"
    assert run(chromium.page, f"'init', {json.dumps({'brand': BRAND, 'host': api.host})}") == {"version": 1}
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}


def test_a_server_that_is_away_or_busy_is_no_mistake_of_the_sites(chromium: Chromium, api: FakeApi, shop: Site):
    api.fail("session", 503, "server_busy", times=1)
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host})
    assert (outcome["init"], outcome["event"]) == ({"version": 1}, {"queued": True})
    assert not ours(chromium)
    eventually(chromium.page, lambda: api.events, what="the event")


def test_a_worker_file_that_is_away_for_a_moment_is_no_mistake_either(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set(WORKER, Page("Busy", status=503))
    outcome = start(chromium, shop, api, {"brand": BRAND, "host": api.host})
    assert outcome["init"] == {"version": 1}
    assert "service_worker_failed" in [error["code"] for error in told(chromium.page, "error")]
    (session,) = api.named("session")
    assert session.body["push"]["reason"] == "worker_failed"


def test_a_site_where_all_is_well_loads_nothing_of_what_is_rare(chromium: Chromium, api: FakeApi, shop: Site):
    loaded: list[str] = []
    chromium.page.on("request", lambda request: loaded.append(request.url))
    shop.set("/", page_with(api, init(api)))
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'").get("endUser"), what="the session")
    assert [url for url in loaded if url.endswith("smartpush.js")]
    assert not [url for url in loaded if url.endswith("rare.js")]


def test_a_worker_that_imports_ours_through_a_file_of_its_own_is_ours(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set("/part.js", Page(f"importScripts('{api.host}/sdk/v1/sw.js');", SCRIPT))
    shop.set(WORKER, Page("importScripts('/part.js');", SCRIPT))
    assert start(chromium, shop, api, {"brand": BRAND, "host": api.host})["init"] == {"version": 1}


@pytest.mark.parametrize("given", ["", ", undefined", ", null", ", 'yes'", ", 1"])
def test_opting_out_needs_a_value(chromium: Chromium, api: FakeApi, shop: Site, given: str):
    start(chromium, shop, api, {"brand": BRAND, "host": api.host})
    refused = run(chromium.page, f"'optOut'{given}")
    assert refused == {"code": "invalid_argument", "message": "optOut takes true or false."}
    assert not api.opted_out and not api.named("preferences")


def test_a_mistake_is_told_within_a_second_of_a_page_that_loads_the_script_late(
    chromium: Chromium, api: FakeApi, shop: Site
):
    shop.set("/", page_with(api, QUEUE + CALLS + "smartpush('init', {brand: 'x', host: 'push.example.com'});"))
    began = time.monotonic()
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: told(chromium.page, "error"), what="the error")
    assert time.monotonic() - began < 10  # a busy machine's page load, and no timer of ours behind it
    assert told(chromium.page, "error")[0]["code"] == "host_invalid"
