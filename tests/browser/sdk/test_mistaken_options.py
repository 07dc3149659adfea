"""What init is given is looked at before anything is sent: keys that cannot be, wrong types, two calls of init."""

import pytest

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import CALLS, QUEUE, eventually, page_with, run, told
from .fake_api import BRAND, FakeApi
from .mistakes import assert_given_up, given, initialise, load, ours, start


@pytest.mark.parametrize(
    ("brand", "words"),
    [
        ("\u2026pk_test", "No key holds U+2026"),
        ("pk_test\u200b", "No key holds U+200B"),
        ("\ufeffpk_test", "No key holds U+FEFF"),
        ("pk_test\n", 'No key holds U+000A, but brand is "pk_test\\n"'),
        (" pk_test", "No key holds U+0020"),
        ("pk_te\u0455t", "No key holds U+0455"),  # a Cyrillic letter that looks like s
        ("pk.test", 'No key holds ., but brand is "pk.test"'),
        ('"pk_test"', 'No key holds ", but'),
        ("", 'no brand with the key ""'),
        (None, 'no brand with the key ""'),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_with_what_is_wrong_in_it(
    chromium: Chromium, api: FakeApi, shop: Site, brand: str | None, words: str
):
    outcome = start(chromium, shop, api, {"brand": brand, "host": api.host})
    message = assert_given_up(chromium, outcome, "brand_unknown")
    assert words in message and "Copy it from the back office" in message
    assert not api.calls


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("brand: {key: 'pk_test'}", "brand as a text, not as object"),
        ("brand: 5", "brand as a text, not as number"),
        ("host: ['https://push.example.com']", "host as a text, not as object"),
        ("serviceWorker: true", "serviceWorker as a text, not as boolean"),
        ("serviceWorker: {url: '/sw.js'}", "serviceWorker as a text"),
        ("scope: 5", "scope as a text"),
        ("nonce: {}", "nonce as a text"),
        ("language: navigator.languages", "language as a text"),
        ("requireConsent: 'false'", "requireConsent as true or false, not as string"),
        ("takeOverSubscription: 1", "takeOverSubscription as true or false"),
        ("iosInstallHint: 'yes'", "iosInstallHint as true, false or an object"),
        ("iosInstallHint: () => true", "not as function"),
    ],
)
def test_an_option_of_a_wrong_type_is_named_with_the_right_one(
    chromium: Chromium, api: FakeApi, shop: Site, option: str, words: str
):
    assert words in assert_given_up(chromium, start(chromium, shop, api, given(api, option)), "invalid_option")
    assert not api.calls


@pytest.mark.parametrize("options", ["'pk_test', 'https://push.example.com'", "[{brand: 'pk_test'}]"])
def test_options_that_are_no_object_are_refused_with_what_init_takes(
    chromium: Chromium, api: FakeApi, shop: Site, options: str
):
    message = assert_given_up(chromium, start(chromium, shop, api, options), "unknown_option")
    assert "one object, {brand, host}" in message


@pytest.mark.parametrize(
    "options",
    [
        "serviceWorker: undefined, scope: undefined, language: null, nonce: null, requireConsent: undefined",
        "serviceWorker: new URL('/push/smartpush-sw.js', location.href), iosInstallHint: {title: 'x'}",
    ],
)
def test_what_is_not_given_is_the_default_and_a_url_object_is_its_address(
    chromium: Chromium, api: FakeApi, shop: Site, options: str
):
    outcome = start(chromium, shop, api, given(api, options))
    assert (outcome["init"], outcome["event"]) == ({"version": 1}, {"queued": False})
    (session,) = api.named("session")
    assert "language" not in session.body
    assert (session.body["push"]["status"], told(chromium.page, "error")) == ("ask", [])


def test_of_two_calls_of_init_each_gets_its_own_outcome(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set("/", page_with(api, QUEUE + CALLS))
    load(chromium, shop)
    right = given(api, "")
    chromium.page.evaluate(
        "window.both = Promise.allSettled([smartpush('init', {host: 'push.example.com'}), "
        f"smartpush('init', {right}), smartpush('init', {right})]); null"
    )
    settled = chromium.page.evaluate("both.then((all) => all.map(({reason, value}) => reason ? reason.code : value))")
    assert settled == ["host_invalid", {"version": 1}, "already_initialised"]
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}


def test_a_handler_of_the_error_may_call_init_again_with_what_is_right(chromium: Chromium, api: FakeApi, shop: Site):
    again = f"smartpush('on', 'error', () => {{ window.second ??= smartpush('init', {given(api, '')}); }});"
    shop.set("/", page_with(api, QUEUE + CALLS + again))
    load(chromium, shop)
    outcome = initialise(chromium, {"brand": BRAND, "host": "push.example.com"})
    assert outcome["init"]["code"] == "host_invalid"
    assert chromium.page.evaluate("window.second") == {"version": 1}
    assert run(chromium.page, "'event', 'deposit'") == {"queued": False}
    assert len(ours(chromium)) == 1
    eventually(chromium.page, lambda: api.named("session"), what="the session of the second")
