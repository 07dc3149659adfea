"""A push service that limits us, our keys refused, and what becomes of the messages that wait for it."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, connections

from campaigns.selectors.audit import audit
from campaigns.ticker import Ticker
from devices.brands.services.incidents import incidents_close_quiet
from devices.delivery.push_services.budgets import Target, budget_grant, budget_lift
from devices.delivery.sending import lane_send
from devices.delivery.sending.chunks import chunks_expire
from devices.delivery.sending.send import close_senders
from devices.delivery.services.outbox import chunks_cut, chunks_waiting, leases_reclaim
from devices.models import Delivery, DeliveryChunk, Incident, SendBudget
from tests.browser.harness.waiting import wait_until
from tests.support.sending import Channel


def everybody(channel, count, **fields):
    browsers = [channel.subscriber(f"u{number}") for number in range(count)]
    dispatch_id = channel.dispatch(**fields)
    for browser in browsers:
        channel.add(dispatch_id, browser)
    return browsers


def states():
    return dict(Counter(Delivery.objects.values_list("state", flat=True)))


def held_since(channel, kind="throttled", **fields):
    """A limit that holds this channel's key for an hour."""
    key = channel.brand.vapid_keys.get(active=True)
    return SendBudget.objects.create(
        brand=channel.brand,
        sender=f"vapid:{key.pk}",
        origin=channel.service.url,
        **(
            {"kind": kind, "held_at": channel.now, "held_until": channel.now + timedelta(hours=1), "refusals": 1}
            | fields
        ),
    )


@pytest.fixture
def refusals(channel):
    """How many requests the push service has refused since the test began, by status."""
    before = Counter(channel.service.state()["rejected"]["webpush"])
    return lambda: dict(Counter(channel.service.state()["rejected"]["webpush"]) - before)


@pytest.fixture
def live(brand, push_service, settings):
    """A channel whose clock goes on."""
    push_service.clear_failures()
    settings.SMARTPUSH_DEV_ORIGINS = frozenset({push_service.url})
    close_senders()
    yield Channel(brand, push_service)
    push_service.clear_failures()
    close_senders()


def test_a_limited_service_gets_what_it_takes_and_nobody_is_lost(live):
    before = live.service.state()["rejected"]["webpush"].get("429", 0)
    everybody(live, 60)
    live.service.fail("limit", limit=15, window=2)
    wait_until(
        lambda: live.send_due() is not None and states() == {"accepted": 60},
        timeout=120,
        what="everybody got it",
        detail=lambda: str(states()),
    )
    assert set(Delivery.objects.values_list("tries", flat=True)) == {1}, "a refusal for now uses up no try"
    refused = live.service.state()["rejected"]["webpush"]["429"] - before
    assert 0 < refused < 60, "it was asked again and again"
    assert SendBudget.objects.get().rate is not None
    assert Incident.objects.get().kind == "service_limits"
    assert [finding for finding in audit(now=live.now, settled=True) if finding.count] == []


def test_the_first_refusals_stop_what_is_under_way(channel, settings, refusals):
    settings.SMARTPUSH_SEND_IN_FLIGHT = 4
    everybody(channel, 40)
    channel.service.fail("429", retry_after=600)
    channel.send_due()
    assert refusals()["429"] <= 2 * 4 + 2
    assert states() == {"ready": 40}
    assert set(Delivery.objects.values_list("tries", flat=True)) == {0}
    assert SendBudget.objects.get().held_until > channel.now + timedelta(seconds=500)


@pytest.mark.parametrize("retry_after", [99999999999, "Wed, 21 Oct 2099 07:28:00 GMT", -5, "soon"])
@pytest.mark.parametrize("mode", ["429", "503", "401"])
def test_an_absurd_retry_after_holds_for_a_day_at_most_and_messages_expire_in_time(channel, mode, retry_after):
    everybody(channel, 3, ttl=3600)
    channel.service.fail(mode, retry_after=retry_after)
    channel.send_due()
    for budget in SendBudget.objects.all():
        assert budget.held_until <= channel.now + timedelta(days=1, seconds=60)
    assert not Delivery.objects.filter(next_attempt_at__gt=channel.now + timedelta(seconds=3700)).exists()
    end = channel.now + timedelta(seconds=3700)
    Ticker().tick(now=end)
    channel.send_due(now=end)
    assert states() == {"expired": 3}
    assert [finding for finding in audit(now=end, settled=True) if finding.count] == []


def test_what_waits_in_a_chunk_for_a_held_service_expires_at_its_time(channel):
    everybody(channel, 5, ttl=60)
    chunks_cut(now=channel.now)
    held_since(channel)
    assert chunks_expire(now=channel.now + timedelta(seconds=59)) == 0
    assert chunks_expire(now=channel.now + timedelta(seconds=61)) == 5
    assert states() == {"expired": 5}
    assert DeliveryChunk.objects.get().state == "done"


def test_a_held_chunk_is_neither_taken_on_nor_rung_for_until_the_hold_is_over(channel):
    everybody(channel, 2)
    (chunk,) = chunks_cut(now=channel.now)
    held_since(channel)
    soon, after = channel.now + timedelta(minutes=10), channel.now + timedelta(minutes=61)
    assert chunks_waiting(lane="urgent", busy=[], now=soon, limit=9) == []
    assert leases_reclaim(now=soon) == []
    assert chunks_waiting(lane="urgent", busy=[], now=after, limit=9) == [chunk.id]
    assert [one.id for one in leases_reclaim(now=after)] == [chunk.id]


