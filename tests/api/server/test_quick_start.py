"""The quick starts of docs/server-api.md, run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devices.lifecycle.brands import brand_create
from devices.models import Event
from smartpush.api.server import urls
from tests.api.page import Page
from tests.api.server.client import Server
from tests.api.server.conftest import push_of

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "server-api.md").read_text()


def blocks(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    assert found
    return "\n".join(found)


@pytest.mark.django_db(transaction=True)
def test_the_quick_starts_run(live_server):
    brand = brand_create(name="Harbour Books", origin="https://books.example")
    server = Server(brand)
    page = Page(brand, "https://books.example")
    page.allow()
    page.session(external_id="customer-42")
    push_of(brand, "Order shipped")
    environment = os.environ | {"HOST": live_server.url, "KEY": server.secret, "no_proxy": "*"}
    for command in (["bash", "-ec", blocks("bash")], [sys.executable, "-c", blocks("python")]):
        run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
        assert run.returncode == 0, run.stdout + run.stderr
    assert "sent to 1 devices" in run.stdout
    assert "web ready" in run.stdout
    assert server.call("GET", "users/customer-42")["properties"] == {"first_name": "Ann", "vip": True}
    assert Event.objects.filter(name="deposit").count() == 2


def test_every_address_is_in_the_document():
    for pattern in urls.urlpatterns:
        address = re.sub("<path:external_id>", "{external_id}", str(pattern.pattern))
        address = re.sub(r"<str:\w+>", "{id}", address)
        assert f" {address}`" in DOCUMENT, address


def test_every_code_of_the_surface_is_in_the_document():
    folder = Path(urls.__file__).parent
    source = "".join(path.read_text() for path in folder.rglob("*.py"))
    codes = set(re.findall(r'(?:ApiError\(\s*\d{3},|RowRefused\(|RowError\([a-z]+,)\s*"(\w+)"', source))
    assert len(codes) > 12
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()
