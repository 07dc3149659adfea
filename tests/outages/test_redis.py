"""Redis away, silent or cutting connections: the product goes on without it, and says so."""

import time
from datetime import timedelta

import pytest
import redis
from django.conf import settings

from devices.delivery.services.outbox import leases_reclaim
from devices.models import DeliveryChunk, EndUser, Incident
from smartpush.common.calls.limits import limit_exceeded
from smartpush.common.redis_link import REST_SECONDS, Broker, Cache, RedisAway, circuit
from smartpush.common.time.clock import utc_now
from tests.api.page import Page
from tests.api.server.client import Server
from tests.api.server.conftest import push_of
from tests.outages.conftest import ORIGIN, Web
from tests.outages.endpoint import Endpoint, Redis

pytestmark = pytest.mark.django_db(transaction=True)
TROUBLES = ["away", "silent", "drops"]


def incidents() -> list[Incident]:
    return list(Incident.objects.filter(kind=Incident.Kind.REDIS_AWAY))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_calls_are_answered_without_redis_and_one_incident_is_kept(web: Web, trouble: str):
    assert web.session().status == 200
    assert web.store.commands > 0
    assert incidents() == []
    web.redis.become(trouble)
    before = web.redis.accepted
    for _ in range(30):
        answer = web.session()
        assert answer.status == 200, answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    preflight = web.ask("OPTIONS", "/api/v1/sdk/session", Origin=ORIGIN, Access_Control_Request_Method="POST")
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")
    # The breaker: not each of thirty calls, with several questions each, found out for itself.
    assert web.redis.accepted - before < 30
    (incident,) = incidents()
    assert (incident.brand_id, incident.until) == (None, None)
    assert incident.subject == f"127.0.0.1:{web.redis.port}"
    assert EndUser.objects.count() == 31


@pytest.mark.parametrize("trouble", TROUBLES)
def test_readyz_says_what_is_missing_and_healthz_that_the_process_lives(web: Web, trouble: str):
    ready = web.ask("GET", "/readyz")
    assert (ready.status, ready.json["missing"]) == (200, [])
    web.redis.become(trouble)
    answer = web.ask("GET", "/readyz")
    assert (answer.status, answer.json["missing"]) == (503, ["redis"])
    assert answer.json["parts"] == {"database": "ok", "migrations": "ok", "redis": "unreachable"}
    assert web.ask("GET", "/healthz").status == 200
    web.redis.become("there")
    assert web.ask("GET", "/readyz").json["status"] == "ready"


def test_the_same_process_counts_again_when_redis_is_back(web: Web):
    web.session()
    web.redis.become("away")
    web.session()
    assert len(incidents()) == 1
    web.redis.become("there")
    seen = web.store.commands
    deadline = time.monotonic() + 20 * REST_SECONDS
    while web.store.commands == seen and time.monotonic() < deadline:
        assert web.session().status == 200
    assert web.store.commands > seen
    assert incidents()[0].until is not None


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_push_is_taken_while_its_job_cannot_be_queued_and_the_ticker_rings_for_it(web: Web, trouble: str):
    server = Server(web.brand)
    page = Page(web.brand, ORIGIN)
    page.allow()
    page.session(external_id="ann")
    order = {"external_id": "ann", "push": push_of(web.brand), "data": {"order": "7"}}
    told = {"Authorization": f"Bearer {server.secret}"}
    assert web.ask("POST", "/api/v1/server/push", order, Idempotency_Key="k1", **told).status == 202
    assert [len(jobs) for jobs in web.store.lists.values()] == [1]
    web.redis.become(trouble)
    answer = web.ask("POST", "/api/v1/server/push", order, Idempotency_Key="k2", **told)
    assert answer.status == 202, answer.text
    assert answer.headers["RateLimit-Remaining"]
    chunks = list(DeliveryChunk.objects.order_by("pk"))
    assert [chunk.state for chunk in chunks] == ["ready", "ready"]
    assert len(incidents()) == 1
    later = utc_now() + timedelta(seconds=settings.SMARTPUSH_LEASE_SECONDS)
    assert [chunk.id for chunk in leases_reclaim(now=later)] == [chunk.pk for chunk in chunks]


def test_nothing_of_an_incident_is_written_a_request(web: Web):
    web.redis.become("away")
    for _ in range(10):
        web.session()
    (incident,) = incidents()
    assert incident.last_at == incident.since  # ten calls, noted once within half a minute


def test_limits_let_everybody_pass_while_redis_is_away(settings, monkeypatch):
    endpoint = Endpoint(Redis().serve)
    settings.REDIS_URL = f"redis://127.0.0.1:{endpoint.port}/0"
    monkeypatch.setattr("smartpush.common.calls.limits.cache", Cache(settings.REDIS_URL, {}))
    circuit.forget()
    try:
        waits = [limit_exceeded(scope="t", key="k", per_minute=1) for _ in range(3)]
        assert waits[0] is None
        assert all(waits[1:])
        endpoint.become("away")
        assert [limit_exceeded(scope="t", key="k", per_minute=1) for _ in range(3)] == [None] * 3
    finally:
        circuit.forget()
        endpoint.close()


def test_a_worker_gives_a_silent_redis_up_and_queueing_asks_it_once(settings):
    endpoint = Endpoint(Redis().serve)
    settings.REDIS_URL = f"redis://127.0.0.1:{endpoint.port}/0"
    endpoint.become("silent")
    circuit.forget()
    try:
        with pytest.raises(redis.RedisError):
            Broker("urgent").dequeue()
        for _ in range(3):
            asked = endpoint.accepted
            with pytest.raises(RedisAway):
                Broker("urgent").enqueue("job")
        assert endpoint.accepted == asked
    finally:
        circuit.forget()
        endpoint.close()
