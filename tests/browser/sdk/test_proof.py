"""Proof of identity: getToken is asked once, again before its token expires, and once more where it is refused."""

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import eventually, init, page_with, run, told
from .fake_api import FakeApi

TOKENS = """
let asked = 0;
const encode = (value) => btoa(JSON.stringify(value)).replace(/=+$/, '');
const tokenFor = (seconds) => [encode({alg: 'ES256'}),
  encode({n: ++asked, exp: Math.floor(Date.now() / 1000) + seconds}), 'signature'].join('.');
"""
ANN = "smartpush('identify', 'ann', {getToken: async () => tokenFor(3600)});"


def identified(chromium: Chromium, api: FakeApi, shop: Site, script: str = ANN) -> None:
    """Open a page that says who is here, and wait for its session."""
    shop.set("/", page_with(api, init(api) + TOKENS + script))
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: api.named("session"), what="the session")
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'")["endUser"], what="the session to be taken")


def asked(chromium: Chromium) -> int:
    return int(chromium.page.evaluate("asked"))


def test_a_token_is_used_until_shortly_before_it_expires_and_then_renewed_silently(
    chromium: Chromium, api: FakeApi, shop: Site
):
    page = chromium.page
    page.clock.install()
    identified(chromium, api, shop)
    first = api.named("session")[0].body["identity_token"]
    run(page, "'identify', 'ann', {getToken: async () => tokenFor(3600)}")
    assert api.named("identify")[0].body["identity_token"] == first
    page.clock.fast_forward(58 * 60 * 1000)
    run(page, "'event', 'still'")
    assert asked(chromium) == 1 and len(api.named("identify")) == 1
    page.clock.fast_forward(70 * 1000)
    eventually(page, lambda: len(api.named("identify")) == 2, what="the renewal")
    assert asked(chromium) == 2
    assert api.named("identify")[1].body["identity_token"] != first
    run(page, "'identify', 'bob', {getToken: async () => tokenFor(3600)}")
    assert asked(chromium) == 3
    assert told(page, "error") == []


def test_a_lapsed_proof_is_renewed_once_and_the_call_sent_again(chromium: Chromium, api: FakeApi, shop: Site):
    identified(chromium, api, shop)
    api.fail("markers", 401, "identity_required")
    assert run(chromium.page, "'markers', 'add', ['news']") == ["NEWS"]
    api.fail("events", 401, "identity_refused")
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}
    assert asked(chromium) == 3 and len(api.named("identify")) == 2
    assert len(api.events) == 1


def test_a_proof_that_is_refused_again_rejects_the_call_and_tells_the_error_handlers(
    chromium: Chromium, api: FakeApi, shop: Site
):
    identified(chromium, api, shop)
    api.fail("events", 401, "identity_refused", times=2)
    assert run(chromium.page, "'event', 'deposit'")["code"] == "identity_refused"
    assert "identity_refused" in [error["code"] for error in told(chromium.page, "error")]
    assert asked(chromium) == 2
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}


def test_without_get_token_a_required_proof_rejects_at_once(chromium: Chromium, api: FakeApi, shop: Site):
    identified(chromium, api, shop, "smartpush('identify', 'ann');")
    api.fail("markers", 401, "identity_required")
    assert run(chromium.page, "'markers', 'add', ['news']")["code"] == "identity_required"
    assert len([call for call in api.calls if call.path == "markers"]) == 1


def test_a_site_that_gives_no_token_for_a_moment_loses_no_event(chromium: Chromium, api: FakeApi, shop: Site):
    fails = (
        "smartpush('identify', 'ann', {getToken: async () => {"
        " if (window.down) throw new Error('down'); return tokenFor(3600); }});"
    )
    identified(chromium, api, shop, fails)
    chromium.page.evaluate("window.down = true")
    api.fail("events", 401, "identity_required")
    assert run(chromium.page, "'event', 'deposit'") == {"queued": True}
    chromium.page.evaluate("window.down = false; dispatchEvent(new Event('online'))")
    eventually(chromium.page, lambda: api.events, what="the event")
    assert api.named("session")[-1].body["external_id"] == "ann"


def test_a_token_that_cannot_be_had_leaves_a_session_without_a_name(chromium: Chromium, api: FakeApi, shop: Site):
    identified(chromium, api, shop, "smartpush('identify', 'ann', {getToken: () => { throw new Error('no') }});")
    assert api.named("session")[0].body["external_id"] is None
    assert told(chromium.page, "error")[0] == {"code": "get_token_failed", "message": "getToken() failed: no"}
