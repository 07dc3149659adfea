"""What is answered before an endpoint is reached, or in place of its answer, is in the OpenAPI document too."""

import re
from urllib.parse import quote

import pytest

from devices.brands.services.api_keys import api_keys_forget
from smartpush.api.sdk.parsers import SdkParser
from smartpush.api.server.views.base import ServerParser
from tests.api.operations import SDK, operations
from tests.api.page import CLIENT, error_of
from tests.api.server.client import BASE as SERVER
from tests.api.server.client import Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def answers(page, settings_for_fuzz):
    """Send every operation of the document, with headers, as somebody who may make it; yields it and the answer."""
    api_keys_forget()
    keys = {
        SDK: {"X-Smartpush-Key": page.brand.public_key, "Origin": page.origin},
        SERVER: {"Authorization": f"Bearer {Server(page.brand).secret}"},
    }

    def send(content=b"", content_type="application/json", methods=None, **headers):
        for surface, key in keys.items():
            for path, method, operation in operations(surface):
                if methods is not None and method not in methods:
                    continue
                address = quote(re.sub(r"\{\w+\}", "x", path))
                made = key | {name.replace("_", "-"): value for name, value in headers.items()}
                answer = CLIENT.generic(method.upper(), address, content, content_type=content_type, headers=made)
                yield f"{method} {path}", operation["responses"], answer

    return send


def expect(found, status, code):
    """Each of the answers has the status and code, and the document has that status for it."""
    seen = 0
    for name, declared, answer in found:
        assert (answer.status_code, error_of(answer)["code"]) == (status, code), name
        assert str(status) in declared, name
        seen += 1
    assert seen >= 15


def test_a_chunked_body_is_answered_411_by_every_operation_and_the_document_says_so(answers):
    expect(answers(Transfer_Encoding="chunked"), 411, "length_required")


def test_a_compressed_body_is_answered_415_by_every_operation_and_the_document_says_so(answers):
    expect(answers(b"{}", Content_Encoding="gzip"), 415, "unsupported_media_type")


def test_another_format_is_answered_406_by_every_operation_and_the_document_says_so(answers):
    expect(answers(Accept="text/html"), 406, "not_acceptable")


def test_a_body_that_is_too_large_is_answered_413_and_the_document_says_so(answers, monkeypatch):
    monkeypatch.setattr(SdkParser, "max_body", 10)
    monkeypatch.setattr(ServerParser, "max_body", 10)
    found = answers(b'{"a": "far too long"}', methods={"post", "patch", "put"})
    # Whose address names nothing is told so before the body is read.
    expect((one for one in found if one[2].status_code != 404), 413, "payload_too_large")


def test_too_many_calls_are_answered_429_by_every_operation_and_the_document_says_so(answers, settings):
    settings.SMARTPUSH_LIMITS = dict.fromkeys(settings.SMARTPUSH_LIMITS, 0)
    expect(answers(), 429, "rate_limited")
