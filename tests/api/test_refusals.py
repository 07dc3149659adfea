"""Everything that is refused, in the one shape, whatever is sent."""

import json
import re
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection
from django.test import Client

from devices.models import App, Device
from smartpush.api.sdk.auth import _sites
from smartpush.api.sdk.parsers import MAX_BODY, MAX_DEPTH
from tests.api.page import BASE, CLIENT, Page, error_of, post
from tests.api.paths import PATHS

FROM_PAGES = PATHS[:-1]


@pytest.mark.parametrize("path", FROM_PAGES)
def test_an_unknown_key_is_refused(page, path):
    for key in ("", "pk_unknown", "x" * 500, page.brand.public_key + "x" * 60, page.brand.public_key.upper()):
        response = page.send(path, {}, key=key)
        assert (response.status_code, error_of(response)["code"]) == (401, "brand_unknown")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://books.example",
        "https://books.example:443",
        "https://books.example:8443",
        "https://books.example/",
        "https://books.example.",
        "https://BOOKS.example",
        "HTTPS://books.example",
        "https://www.books.example",
        "https://evil.example",
        "https://books.example.evil.example",
        "https://books.example https://evil.example",
        "*",
        "x" * 300,
    ],
)
def test_only_the_exact_origin_is_taken(page, origin):
    response = page.send("session", {"push": page.push}, origin=origin)
    assert (response.status_code, error_of(response)["code"]) == (403, "origin_not_allowed")
    assert "exact origin" in error_of(response)["message"]
    assert response["Access-Control-Allow-Origin"] == "*"  # a page from there reads why
    assert not Device.objects.exists()


def test_another_brands_origin_is_refused_even_if_registered(page, other):
    response = page.send("session", {"push": page.push}, origin=other.origin)
    assert (response.status_code, error_of(response)["code"]) == (403, "origin_not_allowed")


def test_a_native_app_of_the_brand_has_no_origin(page):
    App.objects.create(brand=page.brand, kind="android", name="App", bundle_id="com.books")
    response = page.send("session", {"push": page.push}, origin="")
    assert (response.status_code, error_of(response)["code"]) == (403, "origin_not_allowed")


def preflight(origin: str, path: str = "session", address: str = "10.9.0.1"):
    return CLIENT.options(
        BASE + path,
        REMOTE_ADDR=address,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,x-smartpush-key",
        },
    )


ANY_PAGE = ["null", "http://books.example", "https://evil.example", "https://" + "x" * 300, "http://localhost:3000"]


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight_lets_every_page_ask_so_that_it_can_read_the_answer(page, path, django_assert_num_queries):
    for origin in (page.origin, *ANY_PAGE):
        with django_assert_num_queries(0):
            response = preflight(origin, path)
        assert response.status_code == 204
        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Access-Control-Allow-Methods"] == "POST"
        assert {name.strip() for name in response["Access-Control-Allow-Headers"].lower().split(",")} == {
            "content-type",
            "x-smartpush-key",
        }
        assert "Access-Control-Allow-Credentials" not in response


