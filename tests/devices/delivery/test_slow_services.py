"""A push service that is silent, drips or fails keeps waiting what goes there, and nothing else."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connections

from devices.delivery.push_services.health import records_read
from devices.delivery.sending import chunk_send, lane_send
from devices.delivery.sending.send import SLOW_MOST, STALE_SECONDS, Hours, Sending, close_senders
from devices.delivery.services.outbox import chunks_cut
from devices.models import Delivery, DeliveryChunk, Incident, OriginHealth
from devices.pushservice.server import LocalPushService
from tests.browser.harness.waiting import wait_until
from tests.support.mute import Mute, subscriber_at
from tests.support.sending import Channel

LONG = 600.0
PROMPT = 12
COUNT = 40


@pytest.fixture
def live(transactional_db, brand, push_service, settings, monkeypatch) -> Iterator[Channel]:
    """A channel whose clock goes on, for as patient a sender that a slow machine changes nothing."""
    monkeypatch.setattr("devices.delivery.sending.send.ANSWER_SECONDS", LONG)
    push_service.clear_failures()
    close_senders()
    yield Channel(brand, push_service)
    close_senders()


@pytest.fixture
def service_at(live, settings):
    """Makes an origin one that may be sent to."""

    def allow(*urls: str) -> None:
        settings.SMARTPUSH_DEV_ORIGINS = frozenset({live.service.url, *urls})

    return allow


def state_of(delivery_ids) -> set[str]:
    return set(Delivery.objects.filter(pk__in=delivery_ids).values_list("state", flat=True))


@pytest.mark.parametrize("lane", ["urgent", "bulk"])
def test_a_healthy_service_is_sent_to_while_others_are_silent_drip_and_fail(live, service_at, lane):
    silent, dripping = Mute(), Mute(drip=1.0)
    with LocalPushService() as failing:
        service_at(silent.url, dripping.url, failing.url)
        failing.fail(500)
        slow, stuck = [], []
        for url in (silent.url, dripping.url, failing.url):
            dispatch = live.dispatch(key=url, lane=lane)
            for _ in range(5):
                person = subscriber_at(live, url, f"slow-{len(slow)}")
                slow += live.add(dispatch, person, request="slow")
            if url != failing.url:
                stuck = list(slow)
        first, *_ = chunks_cut(now=live.now)
        sender = threading.Thread(target=_send, args=(first.id, lane))
        sender.start()
        try:
            wait_until(lambda: state_of(stuck) == {"sending"}, timeout=120, what="all of them are under way")
            for number in range(PROMPT):
                person = live.subscriber(f"prompt-{number}")
                (pk,) = live.add(live.dispatch(key=f"prompt-{number}", lane=lane), person, request="prompt")
                chunks_cut(now=live.now)
                wait_until(lambda pk=pk: state_of([pk]) == {"accepted"}, timeout=120, what=f"push {number} was taken")
                assert state_of(stuck) == {"sending"}, "it was taken only when the slow ones were over"
        finally:
            silent.close()
            dripping.close()
            sender.join(120)
    assert not sender.is_alive()
    assert state_of(slow) == {"ready"}  # unsure or to be tried again
    assert not DeliveryChunk.objects.exclude(state="done").exists()


def _send(chunk_id: int, lane: str) -> None:
    try:
        lane_send(chunk_id=chunk_id, lane=lane, now=_now())
    finally:
        connections.close_all()


def _now():
    return Channel.now.fget(None)


def test_a_silent_service_keeps_few_chunks_open_and_the_job_ends_when_it_has_lasted_long(live, service_at):
    silent = Mute()
    service_at(silent.url)
    for number in range(COUNT):
        person = subscriber_at(live, silent.url, f"slow-{number}")
        live.add(live.dispatch(key=f"slow-{number}"), person, request="slow")
    first, *_ = chunks_cut(now=live.now)

    sending = Sending(now=live.now, lane="urgent", hours=Hours(soft=LONG, hard=LONG))

    def run() -> None:
        try:
            sending.run([first.id])
        finally:
            connections.close_all()

    sender = threading.Thread(target=run)
    sender.start()
    try:
        wait_until(lambda: DeliveryChunk.objects.filter(state="leased").count() >= SLOW_MOST, what="some are carried")
        wait_until(lambda: max(one.waits_for for one in sending._carriers) > 3 * STALE_SECONDS, what="silence")
        leased = DeliveryChunk.objects.filter(state="leased").count()
        sending._hours = Hours(soft=0.0, hard=0.0)
    finally:
        silent.close()
        sender.join(120)
    assert not sender.is_alive()
    assert leased < COUNT, "each that waits for what is silent is carried"
    assert DeliveryChunk.objects.filter(state="ready").count() == COUNT - leased, "it takes on nothing more"


def test_what_one_process_finds_out_others_act_on(live, service_at, monkeypatch):
    monkeypatch.setattr("devices.delivery.sending.send.ANSWER_SECONDS", 0.3)
    silent = Mute()
    service_at(silent.url)
    people = [subscriber_at(live, silent.url, f"slow-{number}") for number in range(30)]
    dispatch = live.dispatch(key="slow")
    for person in people:
        live.add(dispatch, person, request="slow")
    for chunk in chunks_cut(now=live.now):
        chunk_send(chunk_id=chunk.id, now=live.now)
    record = records_read(origins=[silent.url], now=live.now, clock=time.time())[silent.url]
    assert record.silences >= 10 and record.open_until > time.time()
    assert Incident.objects.get(until=None).kind == "service_silent"
    asked = silent.asked
    close_senders()  # as another process: it knows nothing by itself
    live.add(live.dispatch(key="more"), people[0], request="more")
    (chunk, *_) = chunks_cut(now=live.now)
    lane_send(chunk_id=chunk.id, lane="urgent", now=live.now)
    assert silent.asked <= asked + 1
    assert Delivery.objects.get(dispatch__source_key="more").tries == 0
    OriginHealth.objects.update(open_until=None, silences=0)
    silent.close()
