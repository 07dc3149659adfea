"""A web process whose Redis and database are endpoints of the test's own."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from devices.lifecycle.brands import brand_create
from devices.models import Brand

from .endpoint import Endpoint, Redis, relay_to

REPOSITORY = Path(__file__).parents[2]
ORIGIN = "https://books.example"
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Answer:
    """One answer, its body as text and as JSON where it is that."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of an error in the one shape."""
        body = self.json
        assert list(body) == ["error"] and set(body["error"]) == {"code", "message", "fields"}, self.text
        return str(body["error"]["code"])


@dataclass
class Web:
    """The process, and calls to it."""

    redis: Endpoint
    store: Redis
    database: Endpoint
    brand: Brand
    port: int = 0

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        call = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            told = {name.replace("_", "-"): value for name, value in headers.items()}
            sent = None if body is None else body if isinstance(body, str) else json.dumps(body)
            call.request(method, path, sent, {"Content-Type": "application/json"} | told)
            answer = call.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            call.close()

    def sdk(self, path: str, body: Any) -> Answer:
        """A call of a page of the brand."""
        return self.ask("POST", f"/api/v1/sdk/{path}", body, X_Smartpush_Key=self.brand.public_key, Origin=ORIGIN)

    def session(self) -> Answer:
        push = {"status": "ask", "reason": "", "permission": "default", "subscription": None}
        page = {"url": ORIGIN + "/"}
        return self.sdk("session", {"installation": None, "tab": "t", "push": push, "device": {}, "page": page})


@pytest.fixture
def brand(transactional_db: None) -> Brand:
    return brand_create(name="Harbour Books", origin=ORIGIN)


@pytest.fixture
def web(brand: Brand) -> Iterator[Web]:
    """A running web process; everything that it needs is there."""
    params = connection.get_connection_params()
    store = Redis()
    redis = Endpoint(store.serve)
    port = params.get("port") or 5432
    database = Endpoint(relay_to(f"{params['host']}/.s.PGSQL.{port}"))
    user, secret = quote(params["user"]), quote(params["password"])
    env = {
        **os.environ,
        "SMARTPUSH_ENV": "test",
        "DJANGO_SETTINGS_MODULE": "smartpush.settings",
        "DEBUG": "false",
        "LOG_LEVEL": "CRITICAL",
        "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
        "DATABASE_URL": f"postgres://{user}:{secret}@127.0.0.1:{database.port}/{params['dbname']}?connect_timeout=2",
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.outages.child"], cwd=REPOSITORY, env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        yield Web(redis, store, database, brand, port=int(child.stdout.readline()))
    finally:
        child.kill()
        child.wait(PATIENCE_SECONDS)
        redis.close()
        database.close()
