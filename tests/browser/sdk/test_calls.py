"""The calls of a page: before the script is there, offline, refused, and by whom."""

import json
import re
from urllib.parse import urlsplit

import pytest

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import QUEUE, eventually, init, page_with, run, told
from .fake_api import FakeApi

# A site's own code may ask for a token when its first one was refused.
TOKENS = "let asked = 0; const getToken = async () => 'token-' + (++asked);"


def ready(chromium: Chromium, shop: Site, path: str = "/") -> None:
    chromium.page.goto(shop.url(path))
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'").get("endUser"), what="the session")


def test_events_of_one_moment_arrive_in_the_order_of_their_calls(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set("/", page_with(api, QUEUE + init(api) + "for (let n = 0; n < 12; n++) smartpush('event', 'step', {n});"))
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: len(api.events) == 12, what="all events")
    assert [one["properties"]["n"] for one in api.events.values()] == list(range(12))


def test_what_was_called_before_the_script_loaded_is_carried_out_in_order(chromium: Chromium, api: FakeApi, shop: Site):
    calls = (
        "smartpush('event', 'first', {n: 1}); smartpush('identify', 'ann', {language: 'el', properties: {vip: true}});"
        "smartpush('action', 'opened-lobby'); smartpush('markers', 'add', ['news']);"
    )
    shop.set("/", page_with(api, QUEUE + calls + init(api)))
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: api.markers, what="the markers")
    eventually(chromium.page, lambda: len(api.events) == 2, what="both events")
    (session,) = api.named("session")
    assert (session.body["external_id"], session.body["language"]) == ("ann", "el")
    assert session.body["properties"] == {"vip": True}
    assert not api.named("identify")
    events = list(api.events.values())
    assert [(one["name"], one["kind"], one["properties"]) for one in events] == [
        ("first", "event", {"n": 1}),
        ("opened-lobby", "action", {}),
    ]
    assert api.markers == {"NEWS"}
    assert {(call.origin, call.brand) for call in api.calls} == {(shop.origin, "pk_test")}


def test_every_call_returns_a_promise_and_failures_carry_codes(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    page = chromium.page
    assert page.evaluate("smartpush('on', 'status', () => {}) instanceof Promise")
    assert run(page, "'dance'")["code"] == "unknown_command"
    assert run(page, "'event', ''")["code"] == "invalid_argument"
    assert run(page, "'identify', null")["code"] == "invalid_argument"
    assert run(page, "'markers', 'toggle', ['A']")["code"] == "invalid_argument"
    assert run(page, "'on', 'nothing', 1")["code"] == "invalid_argument"
    assert run(page, "'init', {brand: 'x', host: 'https://x.example'}")["code"] == "already_initialised"
    assert run(page, "'event', 'refused'") == {"code": "invalid_request", "message": "no such event"}
    api.fail("markers", 400, "invalid_request")
    assert run(page, "'markers', 'add', ['A']")["code"] == "invalid_request"
    page.evaluate("smartpush('dance'); new Promise((resolve) => setTimeout(resolve, 50))")
    assert "unknown_command" in [error["code"] for error in told(page, "error")]
    assert not [line for line in chromium.console if "uncaught" in line.lower()]


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("identify", "'identify', 'ann', {properties: {tags: ['a']}}"),
        ("events", "'event', 'deposit', {tags: ['a']}"),
        ("markers", "'markers', 'add', ['NEWS', 'not/ok']"),
    ],
)
def test_what_the_server_left_out_is_told_and_the_call_succeeds(
    chromium: Chromium, api: FakeApi, shop: Site, path: str, call: str
):
    ready(chromium, shop)
    run(chromium.page, "'debug', true")
    text = "properties.tags: Only text, numbers, true, false and null are kept."
    api.left_out[path] = [{"field": "properties.tags", "code": "wrong_type", "message": text}]
    assert "code" not in run(chromium.page, call)
    assert told(chromium.page, "error") == [{"code": "wrong_type", "message": text}]
    assert [line for line in chromium.console if "[smartpush] error" in line]


def test_numbers_of_any_size_are_sent_and_what_json_cannot_hold_costs_its_own_call_only(
    chromium: Chromium, api: FakeApi, shop: Site
):
    """One that failed at each sending would be tried again for ever, and every session of the page with it."""
    ready(chromium, shop)
    page = chromium.page
    circle = "(() => { const one = {}; one.self = one; return one; })()"
    assert "circular" in run(page, f"'identify', 'ann', {{properties: {circle}}}")["message"]
    assert "circular" in run(page, f"'event', 'deposit', {circle}")["message"]
    assert (
        run(page, "'identify', 'bob', {properties: {coins: 12345678901234567890n}}")["endUser"]["externalId"] == "bob"
    )
    assert api.named("identify")[-1].body["properties"] == {"coins": "12345678901234567890"}
    assert run(page, "'event', 'deposit', {coins: 7n}") == {"queued": False}


