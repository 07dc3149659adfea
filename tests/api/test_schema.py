"""The OpenAPI document of both surfaces, and the surfaces as schemathesis tries them from that document."""

from io import StringIO
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from django.core.management import call_command
from django.urls import get_resolver
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from devices.brands.services.api_keys import api_keys_forget
from tests.api.operations import SDK, document, operations
from tests.api.page import error_of
from tests.api.server.client import BASE as SERVER
from tests.api.server.client import Server
from tests.api.server.conftest import push_of

ERRORS = {"400", "401", "403", "429", "503"}


def test_the_document_is_whole_and_has_no_warnings():
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


@pytest.mark.parametrize("prefix", [SDK, SERVER])
def test_every_endpoint_is_in_it(prefix):
    (surface,) = [one for one in get_resolver().url_patterns if f"/{one.pattern}" == prefix]
    found = set()
    for pattern in surface.url_patterns:
        address = prefix + str(pattern.pattern).replace("<path:", "{").replace("<str:", "{").replace(">", "}")
        view = pattern.callback.view_class
        found |= {(address, name) for name in ("get", "post", "patch", "delete") if hasattr(view, name)}
    assert found == {(path, method) for path, method, _ in operations(prefix)}


@pytest.mark.parametrize("prefix", [SDK, SERVER])
def test_every_call_has_examples_who_may_make_it_and_how_it_is_refused(prefix):
    for path, method, operation in operations(prefix):
        name = (path, method)
        assert operation["security"], name
        open_to_all = path == SDK + "reports"
        assert operation["responses"].keys() >= (ERRORS - {"401", "403"} if open_to_all else ERRORS), name
        body = operation.get("requestBody")
        if body is not None:
            content = body["content"]["application/json"]
            assert "example" in content or "examples" in content, name
    error = document()["components"]["schemas"]["Error"]["properties"]["error"]
    assert set(error["required"]) == {"code", "message", "fields"}


def tried(prefix: str, send: Any) -> None:
    """Send what schemathesis makes of each operation, good and bad; the answers are in one of the two shapes."""
    schema = schemathesis.openapi.from_dict(document())
    for path, method, _ in operations(prefix):
        _try(
            schema[path][method.upper()], lambda case, known, path=path, method=method: send(path, method, case, known)
        )


def _try(operation: Any, send: Any) -> None:
    @settings(
        max_examples=12,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
        known=st.booleans(),
    )
    def run(case, known):
        # Through Django's own client: schemathesis's closes the connection that the test's transaction lives on.
        response = send(case, known)
        assert response.status_code < 500, (operation.label, response.content)
        assert str(response.status_code) in operation.definition.raw["responses"], (operation.label, response.content)
        if response.status_code >= 400:
            error_of(response)
        elif response.streaming:
            b"".join(response)

    run()


def test_nothing_made_from_the_document_breaks_the_sdks_surface(page, settings_for_fuzz):
    page.session()

    def send(path, method, case, known):
        body = b"" if isinstance(case.body, NotSet) else case.body
        if known and isinstance(body, dict) and "installation" in body:
            body = body | {"installation": page.installation}
        return page.send(path.removeprefix(SDK), body)

    tried(SDK, send)


def test_nothing_made_from_the_document_breaks_the_servers_surface(page, settings_for_fuzz):
    api_keys_forget()
    server = Server(page.brand)
    page.allow()
    page.session(external_id="ann")
    order = {"external_id": "ann", "push": push_of(page.brand)}
    message = server.call("POST", "push", order, expect=202, Idempotency_Key="k")
    ours = {"external_id": "ann", "message": message["id"], "delivery": message["deliveries"][0]}

    def send(path, method, case, known):
        for name, value in (case.path_parameters or {}).items():
            value = ours.get(name, value) if known and method != "DELETE" else value
            path = path.replace(f"{{{name}}}", quote(str(value), safe="") or "x")
        query = urlencode(case.query or {}, doseq=True, errors="replace")
        made = {name.replace("-", "_"): value for name, value in (case.headers or {}).items() if _header(value)}
        made.pop("Authorization", None)
        body = None if isinstance(case.body, NotSet) else case.body
        if known and isinstance(body, dict) and "push" in body:
            body = body | order
        return server.send(method.upper(), path.removeprefix(SERVER) + ("?" + query if query else ""), body, **made)

    tried(SERVER, send)


def _header(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()
