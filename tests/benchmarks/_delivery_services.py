"""The whole product beside push services that are silent, drip, fail and limit: how soon the others get theirs.

A real worker (`manage.py worker`, one process a lane) sends to push services on this machine.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import django
from django.conf import settings
from django.db import connection, connections

from tests.benchmarks.frame import ROOT, Figure

DATABASE = "bench_delivery"
PROMPT_SECONDS, LANES = 150.0, ("urgent", "bulk")
LIMIT, WINDOW, LIMITED = 100, 2.0, 3_000
WITHIN = 1.0


def measured(scale: float) -> Iterator[Figure]:
    """Measure with a worker on a database of its own, dropped at the end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
    django.setup()
    from devices.pushservice.server import LocalPushService  # noqa: PLC0415  Django is set up only now
    from tests.support.mute import Mute  # noqa: PLC0415

    silent, dripping = Mute(), Mute(drip=12 / len(Mute.ANSWER))
    with LocalPushService() as healthy, LocalPushService() as failing:
        origins = [healthy.url, failing.url, silent.url, dripping.url]
        settings.SMARTPUSH_DEV_ORIGINS = frozenset(origins)
        failing.fail(500)
        with _database() as env, _worker({**env, "SMARTPUSH_DEV_ORIGINS": ",".join(origins)}):
            for lane in LANES:
                yield from _promptness(lane, healthy, origins[1:], seconds=max(15.0, PROMPT_SECONDS * scale))
            yield from _limited(healthy, messages=max(600, round(LIMITED * scale)))
            yield from _audited()
    silent.close()
    dripping.close()


@contextmanager
def _database() -> Iterator[dict[str, str]]:
    before = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = DATABASE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        if settings.DATABASE_URL:
            parts = urlsplit(settings.DATABASE_URL)
            yield {"DATABASE_URL": urlunsplit(parts._replace(path=f"/{DATABASE}"))}
        else:
            yield {"SMARTPUSH_DATABASE_NAME": DATABASE}
    finally:
        connections.close_all()
        connection.settings_dict["NAME"] = before
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')


@contextmanager
def _worker(env: dict[str, str]) -> Iterator[None]:
    pid_file = ROOT / "var" / "bench" / "worker.pid"
    command = [sys.executable, str(ROOT / "manage.py"), "worker", "--pid-file", str(pid_file)]
    environment = os.environ | {"SMARTPUSH_URGENT_WORKERS": "1", "SMARTPUSH_BULK_WORKERS": "1", **env}
    with Path(os.devnull).open("wb") as nowhere:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=nowhere, stderr=nowhere)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)


def _promptness(lane: str, healthy: Any, bad: list[str], *, seconds: float) -> Iterator[Figure]:
    """Send to a healthy service ten times a second, and to each bad one once a second."""
    from devices.delivery.services.outbox import chunks_cut  # noqa: PLC0415
    from tests.support.mute import subscriber_at  # noqa: PLC0415

    ours, theirs = _channel(f"Prompt {lane}", healthy), _channel(f"Slow {lane}", healthy)
    browser = ours.subscriber(f"prompt-{lane}")
    slow = {url: subscriber_at(theirs, url, f"slow-{lane}-{n}") for n, url in enumerate(bad)}
    _wait(lambda: _pushed(ours, browser, lane, "warm", chunks_cut) and _taken(ours, 1), 60)
    sent: dict[int, float] = {}
    began = time.time()
    number = 0
    while (now := time.time()) - began < seconds:
        if number % 10 == 0:
            for url, person in slow.items():
                dispatch = theirs.dispatch(key=f"{lane}-{url}-{number}", lane=lane, ttl=120)
                theirs.add(dispatch, person, request=f"{number}")
                chunks_cut(now=theirs.now, dispatch_ids=[dispatch])
        number += 1
        _pushed(ours, browser, lane, str(number), chunks_cut)
        sent[number] = time.time()
        time.sleep(max(0.0, now + 0.1 - time.time()))
    _wait(lambda: _taken(ours, 1 + number), 120)
    arrived = {json.loads(m["plaintext"])["smartpush"]["title"]: m["received_at"] for m in _messages(ours)}
    waits = sorted(arrived[str(n)] - at for n, at in sent.items())
    p99 = waits[int(len(waits) * 0.99)]
    name = f"delivery.prompt_beside_slow.{lane}"
    yield Figure(f"{name}.p50", 1000 * statistics.median(waits), "ms")
    yield Figure(f"{name}.p99", 1000 * p99, "ms", f"<= {1000 * WITHIN:,.0f}", p99 <= WITHIN)