def test_a_handler_that_throws_harms_nobody(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set("/", page_with(api, init(api) + "smartpush('on', 'status', () => { throw new Error('theirs') });"))
    ready(chromium, shop)
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}


def test_permission_is_asked_for_only_inside_a_gesture(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script(
        "Notification.requestPermission = () => {"
        " window.active = navigator.userActivation.isActive; return Promise.resolve('default'); }"
    )
    ready(chromium, shop)
    page = chromium.page
    # Playwright's evaluate counts as a gesture; a timer that outlives it does not.
    page.evaluate(
        "setTimeout(() => smartpush('requestPushPermission').catch(({code}) => {"
        " window.refused = code; console.log('refused'); }), 6500)"
    )
    eventually(page, lambda: "[log] refused" in chromium.console, what="the refusal")
    assert page.evaluate("[window.refused, window.active]") == ["gesture_required", None]
    page.evaluate("ask.onclick = () => smartpush('requestPushPermission').then((value) => { window.answer = value; })")
    page.click("#ask")
    eventually(page, lambda: page.evaluate("window.answer"), what="the answer")
    assert page.evaluate("window.active") is True
    assert page.evaluate("[answer.status, answer.reason]") == ["ask", "permission_default_after_prompt"]
    assert api.named("status")[-1].body["cause"] == "sdk_call"


def test_a_refused_identity_token_is_renewed_once(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    api.fail("identify", 401, "identity_refused")
    chromium.page.evaluate(TOKENS + "window.getToken = getToken; null")
    assert run(chromium.page, "'identify', 'ann', {getToken}")["endUser"]["externalId"] == "ann"
    sent = [call.body["identity_token"] for call in api.calls if call.path == "identify"]
    assert sent == ["token-1", "token-2"]


def test_a_name_that_cannot_be_proven_leaves_a_session_without_it(chromium: Chromium, api: FakeApi, shop: Site):
    api.fail("session", 401, "identity_refused", times=2)
    shop.set("/", page_with(api, init(api) + TOKENS + "smartpush('identify', 'ann', {getToken});"))
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: api.named("session"), what="the session")
    assert api.named("session")[0].body["external_id"] is None
    assert "identity_refused" in [error["code"] for error in told(chromium.page, "error")]


def test_logout_makes_a_visitor_and_identify_a_user(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    page = chromium.page
    assert run(page, "'identify', 'ann'")["endUser"] == {"id": "eu_ann", "anonymous": False, "externalId": "ann"}
    assert run(page, "'logout'")["endUser"]["anonymous"] is True
    assert len(api.named("logout")) == 1 and len(api.named("session")) == 1
    page.reload()
    eventually(page, lambda: len(api.named("session")) == 2, what="the session")
    assert api.named("session")[1].body["external_id"] is None


def offline_event(chromium: Chromium, name: str = "deposit") -> None:
    chromium.context.set_offline(True)
    assert run(chromium.page, f"'event', '{name}', {{amount: 20}}") == {"queued": True}


def test_an_event_made_offline_is_sent_when_the_network_is_back(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    offline_event(chromium)
    assert not api.events
    chromium.context.set_offline(False)
    eventually(chromium.page, lambda: api.events, what="the event")
    assert [event["name"] for event in api.events.values()] == ["deposit"]


def test_an_event_left_behind_by_a_closed_page_is_sent_by_the_next_one(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    offline_event(chromium)
    chromium.page.evaluate(
        "new Promise((done) => { const open = indexedDB.open('smartpush'); open.onsuccess = () => {"
        " const store = open.result.transaction('queue', 'readwrite').objectStore('queue');"
        " store.getAll().onsuccess = ({target}) => {"
        "  for (const item of target.result) store.put({...item, at: item.at - 60000}); done(); } } })"
    )
    left = chromium.page
    chromium.page = chromium.context.new_page()
    left.close()
    chromium.context.set_offline(False)
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: api.events, what="the event")


def test_an_event_of_one_user_is_never_sent_as_anothers(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    run(chromium.page, "'identify', 'ann'")
    offline_event(chromium, "secret-of-ann")
    chromium.page.evaluate("smartpush('identify', 'bob').catch(() => {})")
    chromium.context.set_offline(False)
    eventually(chromium.page, lambda: run(chromium.page, "'event', 'of-bob'") == {"queued": False}, what="Bob's event")
    assert "secret-of-ann" not in {event["name"] for event in api.events.values()}


def test_a_logout_made_offline_comes_before_anything_else(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    run(chromium.page, "'identify', 'ann'")
    chromium.context.set_offline(True)
    assert run(chromium.page, "'logout'")["code"] == "network"
    before = len(api.calls)
    chromium.context.set_offline(False)
    chromium.page.goto(shop.url("/other"))
    eventually(chromium.page, lambda: api.named("logout"), what="the logout")
    assert api.calls[before].path == "logout"


@pytest.mark.parametrize(("status", "code"), [(503, "server_busy"), (429, "rate_limited")])
def test_a_busy_server_is_asked_again_not_before_it_says(
    chromium: Chromium, api: FakeApi, shop: Site, status: int, code: str
):
    ready(chromium, shop)
    api.fail("events", status, code, retry_after="2")
    assert run(chromium.page, "'event', 'deposit'") == {"queued": True}
    refused = next(call.at for call in api.calls if call.status == status)
    eventually(chromium.page, lambda: api.events, what="the event")
    assert api.named("events")[0].at - refused >= 1.9


def test_what_the_server_refuses_for_good_is_dropped(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    api.fail("events", 400, "invalid_request")
    assert run(chromium.page, "'event', 'deposit'")["code"] == "invalid_request"
    assert run(chromium.page, "'event', 'next'") == {"queued": False}
    assert [event["name"] for event in api.events.values()] == ["next"]


def test_a_forgotten_installation_does_not_lose_the_event(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    api.installations.clear()
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}
    assert len(api.events) == 1 and len(api.installations) == 1


def test_a_page_that_comes_back_from_the_back_forward_cache_opens_a_session(
    chromium: Chromium, api: FakeApi, shop: Site
):
    ready(chromium, shop)
    chromium.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    eventually(chromium.page, lambda: len(api.named("session")) == 2, what="the second session")


def test_the_server_down_at_load_is_waited_for(chromium: Chromium, api: FakeApi, shop: Site):
    api.fail("session", 503, "server_busy", times=2)
    shop.set("/", page_with(api, init(api) + f"smartpush('event', 'deposit', {json.dumps({'amount': 1})});"))
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: api.events, what="the event")


def test_debug_writes_what_happens_to_the_console_and_no_secret(chromium: Chromium, api: FakeApi, shop: Site):
    ready(chromium, shop)
    assert not [line for line in chromium.console if "[smartpush]" in line]
    run(chromium.page, "'debug', true")
    chromium.page.evaluate("window.getToken = async () => 'secret-token'; null")
    run(chromium.page, "'identify', 'ann', {getToken}")
    lines = "\n".join(line for line in chromium.console if "[smartpush]" in line)
    assert "identify" in lines and "status" in lines
    assert "secret-token" not in lines and next(iter(api.installations.values())) not in lines
    run(chromium.page, "'debug', false")
    before = len(chromium.console)
    run(chromium.page, "'event', 'deposit'")
    assert chromium.console[before:] == []


# What the general rules of the usual filter lists look for in paths, queries aside.
TELLTALES = re.compile(
    r"\b(ads?|advert|analytics?|beacon|click|collect(or)?|count(er)?|fingerprint|hits?|impressions?|log(ger)?|metrics?"
    r"|pageview|ping|pixel|push-sw|stats?|statistics|telemetry|track(er|ing)?|visit(or)?|web-?push)\b|push-notification"
)


def test_no_request_has_a_path_that_filter_lists_look_for(chromium: Chromium, api: FakeApi, shop: Site):
    asked: list[str] = []
    chromium.context.on("request", lambda request: asked.append(request.url))
    api.offer(primary={"kind": "click", "url": ""})
    ready(chromium, shop)
    page = chromium.page
    page.click("smartpush-popup .primary")
    for command in ("'event', 'deposit'", "'identify', 'ann'", "'markers', 'add', ['a']", "'optOut', true", "'logout'"):
        run(page, command)
    eventually(page, lambda: api.named("popups/outcome"), what="the outcome")
    wanted = {"/sdk/v1/smartpush.js", "/sdk/v1/sw.js", "/push/smartpush-sw.js", "/api/v1/sdk/events"}
    eventually(page, lambda: wanted <= {urlsplit(url).path for url in asked}, what="every kind of request")
    paths = {urlsplit(url).path for url in asked}
    assert [path for path in paths if TELLTALES.search(path)] == []
    assert [url for url in asked if urlsplit(url).query] == []
