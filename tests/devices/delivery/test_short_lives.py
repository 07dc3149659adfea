"""Messages that a push service is to keep for a moment or not at all: one attempt, and what comes of it."""

from datetime import timedelta

import pytest

from devices.delivery.sending import chunk_send
from devices.delivery.services.outbox import FIRST_CHANCE, chunks_cut
from devices.models import Delivery
from tests.support.native import Phone, native_app
from tests.support.sending import crash_the_worker_after_gating


def arrived(channel, external_id: str) -> list[int]:
    """The TTL of each message that reached the push service."""
    return [message["ttl"] for message in channel.service.messages(token=channel.tokens[external_id])]


@pytest.mark.parametrize("late", [0, 3, FIRST_CHANCE - 1])
def test_a_message_without_a_life_is_sent_once_with_ttl_0(channel, late):
    ann = channel.subscriber("ann")
    channel.add(channel.dispatch(ttl=0), ann)
    channel.send_due(now=channel.now + timedelta(seconds=late))
    assert Delivery.objects.get().state == "accepted"
    assert arrived(channel, "ann") == [0]


def test_it_ends_where_no_worker_had_it_within_its_first_chance(channel):
    ann = channel.subscriber("ann")
    channel.add(channel.dispatch(ttl=0), ann)
    channel.send_due(now=channel.now + timedelta(seconds=FIRST_CHANCE))
    assert (Delivery.objects.get().state, Delivery.objects.get().reason) == ("expired", "expired")
    assert arrived(channel, "ann") == []


@pytest.mark.parametrize(
    ("mode", "reason"), [("500", "server_error"), ("503", "server_error"), ("429", "too_many_requests"), ("401", None)]
)
@pytest.mark.parametrize("policy", ["at_least_once", "at_most_once"])
def test_a_refused_attempt_is_its_only_one(channel, mode, reason, policy):
    ann = channel.subscriber("ann")
    channel.service.fail(mode, token=channel.tokens["ann"], times=1)
    delivery = channel.push(ann, ttl=0, policy=policy)
    assert (delivery.state, delivery.tries) == ("expired", 1)
    assert delivery.reason == reason if reason else delivery.reason
    assert delivery.finished_at is not None
    channel.send_due(now=channel.now + timedelta(seconds=30))
    assert arrived(channel, "ann") == []


@pytest.mark.parametrize("policy", ["at_least_once", "at_most_once"])
def test_an_attempt_of_which_nobody_knows_is_not_made_again(channel, policy):
    ann = channel.subscriber("ann")
    channel.service.fail("cut", token=channel.tokens["ann"], times=1)
    delivery = channel.push(ann, ttl=0, policy=policy)
    assert (delivery.state, delivery.reason) == ("unknown", "connection_cut")


@pytest.mark.parametrize(("ttl", "state"), [(0, "unknown"), (20, "unknown"), (3600, "ready")])
def test_what_a_dead_worker_left_is_sent_again_within_its_life_only(channel, settings, ttl, state):
    settings.SMARTPUSH_LEASE_SECONDS = 30
    ann = channel.subscriber("ann")
    channel.add(channel.dispatch(ttl=ttl), ann)
    (chunk,) = chunks_cut(now=channel.now)
    crash_the_worker_after_gating(chunk.id, channel.now)
    chunk_send(chunk_id=chunk.id, now=channel.now + timedelta(seconds=31))
    assert Delivery.objects.get().state == state


def test_a_short_life_counts_from_when_the_message_was_due(channel):
    ann = channel.subscriber("ann")
    channel.add(channel.dispatch(ttl=20), ann)
    channel.send_due(now=channel.now + timedelta(seconds=5))
    assert 12 <= arrived(channel, "ann")[0] <= 15


def test_within_a_short_life_it_is_tried_again_and_after_it_no_more(channel):
    ann = channel.subscriber("ann")
    channel.service.fail("500", token=channel.tokens["ann"], times=1)
    first = channel.push(ann, ttl=20)
    assert (first.state, first.hold_reason) == ("ready", "retry")
    channel.service.fail("500", token=channel.tokens["ann"], times=1)
    channel.send_due(now=channel.now + timedelta(seconds=19.9))
    first.refresh_from_db()
    assert (first.state, first.reason, first.tries) == ("expired", "server_error", 2)


@pytest.mark.parametrize("kind", ["android", "ios"])
def test_to_an_app_it_goes_as_now_or_never(channel, kind):
    phone = Phone(native_app(channel.brand, kind, url=channel.service.url), channel.service.fcm_tokens(1)[0])
    phone.open("bo")
    assert channel.push(phone, ttl=0).state == "accepted"
    (message,) = channel.service.messages(token=phone.token)
    if kind == "android":
        assert message["message"]["android"]["ttl"] == "0s"
    else:
        assert message["message"]["apns"]["headers"]["apns-expiration"] == "0"
