"""Anything at all sent to every endpoint is answered below 500, in one of the two shapes."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.page import BASE, error_of, event, report_body
from tests.api.paths import PATHS
from tests.support.fuzzing import ANYTHING, MOMENTS, broken, places


def good_bodies(page) -> dict:
    """One acceptable body an endpoint, to be broken."""
    push = page.push
    device = {"browser": "chrome", "os": "linux", "form_factor": "desktop", "language": "en", "time_zone": "UTC"}
    device |= {"user_agent": "x", "browser_version": "1"}
    me = {"installation": page.installation, "tab": "t"}
    session = me | {"push": push, "device": device, "properties": {"a": 1}, "language": "en", "page": {"url": "x"}}
    session |= {"external_id": "ann", "identity_token": "x"}
    session |= {"consent": {"answer": "given", "at": "2026-11-23T12:00:00Z", "language": "en"}}
    return {
        "session": session,
        "identify": session,
        "logout": me,
        "status": me | {"push": push, "cause": "popup", "device": device},
        "events": me | {"events": [event(occurred_at="2026-11-23T12:00:00Z"), event()]},
        "markers": me | {"operation": "add", "markers": ["A", "B"]},
        "popups/poll": me,
        "popups/shown": me | {"offer": "A" * 16},
        "popups/outcome": me
        | {"offer": "A" * 16, "outcome": "later", "push": push, "categories": ["A"], "language": "en"},
        "consents": me | {"subject": "tracking", "answer": "given", "at": "2026-11-23T12:00:00Z", "language": "en"},
        "preferences/read": me | {"language": "en"},
        "preferences": me | {"categories": {"NEWS": True}, "opted_out": True, "language": "en"},
        "preferences/link": me,
        "worker/subscription": {"installation": page.installation, "push": push},
        "reports": {"reports": [report_body(), report_body()]},
    }


def answered(response, *, path: str) -> None:
    assert response.status_code < 500, (path, response.content)
    if response.status_code != 200:
        error_of(response)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_a_good_body_broken_anywhere_is_never_a_server_error(page, settings_for_fuzz, path, known):
    page.allow()
    page.session()
    if not known:
        page.installation = None
    body = good_bodies(page)[path]
    spots = list(places(body))

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(data=st.data())
    def run(data):
        sent = body
        for _ in range(data.draw(st.integers(1, 3))):
            spot = data.draw(st.sampled_from(spots))
            value = data.draw(ANYTHING | st.sampled_from(MOMENTS) | st.just(places))
            try:
                sent = broken(sent, spot, None if value is places and len(spot) != 1 else value)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier break took the place away
        answered(page.send(path, json.dumps(sent)), path=path)

    run()


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    path=st.sampled_from(PATHS), raw=st.binary(max_size=200) | ANYTHING.map(lambda value: json.dumps(value).encode())
)
def test_bytes_of_any_kind_are_never_a_server_error(settings_for_fuzz, page, path, raw):
    answered(page.send(path, raw), path=path)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    key=st.text(st.characters(max_codepoint=255), max_size=80),
    origin=st.text(st.characters(max_codepoint=255), max_size=80),
    forwarded=st.text(st.characters(max_codepoint=255), max_size=80),
)
def test_headers_of_any_kind_are_never_a_server_error(settings_for_fuzz, page, key, origin, forwarded):
    response = page.send("session", {"push": page.push}, key=key, origin=origin, X_Forwarded_For=forwarded)
    assert response.status_code in ({400} if "\0" in key + origin + forwarded else {401, 403})
    answered(response, path=BASE)