def test_after_a_hold_one_message_tries_and_the_rest_follow(channel, refusals):
    everybody(channel, 6)
    chunks_cut(now=channel.now)
    held_since(channel, kind="breaker")
    channel.service.fail("403", times=1)
    after = channel.now + timedelta(hours=1, seconds=1)
    channel.send_due(now=after)
    assert refusals() == {"403": 1}
    assert states() == {"ready": 6}
    channel.send_due(now=after + timedelta(hours=1))
    channel.send_due(now=after + timedelta(hours=2))
    assert states() == {"accepted": 6}


@pytest.mark.parametrize("mode", ["404", "400", "500", "cut"])
def test_a_try_that_ends_otherwise_lets_the_next_message_try_at_once(channel, monkeypatch, mode):
    monkeypatch.setattr("devices.delivery.push_services.pacing.TRY_SECONDS", 36_000.0)  # waited for, it never ends
    people = everybody(channel, 3)
    chunks_cut(now=channel.now)
    held_since(channel)
    first = Delivery.objects.order_by("pk").first()
    token = next(channel.tokens[f"u{n}"] for n, one in enumerate(people) if one.device.pk == first.device_id)
    channel.service.fail(mode, token=token)
    channel.send_due(now=channel.now + timedelta(hours=1, seconds=1))
    assert SendBudget.objects.get().kind == ""
    assert states()["accepted"] == 2


def test_urgent_messages_go_first_within_what_is_allowed(channel):
    everybody(channel, 2, lane="bulk", key="bulk")
    budget = held_since(channel, kind="", held_until=None, rate=100.0, cycle=2.0)
    target = Target(budget.sender, budget.origin)
    assert budget_grant(target=target, want=5, urgent=False, now=channel.now).count == 5
    urgent = channel.dispatch(key="urgent", lane="urgent")
    channel.add(urgent, channel.subscriber("ann"), request="2")
    chunks_cut(now=channel.now, dispatch_ids=[urgent])
    later = channel.now + timedelta(seconds=10)
    assert budget_grant(target=target, want=5, urgent=False, now=later).count == 0
    assert budget_grant(target=target, want=5, urgent=True, now=later).count == 5


def test_lifting_a_hold_sends_at_once_and_forgets_the_rate(channel):
    everybody(channel, 3)
    chunks_cut(now=channel.now)
    budget = held_since(channel, rate=0.1, cycle=60)
    assert budget_lift(target=Target(budget.sender, budget.origin), now=channel.now)
    assert not budget_lift(target=Target(budget.sender, budget.origin), now=channel.now)
    channel.send_due()
    assert states() == {"accepted": 3}


def test_lifting_a_hold_sends_what_was_refused_too(channel, settings):
    settings.SMARTPUSH_SEND_IN_FLIGHT = 1
    everybody(channel, 3)
    channel.service.fail("429", retry_after=3600, times=2)
    channel.send_due()
    budget = SendBudget.objects.get()
    assert sorted(Delivery.objects.values_list("hold_reason", flat=True)) == ["", "throttled", "throttled"]
    assert budget_lift(target=Target(budget.sender, budget.origin), now=channel.now)
    waiting = DeliveryChunk.objects.get(state="ready")
    assert [one.id for one in leases_reclaim(now=channel.now)] == [waiting.id]
    channel.send_due()
    assert states() == {"accepted": 3}


def test_an_incident_stays_open_for_as_long_as_the_push_service_holds_us(channel):
    everybody(channel, 2)
    channel.service.fail("429", retry_after=7200)
    channel.send_due()
    incident = Incident.objects.get(kind="service_limits")
    incidents_close_quiet(now=channel.now + timedelta(hours=1))
    incident.refresh_from_db()
    assert incident.until is None
    incidents_close_quiet(now=channel.now + timedelta(hours=2, minutes=1))
    incident.refresh_from_db()
    assert incident.until is not None


def test_another_key_s_limit_holds_nothing(channel):
    everybody(channel, 3)
    SendBudget.objects.create(
        brand=channel.brand,
        sender="vapid:999999",
        origin=channel.service.url,
        kind="throttled",
        held_until=channel.now + timedelta(hours=1),
    )
    channel.send_due()
    assert states() == {"accepted": 3}


@pytest.mark.django_db(transaction=True)
def test_no_slot_is_granted_twice_whatever_asks_at_once(channel):
    budget = held_since(channel, kind="", held_until=None, rate=1000.0, cycle=2.0, next_slot=channel.now)
    target, now, slots = Target(budget.sender, budget.origin), channel.now, []

    def ask() -> None:
        try:
            for _ in range(20):
                grant = budget_grant(target=target, want=10, urgent=True, now=now)
                slots.extend(round(grant.delay + i * grant.spacing, 4) for i in range(grant.count))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(slots) == len(set(slots)) > 100
    connection.close()


def test_the_lane_is_gone_on_with_while_a_chunk_waits(channel, brand):
    """One job sends what is there of its lane, and ends when nothing is left that may go."""
    everybody(channel, 3)
    other = channel.dispatch(key="other")
    for number in range(3):
        channel.add(other, channel.subscriber(f"o{number}"), request="other")
    first, second = chunks_cut(now=channel.now)
    assert lane_send(chunk_id=first.id, lane="urgent", now=channel.now) == 6
    assert DeliveryChunk.objects.get(pk=second.id).state == "done"
