"""What a session call and a bulk call of events cost, over HTTP from one connection to one gunicorn worker each.

The peer of the session call is a DRF view that checks three fields and inserts one row, without our middleware.
"""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import django

from tests.benchmarks.frame import ROOT, Figure, group, in_turn

CALLS = 600
EVENTS = 10_000
PEOPLE = 5_000
ONE_BY_ONE = 300
ORIGIN = "https://bench.example"
OURS, BARE, ROWS = "smartpush", "bare DRF view that inserts one row", "Event.objects.create(), one by one"
_UNLIMITED = {
    f"SMARTPUSH_LIMIT_{name}": "1000000000"
    for name in ("SDK_PER_ADDRESS", "SDK_PER_BRAND", "SERVER_PER_KEY", "REPORTS_PER_ADDRESS")
}


@group
def api(scale: float) -> Iterator[Figure]:
    """Measure both surfaces against a database of their own."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
    os.environ |= _UNLIMITED
    django.setup()
    with ExitStack() as stack:
        environment = stack.enter_context(_database())
        bench = _Bench(scale)
        ours = stack.enter_context(_gunicorn(environment))
        bare = stack.enter_context(_gunicorn({**environment, "BENCH_BARE": "1"}))
        session, row = bench.session_call(), bench.row_call()
        calls = max(20, round(CALLS * scale))
        rates = in_turn({OURS: lambda: ours.rate(session, calls), BARE: lambda: bare.rate(row, calls)}, rounds=5)
        yield Figure(
            "api.session_rate",
            rates[OURS],
            "calls/s",
            ">= 1/6 of the bare view",
            rates[OURS] >= rates[BARE] / 6,
            {BARE: rates[BARE]},
        )
        queries = bench.session_queries()
        yield Figure("api.session_queries", queries, "statements", "<= 8", queries <= 8)
        count = max(500, round(EVENTS * scale))
        events = in_turn(
            {
                OURS: lambda: count / ours.seconds(bench.events_call(count)),
                ROWS: lambda: bench.one_by_one(max(20, round(ONE_BY_ONE * scale))),
            },
            rounds=5,
        )
        peers = {ROWS: events[ROWS]}
        yield Figure("api.bulk_events", events[OURS], "events/s", ">= 5,000", events[OURS] >= 5_000, peers)


class _Bench:
    """A brand with a subscriber, five thousand people and a campaign that every tenth event lets somebody into."""

    def __init__(self, scale: float) -> None:
        # Django is set up only now.
        from devices.brands.services.api_keys import api_key_create  # noqa: PLC0415
        from devices.lifecycle.brands import brand_create  # noqa: PLC0415
        from devices.lifecycle.users import UserInput, users_upsert  # noqa: PLC0415
        from smartpush.common.time.clock import utc_now  # noqa: PLC0415
        from tests.api.page import Page  # noqa: PLC0415
        from tests.campaigns.world import World, delay, flow_of  # noqa: PLC0415

        self.brand = brand_create(name="Bench", origin=ORIGIN)
        self.page = Page(self.brand, ORIGIN)
        self.page.allow()
        self.page.session(external_id="ann")
        self.people = max(100, round(PEOPLE * scale))
        rows = [UserInput(index=n, external_id=f"u{n}") for n in range(self.people)]
        users_upsert(brand_id=self.brand.pk, rows=rows, now=utc_now())
        world = World(brand=self.brand, app=self.brand.apps.get(), vapid=self.brand.vapid_keys.get())
        world.campaign(flow_of(delay("a1", 3600)), trigger_event="deposit", entry_mode="every_time")
        _, self.secret = api_key_create(brand=self.brand, name="bench", scopes=["events:write"], by=None)

    def session_call(self) -> bytes:
        body = {
            "installation": self.page.installation,
            "tab": self.page.tab,
            "external_id": "ann",
            "push": self.page.push,
            "device": {"browser": "firefox", "browser_version": "153.0", "os": "linux", "language": "en-GB"},
        }
        return _request("/api/v1/sdk/session", body, {"X-Smartpush-Key": self.brand.public_key, "Origin": ORIGIN})

    def row_call(self) -> bytes:
        return _request("/row", {"brand": self.brand.pk, "scope": "bench", "key": "row"}, {})

    def session_queries(self) -> int:
        from django.db import connection  # noqa: PLC0415
        from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

        self.page.session(external_id="ann")
        with CaptureQueriesContext(connection) as captured:
            self.page.session(external_id="ann")
        return len(captured)

    def events_call(self, count: int) -> bytes:
        call = uuid.uuid4().hex
        events = [
            {
                "id": f"{call}-{n}",
                "external_id": f"u{n * 7 % self.people}",
                "name": "deposit" if n % 10 == 0 else "page_view",
                "properties": {"amount": n, "currency": "EUR"},
            }
            for n in range(count)
        ]
        return _request("/api/v1/server/events/bulk", {"events": events}, {"Authorization": f"Bearer {self.secret}"})

    def one_by_one(self, count: int) -> float:
        from devices.models import EndUser, Event  # noqa: PLC0415
        from smartpush.common.time.clock import utc_now  # noqa: PLC0415

        person, now = EndUser.objects.filter(brand=self.brand).first(), utc_now()
        began = time.perf_counter()
        for n in range(count):
            Event.objects.create(
                brand=self.brand, end_user=person, name="page_view", properties={"amount": n, "currency": "EUR"},
                occurred_at=now, recorded_at=now, day=now.date(),
            )  # fmt: skip
        return count / (time.perf_counter() - began)


def _request(path: str, body: Any, headers: dict[str, str]) -> bytes:
    sent = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"Content-Length: {len(sent)}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + sent


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    """A migrated database of our own; yields what a server needs to reach it, and drops it."""
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection, connections  # noqa: PLC0415

    name = f"bench_api_{os.getpid()}"
    before = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        if settings.DATABASE_URL:
            parts = urlsplit(settings.DATABASE_URL)
            yield {"DATABASE_URL": urlunsplit(parts._replace(path=f"/{name}"))}
        else:
            yield {"SMARTPUSH_DATABASE_NAME": name}
    finally:
        connections.close_all()
        connection.creation.destroy_test_db(before, verbosity=0)


class _Server:
    """One keep-alive connection: what the client costs is next to nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def rate(self, request: bytes, count: int) -> float:
        """Calls a second, one after the other, after some to warm up."""
        for _ in range(20):
            self.answered(request)
        began = time.perf_counter()
        for _ in range(count):
            self.answered(request)
        return count / (time.perf_counter() - began)

    def seconds(self, request: bytes) -> float:
        """How long one call takes."""
        began = time.perf_counter()
        self.answered(request)
        return time.perf_counter() - began

    def answered(self, request: bytes) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=120)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._read()
        head, _, body = answer.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise SystemExit(f"the server said {answer[:600]!r}")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(fields[b"content-length"])
        while len(body) < length:
            body += self._read()
        if fields.get(b"connection") == b"close":
            self._socket.close()
            self._socket = None

    def _read(self) -> bytes:
        assert self._socket is not None
        piece = self._socket.recv(65536)
        if not piece:
            raise SystemExit("the server ended the connection")
        return piece


@contextmanager
def _gunicorn(environment: dict[str, str]) -> Iterator[_Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "tests.benchmarks._api_server:application", "--bind", f"127.0.0.1:{port}",
         "--workers", "1", "--worker-class", "gthread", "--threads", "8", "--keep-alive", "60", "--no-control-socket",
         "--log-level", "error"],
        cwd=ROOT,
        env=os.environ | {"LOG_LEVEL": "WARNING"} | environment,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit("gunicorn did not start") from None
                time.sleep(0.1)
        yield _Server(port)
    finally:
        process.terminate()
        process.wait(timeout=30)
