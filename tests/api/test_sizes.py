"""Bodies as large as the documentation says, over a real socket: what the test client hands over is no stream."""

import gzip
import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from devices.brands.services.api_keys import api_keys_forget
from devices.models import EndUser
from smartpush.api.sdk.parsers import MAX_BODY
from smartpush.api.server.views.base import ServerParser
from tests.api.page import Page
from tests.api.server.client import Server

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1024 * 1024


def sent(live_server, path: str, body: bytes, **headers: str) -> tuple[int, dict]:
    """The status and JSON that a POST of these bytes is answered with."""
    address = urlsplit(live_server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def filled(body: dict, size: int) -> bytes:
    """The JSON of a body, blown up with blanks to so many bytes."""
    text = json.dumps(body).encode()
    return text + b" " * (size - len(text))


@pytest.fixture
def key(brand) -> dict[str, str]:
    api_keys_forget()
    return {"Authorization": f"Bearer {Server(brand).secret}"}


def test_ten_thousand_people_in_6_mb_are_written(live_server, brand, key):
    rows = [{"external_id": f"u{n}", "properties": {"note": "x" * 560}} for n in range(10_000)]
    body = json.dumps({"users": rows}).encode()
    assert len(body) > 6_000_000
    status, answer = sent(live_server, "/api/v1/server/users/bulk", body, **key)
    assert (status, answer["created"], answer["errors"]) == (200, 10_000, [])
    assert EndUser.objects.filter(brand=brand).count() == 10_000


def test_the_servers_bodies_have_16_mib_and_not_a_byte_more(live_server, key):
    assert ServerParser.max_body == 16 * MIB
    users = {"users": [{"external_id": "ann"}]}
    status, answer = sent(live_server, "/api/v1/server/users/bulk", filled(users, 16 * MIB), **key)
    assert (status, answer["created"]) == (200, 1)
    status, answer = sent(live_server, "/api/v1/server/users/bulk", filled(users, 16 * MIB + 1), **key)
    assert (status, answer["error"]["code"]) == (413, "payload_too_large")
    assert str(16 * MIB) in answer["error"]["message"]


def test_the_pages_bodies_have_1_mib_and_not_a_byte_more(live_server, brand):
    assert MAX_BODY == MIB
    page = Page(brand, "https://books.example")
    headers = {"X-Smartpush-Key": brand.public_key, "Origin": page.origin}
    body = {"push": page.push}
    assert sent(live_server, "/api/v1/sdk/session", filled(body, MIB), **headers)[0] == 200
    status, answer = sent(live_server, "/api/v1/sdk/session", filled(body, MIB + 1), **headers)
    assert (status, answer["error"]["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("path", ["/api/v1/server/users/bulk", "/api/v1/sdk/session"])
def test_a_chunked_body_is_asked_for_its_length(live_server, key, path):
    address = urlsplit(live_server.url)
    headers = {
        "Host": address.netloc, "Content-Type": "application/json", "Transfer-Encoding": "chunked",
        "Connection": "close", **key,
    }  # fmt: skip
    chunks = [b'{"users": [', b'{"external_id": "ann"}]}', b""]
    body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    # In one piece: the server answers the head and closes, and a piece sent after that would break.
    with socket.create_connection((address.hostname or "", address.port or 80), timeout=120) as connection:
        connection.sendall(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answer = http.client.HTTPResponse(connection, method="POST")
        answer.begin()
        error = json.loads(answer.read())["error"]
    assert (answer.status, error["code"], error["fields"]) == (411, "length_required", {})
    assert "Content-Length" in error["message"]
    assert not EndUser.objects.exists()


def test_a_compressed_body_is_refused_by_what_it_is(live_server, key):
    body = gzip.compress(b'{"users": [{"external_id": "ann"}]}')
    status, answer = sent(live_server, "/api/v1/server/users/bulk", body, **key, **{"Content-Encoding": "gzip"})
    assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")
    assert "gzip" in answer["error"]["message"]
    plain = {**key, "Content-Encoding": "Identity"}
    assert sent(live_server, "/api/v1/server/users/bulk", gzip.decompress(body), **plain)[0] == 200


def test_the_mark_that_editors_begin_utf_8_with_is_no_part_of_the_json(live_server, key):
    body = b"\xef\xbb\xbf" + json.dumps({"users": [{"external_id": "ann"}]}).encode()
    status, answer = sent(live_server, "/api/v1/server/users/bulk", body, **key, **{"Content-Encoding": "identity"})
    assert (status, answer["created"]) == (200, 1)