def _limited(service: Any, *, messages: int) -> Iterator[Figure]:
    """Send to a service that takes so many in each window."""
    from devices.lifecycle.brands import brand_resume, brand_stop  # noqa: PLC0415
    from devices.models import Delivery  # noqa: PLC0415

    channel = _channel("Limited", service)
    browsers = [channel.subscriber(f"limited-{n}") for n in range(messages)]
    brand_stop(brand_id=channel.brand.pk, now=channel.now)
    dispatch = channel.dispatch(key="limited", lane="bulk")
    for browser in browsers:
        channel.add(dispatch, browser, request="limited")
    service.fail("limit", limit=LIMIT, window=WINDOW)
    brand_resume(brand_id=channel.brand.pk)
    rows = Delivery.objects.filter(dispatch_id=dispatch)
    _wait(lambda: not rows.filter(state__in=["ready", "sending"]).exists(), 60 + messages / LIMIT * WINDOW * 5)
    failure = service._state.failures._by_token["*"]
    taken = Counter(int(m["received_at"] // WINDOW) for m in _messages(channel))
    known = min(failure.refused)  # the window in which the limit is met for the first time
    windows = range(known + 1, max(taken))
    used = sum(taken[window] for window in windows) / (LIMIT * len(windows))
    refused = sum(count for window, count in failure.refused.items() if window > known) / messages
    lost = messages - rows.filter(state="accepted").count()
    yield Figure("delivery.limited.used", 100 * used, "% of what is allowed", ">= 95", used >= 0.95)
    yield Figure("delivery.limited.refused", 100 * refused, "% of messages", "<= 2", refused <= 0.02)
    yield Figure("delivery.limited.lost", lost, "messages", "0", lost == 0)
    service.clear_failures()


def _audited() -> Iterator[Figure]:
    from campaigns.selectors.audit import audit  # noqa: PLC0415
    from smartpush.common.time.clock import utc_now  # noqa: PLC0415

    found = sum(finding.count for finding in audit(now=utc_now()))
    yield Figure("delivery.audit_findings", found, "rows", "0", found == 0)


def _channel(name: str, service: Any) -> Any:
    from devices.lifecycle.brands import brand_create  # noqa: PLC0415
    from tests.support.sending import Channel  # noqa: PLC0415

    return Channel(brand_create(name=name, origin="https://books.example"), service)


def _pushed(channel: Any, browser: Any, lane: str, number: str, cut: Callable[..., object]) -> bool:
    """Ask for one push, as a transactional call does."""
    from tests.support.sending import variant  # noqa: PLC0415

    variants = {"en": variant(title=number)}
    dispatch = channel.dispatch(key=f"{lane}-{number}", lane=lane, variants=variants)
    channel.add(dispatch, browser, request=number)
    cut(now=channel.now, dispatch_ids=[dispatch])
    return True


def _messages(channel: Any) -> list[dict[str, Any]]:
    tokens = set(channel.tokens.values())
    found: list[dict[str, Any]] = []
    after = 0
    while page := channel.service.messages(after=after, limit=5000):
        found += [message for message in page if message["token"] in tokens]
        after = page[-1]["seq"]
    return found


def _taken(channel: Any, count: int) -> bool:
    return len(_messages(channel)) >= count


def _wait(probe: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:.0f} s")
        time.sleep(0.25)
