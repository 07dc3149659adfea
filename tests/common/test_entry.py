"""Whatever a client writes into a request, no reader of it fails: never a 500, and what is refused is told."""

import json
import re
import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, RequestFactory
from pytest_django import DjangoDbBlocker

from smartpush.common.calls.entry import CleanHeaders, content_type_clean, headers_clean
from smartpush.wsgi import application
from tests.browser.product.running import LiveDatabase, Product
from tests.common.entry_cases import CONTENT_TYPES, PATHS, Case, cases, kinds_on

DEADLINE_SECONDS = 120.0
SHAPE = {"error": {"code", "message", "fields"}}


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("", ""),
        (" ", ""),
        ("application/json", "application/json"),
        ("Application/JSON ; Charset=hex", "application/json"),
        ("text/csv; header=present", "text/csv"),
        ("multipart/form-data; boundary=x", 'multipart/form-data; boundary="x"'),
        ('multipart/form-data; boundary="a b"; charset=hex', 'multipart/form-data; boundary="a b"'),
        ("multipart/form-data; charset=hex; Boundary=----WebKit7MA4", 'multipart/form-data; boundary="----WebKit7MA4"'),
        ("multipart/form-data; boundary*=nothing''x", "multipart/form-data"),
        ("multipart/form-data; boundary=\xe9", "multipart/form-data"),
        ("nonsense", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"),
        ("a/b\x00; x", "application/octet-stream"),
    ],
)
def test_a_content_type_keeps_what_a_reader_needs(given, cleaned):
    assert content_type_clean(given) == cleaned
    assert content_type_clean(cleaned) == cleaned


@pytest.mark.parametrize("kind", CONTENT_TYPES)
def test_the_wsgi_entry_cleans_before_a_request_is_built(kind):
    """Some content types fail in Django's request itself, before any middleware."""
    seen = []

    def inner(environ, start_response):
        seen.append(environ["CONTENT_TYPE"])
        return []

    environ = RequestFactory().generic("GET", "/").environ | {"CONTENT_TYPE": kind}
    CleanHeaders(inner)(environ, lambda *_: None)
    assert re.fullmatch(r'[\x20-\x7e]+/[\x20-\x7e]+?(; boundary="[\x20-\x7e]+")?', seen[0])
    assert "charset" not in seen[0]
    assert isinstance(application, CleanHeaders)


class EnteringClient(Client):
    """Django's test client with our WSGI entry in front, as a server has it."""

    def __init__(self) -> None:
        super().__init__()
        handler = self.handler

        def enter(environ):
            headers_clean(environ)
            return handler(environ)

        self.handler = enter


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_content_type_makes_no_page_fail(path):
    client = EnteringClient()
    for turn, kind in enumerate(kinds_on(path)):
        answer = (client.get, client.post)[turn % 2](f"{path}?a=%41", CONTENT_TYPE=kind)
        assert answer.status_code < 500, kind


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/admin/login/", "/api/v1/sdk/session"])
def test_what_is_refused_is_a_page_for_people_and_the_one_shape_for_programs(path):
    for host in ("evil.example", "<script>", "a b"):
        answer = Client().get(path, HTTP_HOST=host)
        assert answer.status_code == 400
        assert {key: set(value) for key, value in answer.json().items()} == SHAPE
        browser = Client().get(path, HTTP_HOST=host, headers={"Accept": "text/html"})
        assert browser.status_code == 400
        assert browser["Content-Type"].startswith("application/json" if path.startswith("/api/") else "text/html")


@pytest.mark.django_db
@pytest.mark.parametrize("length", ["abc", "-1", "+3", "1_0", "²", "9" * 30, "3, 3"])
def test_a_content_length_that_is_none_is_refused(length):
    answer = Client().post("/api/v1/sdk/session", b"{}", content_type="application/json", CONTENT_LENGTH=length)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.django_db
def test_a_cookie_with_a_nul_is_dropped_and_the_others_are_kept(client):
    user = get_user_model().objects.create_superuser("ann", password="a long password")
    client.force_login(user)
    session = client.cookies["sessionid"].value
    for broken in ('other="\\000"', 'sessionid="\\000aaaaaaaaa"'):
        answer = Client().get("/admin/", HTTP_COOKIE=f"{broken}; sessionid={session}")
        assert answer.status_code == 200, broken


@pytest.mark.django_db
def test_staff_cannot_make_a_page_fail_by_a_nul(client):
    user = get_user_model().objects.create_superuser("ann", password="a long password")
    client.force_login(user)
    for model in admin.site._registry:
        page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for rest in ("?q=%00", "?id__exact=%00", "?o=%00", "%00/change/", "%00/delete/", "%00/history/", "_00/change/"):
            assert client.get(page + rest).status_code < 500, page + rest


@pytest.mark.django_db
def test_utf_8_is_what_forms_and_queries_are_read_as(client):
    answer = client.get("/admin/login/?next=%2Fadmin%2F%C3%A9", CONTENT_TYPE="text/plain; charset=latin-1")
    assert "/admin/é" in answer.content.decode()


@pytest.fixture(scope="module")
def web(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Product]:
    """gunicorn on the database of these tests, in which nothing is written."""
    name = str(connection.settings_dict["NAME"])
    env = {"SMARTPUSH_DATABASE_NAME": name, "SMARTPUSH_LIMIT_SERVER_REFUSED_PER_ADDRESS": "1000000"}
    env["SMARTPUSH_LIMIT_PREFERENCES_PER_ADDRESS"] = "1000000"
    assert not settings.DATABASE_URL or settings.DATABASE_URL.rpartition("/")[2] == name
    product = Product(database=LiveDatabase(wrapper=lambda: connection, env={}), push_url="http://127.0.0.1:1", env=env)
    try:
        product.start_web()
        yield product
    finally:
        product.close()


def ask(port: int, case: Case) -> tuple[int, bytes]:
    """Send one request as raw bytes; returns the status and the rest of the answer."""
    lines = [f"{case.method} {case.target} HTTP/1.1", f"Host: {case.host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in case.headers]
    if case.method in {"POST", "PUT"}:
        lines.append("Content-Length: 5")
    raw = "\r\n".join([*lines, "", "a=%41" if case.method in {"POST", "PUT"} else ""])
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS) as connected:
        connected.sendall(raw.encode("latin-1"))
        parts = []
        while part := connected.recv(65536):
            parts.append(part)
    answer = b"".join(parts)
    status = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return (int(status[1]) if status else 0), answer


def test_over_a_socket_no_request_is_a_500(web):
    port = int(web.url.rpartition(":")[2])
    wrong = []
    for case in cases():
        status, answer = ask(port, case)
        if not 200 <= status < 500 or (case.status and status != case.status) or b"Traceback" in answer:
            wrong.append((str(case), status, answer[-200:]))
    assert wrong == [], (len(wrong), wrong[:10])
    assert "Traceback" not in web.web.tail(lines=400)


def test_over_a_socket_a_wrong_host_is_told_in_the_one_shape(web):
    port = int(web.url.rpartition(":")[2])
    status, answer = ask(port, Case("GET", "/healthz", host="evil.example"))
    assert status == 400
    body = re.search(rb"\{.*\}", answer, re.S)
    assert body, answer
    assert {key: set(value) for key, value in json.loads(body[0]).items()} == SHAPE