def test_too_many_preflights_from_one_address_wait_and_use_up_no_other_calls(page, settings):
    settings.SMARTPUSH_LIMITS = {**settings.SMARTPUSH_LIMITS, "sdk_per_address": 3}
    answers = [preflight(page.origin, address="10.9.9.9") for _ in range(5)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert error_of(answers[-1])["code"] == "rate_limited"
    assert preflight(page.origin, address="10.9.9.10").status_code == 204
    assert page.send("session", {"push": page.push}, address="10.9.9.9").status_code == 200


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        ({"key": "pk_unknown"}, 401, "brand_unknown"),
        ({"origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({"content_type": "text/plain"}, 415, "unsupported_media_type"),
    ],
)
def test_every_refusal_can_be_read_by_the_page_that_got_it(page, call, status, code):
    response = page.send("session", {}, **call)
    assert (response.status_code, error_of(response)["code"]) == (status, code)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response


def test_refusals_can_be_read_by_the_page_too(page):
    response = page.send("session", b"{", content_type="application/json")
    assert response.status_code == 400
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Access-Control-Expose-Headers"] == "Retry-After"


def test_only_the_sdks_addresses_have_cors(page):
    for path in ("/admin/login/", "/healthz", "/api/schema/", "/api/nowhere"):
        response = Client().get(path, headers={"Origin": page.origin})
        assert "Access-Control-Allow-Origin" not in response, path


def test_a_new_website_is_known_at_once(page):
    Page(page.brand, "https://new.example").session(expect=403)
    App.objects.create(brand=page.brand, name="New", origin="https://new.example")
    assert Page(page.brand, "https://new.example").session()["status"] == "ask"


@pytest.mark.parametrize("path", FROM_PAGES)
def test_an_archived_website_is_refused_and_its_page_can_read_why(page, path):
    page.session()
    App.objects.filter(brand=page.brand).update(archived_at=datetime.now(UTC))
    _sites.clear()  # what is remembered for two seconds
    response = page.send(path, {"push": page.push})
    assert (response.status_code, error_of(response)["code"]) == (403, "origin_not_allowed")
    assert "archived" in error_of(response)["message"]
    assert response["Access-Control-Allow-Origin"] == "*"
    assert Device.objects.count() == 1


DEEP = 100_000
BAD_BODIES = {
    "nothing": b"",
    "half": b'{"push": ',
    "not json": b"push=ask",
    "not utf-8": b'{"push": "\xff\xfe"}',
    "utf-16": '{"push": 1}'.encode("utf-16"),
    "an encoded surrogate": b'{"tab": "\xed\xa0\x80"}',
    "a lone surrogate": b'{"tab": "\\ud800"}',
    "a lone surrogate as a name": b'{"\\udfff": 1}',
    "NaN": b'{"push": NaN}',
    "Infinity": b'{"push": -Infinity}',
    "a number too long": b'{"tab": ' + b"9" * 5000 + b"}",
    "lists without end": b"[" * DEEP,
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a little too deep": b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
    "a list": b"[]",
    "text": b'"session"',
    "a number": b"1e400",
    "null": b"null",
    "an empty object": b"{}",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_is_no_request_is_refused_in_the_one_shape(page, path):
    for name, body in BAD_BODIES.items():
        response = page.send(path, body)
        assert response.status_code == 400, (name, response.content[:200])
        assert error_of(response)["code"] in {"invalid_json", "invalid_request"}, name


@pytest.mark.parametrize("path", PATHS)
def test_a_body_too_large_is_refused(page, path):
    for size in (MAX_BODY + 1, 5 * 1024 * 1024):
        response = page.send(path, b'{"a": "' + b"x" * size + b'"}')
        assert (response.status_code, error_of(response)["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_content_type_is_refused(page, path):
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "x",
        "text/html",
    ):
        response = page.send(path, b"{}", content_type=kind)
        assert (response.status_code, error_of(response)["code"]) == (415, "unsupported_media_type"), kind


@pytest.mark.parametrize("charset", ["zlib", "bz2", "hex", "rot13", "utf-7", "idna", "undefined", "nothing"])
def test_a_content_type_cannot_choose_how_the_body_is_decoded(page, charset):
    response = page.send("session", {"push": page.push}, content_type=f"application/json; charset={charset}")
    assert response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_wrong_method_is_refused(page, path):
    for method in ("get", "put", "patch", "delete"):
        response = getattr(Client(), method)(
            BASE + path, headers={"X-Smartpush-Key": page.brand.public_key, "Origin": page.origin}
        )
        assert (response.status_code, error_of(response)["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/sdk/", "/api/v1/sdk/sessions", "/api/v1/sdk/session/"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_addresses_that_exist_nowhere_say_so_in_the_one_shape(db, path, method):
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")


def test_a_format_that_is_not_there_is_refused(page):
    response = page.send("session", {"push": page.push}, Accept="text/html")
    assert (response.status_code, error_of(response)["code"]) == (406, "not_acceptable")


def test_wrong_fields_are_named_by_their_path(page):
    page.allow()
    push = page.push
    push["subscription"] |= {"auth": None}
    error = page.session(push=push, installation={"id": "x"}, external_id=7, expect=400)
    assert set(error["fields"]) == {"push.subscription.auth", "installation.secret", "external_id"}


@pytest.mark.usefixtures("one_minute")
def test_too_many_calls_from_one_address_wait(page, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"sdk_per_address": 3}
    for n in range(3):
        assert page.send("session", {"push": page.push}, X_Forwarded_For=f"1.2.3.{n}").status_code == 200
    response = page.send("session", {"push": page.push}, X_Forwarded_For="9.9.9.9")
    assert (response.status_code, error_of(response)["code"]) == (429, "rate_limited")
    assert re.fullmatch(r"[1-9]|[1-5]\d|60", response["Retry-After"])
    assert response["Access-Control-Expose-Headers"] == "Retry-After"
    assert Page(page.brand, page.origin).session()["status"] == "ask"


@pytest.mark.usefixtures("one_minute")
def test_behind_a_proxy_each_visitor_has_a_limit_of_their_own(page, settings):
    settings.SMARTPUSH_TRUSTED_PROXIES = 1
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"sdk_per_address": 1}
    body = {"push": page.push}
    assert page.send("session", body, X_Forwarded_For="8.8.8.8, 1.1.1.1").status_code == 200
    assert page.send("session", body, X_Forwarded_For="7.7.7.7, 1.1.1.1").status_code == 429
    assert page.send("session", body, X_Forwarded_For="8.8.8.8, 2.2.2.2").status_code == 200


@pytest.mark.usefixtures("one_minute")
def test_too_many_calls_of_one_brand_wait_and_another_brand_goes_on(page, other, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"sdk_per_brand": 2}
    for _ in range(2):
        Page(page.brand, page.origin).session()
    response = Page(page.brand, page.origin).send("session", {"push": page.push})
    assert (response.status_code, error_of(response)["code"]) == (429, "rate_limited")
    assert int(response["Retry-After"]) <= 60
    assert other.session()["status"] == "ask"


@pytest.mark.usefixtures("one_minute")
def test_refused_calls_count_too(page, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"sdk_per_address": 2}
    codes = [page.send("session", {}, key="pk_guess").status_code for _ in range(4)]
    assert codes == [401, 401, 429, 429]


@pytest.mark.usefixtures("one_minute")
def test_too_many_reports_from_one_address_wait(db, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"reports_per_address": 1}
    body = {"reports": [{"token": "x", "kind": "displayed"}]}
    assert post("reports", body).status_code == 200
    response = post("reports", body)
    assert (response.status_code, error_of(response)["code"]) == (429, "rate_limited")
    assert "Retry-After" in response
    assert post("reports", body, address="10.9.9.9").status_code == 200


def test_a_database_that_is_away_is_a_busy_server(page):
    page.session()

    def away(execute, sql, params, many, context):
        raise OperationalError("connection refused")

    with connection.execute_wrapper(away):
        response = page.send("session", {"push": page.push, "installation": page.installation})
    assert (response.status_code, error_of(response)["code"]) == (503, "server_busy")
    assert int(response["Retry-After"]) >= 1


def test_a_failure_of_ours_says_nothing_about_itself(page):
    page.session()

    def broken(execute, sql, params, many, context):
        raise RuntimeError("the secret inside")

    with connection.execute_wrapper(broken):
        client = Client(raise_request_exception=False)
        response = client.post(
            BASE + "session",
            json.dumps({"push": page.push, "installation": page.installation}),
            content_type="application/json",
            headers={"X-Smartpush-Key": page.brand.public_key, "Origin": page.origin},
        )
    assert (response.status_code, error_of(response)["code"]) == (500, "internal")
    assert b"secret" not in response.content
