"""Who may call: keys, scopes, limits."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from devices.brands.services.api_keys import CannotMakeKey, api_key_create, api_key_revoke, api_keys_forget
from devices.models import ApiKey
from tests.api.page import error_of
from tests.api.server.client import BASE, Server

CALLS = [
    ("POST", "users/bulk", "users:write"),
    ("GET", "users/ann", "users:read"),
    ("PATCH", "users/ann", "users:write"),
    ("DELETE", "users/ann", "users:write"),
    ("POST", "users/ann/markers", "users:write"),
    ("POST", "users/ann/opt-out", "users:write"),
    ("POST", "users/ann/rename", "users:write"),
    ("POST", "users/ann/merge", "users:write"),
    ("GET", "users/ann/export", "users:read"),
    ("POST", "events/bulk", "events:write"),
    ("GET", "campaigns", "campaigns:trigger"),
    ("POST", "campaigns/AAAA/trigger", "campaigns:trigger"),
    ("GET", "push/resources", "push:send"),
    ("POST", "push", "push:send"),
    ("GET", "push/AAAA", "deliveries:read"),
    ("DELETE", "push/AAAA", "push:send"),
    ("POST", "push/AAAA/cancel", "push:send"),
    ("GET", "deliveries", "deliveries:read"),
    ("GET", "deliveries/AAAA", "deliveries:read"),
]


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_each_call_needs_its_scope_and_says_which(brand, method, path, scope):
    server = Server(brand, scopes=[one for one in ApiKey.Scope.values if one != scope])
    error = server.call(method, path, {}, expect=403)
    assert (error["code"], error["fields"]) == ("scope_missing", {"scope": [scope]})
    assert scope in error["message"]
    allowed = Server(brand, scopes=[scope]).send(method, path, {} if method != "GET" else None)
    assert allowed.status_code not in {401, 403}


@pytest.mark.parametrize(("path", "scope"), [(path, scope) for method, path, scope in CALLS if method == "GET"])
def test_head_needs_the_scope_of_get(brand, path, scope):
    without = Server(brand, scopes=[one for one in ApiKey.Scope.values if one != scope])
    assert without.send("HEAD", path, None).status_code == 403


@pytest.mark.parametrize(("method", "path", "scope"), CALLS)
def test_nothing_is_answered_without_a_key(server, method, path, scope):
    for authorization, code in (
        ("", "key_missing"),
        ("Bearer ", "key_missing"),
        (f"Basic {server.secret}", "key_missing"),
        ("Bearer sk_unknown", "key_unknown"),
        (f"Bearer {server.secret}x", "key_unknown"),
        (f"Bearer {server.brand.public_key}", "key_unknown"),
        (f"Bearer {server.key.secret_hash}", "key_unknown"),
    ):
        response = server.send(method, path, {}, Authorization=authorization)
        assert (response.status_code, error_of(response)["code"]) == (401, code)
        assert response["WWW-Authenticate"].startswith("Bearer")


def test_the_secret_is_kept_as_a_hash_and_its_use_noted_once_a_minute(server):
    stored = ApiKey.objects.get()
    assert server.secret not in str(ApiKey.objects.values().get())
    assert server.secret.startswith(stored.prefix)
    with time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC), tick=False) as clock:
        seen = []
        for seconds in (0, 30, 31):
            clock.shift(timedelta(seconds=seconds))
            api_keys_forget()
            server.call("GET", "campaigns")
            seen.append(ApiKey.objects.get().last_used_at)
    assert seen[0] == seen[1]
    assert seen[2] - seen[0] == timedelta(seconds=61)


def test_a_revoked_key_is_refused_at_once_here_and_within_two_seconds_elsewhere(server, monkeypatch):
    server.call("GET", "campaigns")
    clock = [0.0]
    monkeypatch.setattr("devices.brands.services.api_keys.time.monotonic", lambda: clock[0])
    api_keys_forget()
    server.call("GET", "campaigns")
    ApiKey.objects.update(revoked_at=datetime.now(UTC))  # by another process
    clock[0] = 1.9
    server.call("GET", "campaigns")
    clock[0] = 2.1
    assert server.call("GET", "campaigns", expect=401)["code"] == "key_unknown"
    key, secret = api_key_create(brand=server.brand, name="Second", scopes=["push:send"], by=None)
    second = Server(server.brand, secret=secret)
    second.call("GET", "push/resources")
    api_key_revoke(key=key, now=datetime.now(UTC))
    assert second.call("GET", "push/resources", expect=401)["code"] == "key_unknown"


@pytest.mark.parametrize(("name", "scopes"), [("", ["push:send"]), ("x" * 121, ["push:send"]), ("a", []), ("a", ["x"])])
def test_a_key_has_a_name_and_scopes_that_there_are(brand, name, scopes):
    with pytest.raises(CannotMakeKey):
        api_key_create(brand=brand, name=name, scopes=scopes, by=None)


def test_answers_tell_how_the_limit_stands_and_too_many_calls_wait(server, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"server_per_key": 2}
    other = Server(server.brand)
    with time_machine.travel("2026-11-23T12:00:20Z", tick=False):
        first = server.send("GET", "campaigns")
        assert [first[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == ["2", "1", "40"]
        assert server.send("GET", "users/nobody")["RateLimit-Remaining"] == "0"
        refused = server.send("GET", "campaigns")
        assert (refused.status_code, error_of(refused)["code"]) == (429, "rate_limited")
        assert (refused["Retry-After"], refused["RateLimit-Remaining"]) == ("40", "0")
        assert other.send("GET", "campaigns").status_code == 200


@pytest.mark.usefixtures("one_minute")
def test_who_tries_keys_waits(server, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"server_refused_per_address": 2}
    codes = [server.send("GET", "campaigns", Authorization=f"Bearer sk_{n}").status_code for n in range(3)]
    assert codes == [401, 401, 429]
    assert server.send("GET", "campaigns").status_code == 200


def test_no_page_can_read_the_answers(server):
    response = server.send("GET", "campaigns", Origin="https://books.example")
    assert not [name for name in response.headers if name.startswith("Access-Control")]
    preflight = Client().options(
        BASE + "campaigns", headers={"Origin": "https://books.example", "Access-Control-Request-Method": "GET"}
    )
    assert preflight.status_code == 401
    assert not [name for name in preflight.headers if name.startswith("Access-Control")]
