"""The send path on a real push service: what is sent is what was written, and each answer leads to its state."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.delivery.sending import chunk_send
from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.delivery.services.dispatches import dispatches_stop
from devices.delivery.services.outbox import chunks_cut, leases_reclaim
from devices.delivery.services.receipts import Receipt, receipts_record
from devices.installations.tokens import tokens_gone
from devices.lifecycle.brands import brand_resume, brand_stop
from devices.models import Brand, Delivery, DeliveryChunk, EndUser, Incident, PushStatus, SendBudget
from devices.tasks import send_chunk
from smartpush.common.ids import report_token
from tests.support.people import person, push_enabled
from tests.support.sending import crash_the_worker_after_gating, set_dispatch, variant


def test_the_decrypted_message_is_what_the_marketer_wrote(channel):
    ann = channel.subscriber("ann", first_name="Ann Ängström 🎈")
    delivery = channel.push(
        ann,
        variables={"amount": 20},
        variants={
            "en": variant(
                title='Hi {{ user.first_name | default: "there" }}',
                message="You paid {{ event.amount }} to {{ brand.name }}",
                url="https://books.example/offers?x=1",
                icon="https://books.example/i.png",
                buttons=[{"id": "b1", "title": "Open", "url": "https://books.example/b"}],
            )
        },
    )
    assert (delivery.state, delivery.http_status) == ("accepted", 201)
    (message,) = channel.received("ann")
    assert message["title"] == "Hi Ann Ängström 🎈"
    assert message["body"] == "You paid 20 to Harbour Books"
    assert message["url"] == "https://books.example/offers?x=1"
    assert message["icon"] == "https://books.example/i.png"
    assert message["actions"] == [{"action": "b1", "title": "Open", "url": "https://books.example/b"}]
    assert message["report"]["token"] == report_token(delivery.pk, delivery.day)


@pytest.mark.parametrize(("language", "title"), [("de-AT", "Hallo"), ("de", "Hallo"), ("fr", "Hello"), ("", "Hello")])
def test_the_end_users_language_picks_the_variant(channel, language, title):
    ann = channel.subscriber("ann")
    EndUser.objects.filter(external_id="ann").update(language=language)
    channel.push(ann, variants={"en": variant(), "de": variant(title="Hallo")})
    assert [message["title"] for message in channel.received("ann")] == [title]


def test_the_same_request_writes_and_sends_once(channel):
    ann = channel.subscriber("ann")
    channel.push(ann)
    assert channel.add(channel.dispatch(), ann) == []
    assert channel.send_due() == 0
    assert len(channel.received("ann")) == 1


@pytest.mark.parametrize(
    ("mode", "state", "reason"),
    [("404", "gone", ""), ("410", "gone", ""), ("400", "failed", ""), ("413", "failed", "")],
)
def test_final_answers(channel, mode, state, reason):
    ann = channel.subscriber("ann")
    channel.service.fail(mode, token=channel.tokens["ann"])
    delivery = channel.push(ann)
    assert delivery.state == state
    assert delivery.reason
    assert delivery.http_status == int(mode)


@pytest.mark.parametrize("mode", ["404", "410"])
def test_a_dead_token_is_not_a_refusal(channel, mode):
    ann = channel.subscriber("ann")
    channel.service.fail(mode, token=channel.tokens["ann"])
    channel.push(ann)
    device = channel.device(ann)
    assert device.token_hash is None
    assert device.unreachable_reason == "gone"
    assert not push_enabled(person(channel.brand, "ann"))
    assert PushStatus.objects.get(device=device).status == "allowed"


def test_gone_for_an_older_token_leaves_the_refreshed_one(channel):
    ann = channel.subscriber("ann")
    channel.add(channel.dispatch(), ann)
    (chunk,) = chunks_cut(now=channel.now)
    crash_the_worker_after_gating(chunk.id, channel.now)
    old = channel.device(ann).token_hash
    ann.subscribe()
    ann.report()
    assert tokens_gone(tokens=[(ann.device.pk, old)], reason="gone", now=channel.now) == 0
    assert channel.device(ann).token_hash is not None


@pytest.mark.parametrize("mode", ["500", "503"])
def test_server_errors_are_tried_again_later_and_then_accepted(channel, mode):
    ann = channel.subscriber("ann")
    channel.service.fail(mode, token=channel.tokens["ann"], times=1)
    delivery = channel.push(ann)
    assert (delivery.state, delivery.hold_reason, delivery.chunk_id) == ("ready", "retry", None)
    wait = delivery.next_attempt_at - channel.now
    assert timedelta(seconds=0.5) < wait < timedelta(seconds=2.1)
    assert channel.send_due() == 0
    assert channel.send_due(now=delivery.next_attempt_at) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("accepted", 2)


def test_429_holds_the_origin_for_as_long_as_it_asks(channel):
    ann, bo = channel.subscriber("ann"), channel.subscriber("bo")
    channel.service.fail("429", retry_after=30, times=2)
    first, second = channel.push(ann), channel.push(bo)
    assert [(one.state, one.hold_reason, one.tries) for one in (first, second)] == [("ready", "throttled", 0)] * 2
    third = channel.push(channel.subscriber("cy"))
    assert (third.state, third.tries) == ("ready", 0)
    assert channel.received("cy") == []
    later = channel.now + timedelta(seconds=31)
    channel.send_due(now=later)
    channel.send_due(now=later + timedelta(seconds=1))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}


@pytest.mark.parametrize(("mode", "hold"), [("429", "throttled"), ("401", "breaker"), ("403", "breaker")])
def test_one_device_s_refusal_does_not_hold_an_origin_that_answers_others(channel, mode, hold):
    ann = channel.subscriber("ann")
    channel.service.fail(mode, token=channel.tokens["ann"], retry_after=30)
    first = channel.push(ann)
    assert (first.state, first.hold_reason) == ("ready", hold)
    for number in range(3):
        assert channel.push(channel.subscriber(f"u{number}")).state == "accepted"
    assert SendBudget.objects.get().kind == ""
    again = channel.push(ann, request="2")
    assert (again.state, again.hold_reason) == ("ready", hold)
    assert channel.push(channel.subscriber("bo")).state == "accepted"


def test_refused_credentials_open_a_breaker_and_delete_nothing(channel):
    ann, bo = channel.subscriber("ann"), channel.subscriber("bo")
    channel.service.fail("401", times=2)
    first = channel.push(ann)
    assert (first.state, first.hold_reason, first.http_status) == ("ready", "breaker", 401)
    assert channel.device(ann).token_hash is not None
    assert channel.push(bo).hold_reason == "breaker"
    assert SendBudget.objects.get().kind == "breaker"
    assert Incident.objects.get(until=None).kind == "key_refused"
    assert channel.push(channel.subscriber("cy")).state == "ready"
    assert channel.received("cy") == []
    channel.send_due(now=channel.now + timedelta(minutes=3))
    channel.send_due(now=channel.now + timedelta(minutes=4))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}
    assert not Incident.objects.filter(until=None).exists()


def test_a_breaker_that_keeps_failing_stays_open_longer(channel):
    ann = channel.subscriber("ann")
    channel.service.fail("403", token=channel.tokens["ann"])
    channel.push(ann)
    first = SendBudget.objects.get().held_until
    channel.send_due(now=first + timedelta(seconds=1))
    assert SendBudget.objects.get().held_until - channel.now > timedelta(seconds=100)


def test_a_cut_connection_is_unknown_and_sent_again_with_the_same_topic(channel):
    ann = channel.subscriber("ann")
    channel.service.fail("cut", token=channel.tokens["ann"], times=1)
    delivery = channel.push(ann)
    assert (delivery.state, delivery.hold_reason) == ("ready", "unsure")
    channel.send_due(now=channel.now + timedelta(seconds=31))
    delivery.refresh_from_db()
    assert delivery.state == "accepted"
    topics = {message["topic"] for message in channel.service.messages(token=channel.tokens["ann"])}
    assert len(topics) == 1


def test_never_send_twice_parks_what_is_unsure(channel):
    ann = channel.subscriber("ann")
    channel.service.fail("cut", token=channel.tokens["ann"], times=1)
    delivery = channel.push(ann, policy="at_most_once")
    assert delivery.state == "unknown"
    assert delivery.reason
    assert channel.send_due(now=channel.now + timedelta(hours=1)) == 0


def test_a_report_from_the_device_settles_what_was_unsure(channel):
    ann = channel.subscriber("ann")
    channel.service.fail("cut", token=channel.tokens["ann"], times=1)
    delivery = channel.push(ann)
    receipt = Receipt(token=report_token(delivery.pk, delivery.day), kind="displayed", at=channel.now)
    assert receipts_record(receipts=[receipt], now=channel.now) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.hold_reason) == ("accepted", "")
    assert channel.send_due(now=channel.now + timedelta(minutes=5)) == 0


def test_a_click_counts_as_seen_and_is_counted_once(channel):
    delivery = channel.push(channel.subscriber("ann"))
    token = report_token(delivery.pk, delivery.day)
    first, second = channel.now, channel.now + timedelta(seconds=5)
    receipts_record(receipts=[Receipt(token, "clicked", first, "b1")], now=second)
    receipts_record(receipts=[Receipt(token, "clicked", second, "b2")], now=second)
    delivery.refresh_from_db()
    assert (delivery.clicked_at, delivery.clicked_action, delivery.displayed_at) == (first, "b1", first)


def test_a_guessed_report_token_changes_nothing(channel):
    delivery = channel.push(channel.subscriber("ann"))
    token = report_token(delivery.pk, delivery.day)
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert receipts_record(receipts=[Receipt(forged, "clicked", channel.now)], now=channel.now) == 0
    assert receipts_record(receipts=[Receipt("", "clicked", channel.now)], now=channel.now) == 0


class TestTheGate:
    def waiting(self, channel, **fields):
        ann = channel.subscriber("ann")
        dispatch_id = channel.dispatch(**fields)
        channel.add(dispatch_id, ann)
        return ann, dispatch_id

    def outcome(self, channel, *, now: datetime | None = None):
        channel.send_due(now=now)
        delivery = Delivery.objects.get()
        assert channel.received("ann") == []
        return delivery.state, delivery.reason

    def test_stopped_dispatch(self, channel):
        self.waiting(channel, campaign_ref=7)
        dispatches_stop(campaign_ref=7, reason="campaign_disabled", now=channel.now)
        assert self.outcome(channel) == ("cancelled", "campaign_disabled")

    def test_dispatch_stopped_after_the_cut(self, channel):
        _, dispatch_id = self.waiting(channel)
        (chunk,) = chunks_cut(now=channel.now)
        set_dispatch(dispatch_id, state="stopped", stop_reason="campaign_archived")
        chunk_send(chunk_id=chunk.id, now=channel.now)
        assert self.outcome(channel) == ("cancelled", "campaign_archived")

    def test_expired(self, channel):
        self.waiting(channel, ttl=60)
        assert self.outcome(channel, now=channel.now + timedelta(seconds=61)) == ("expired", "expired")

    def test_blocked_since(self, channel):
        ann, _ = self.waiting(channel)
        ann.block()
        assert self.outcome(channel) == ("suppressed", "unreachable")

    def test_opted_out(self, channel):
        self.waiting(channel)
        EndUser.objects.update(user_opt_out=True)
        assert self.outcome(channel) == ("suppressed", "opted_out")

    def test_target_devices_of_the_end_user(self, channel):
        self.waiting(channel)
        EndUser.objects.update(target_devices="native")
        assert self.outcome(channel) == ("suppressed", "target_devices")

    def test_taken_over_between_cut_and_send(self, channel):
        ann, _ = self.waiting(channel)
        (chunk,) = chunks_cut(now=channel.now)
        ann.load("bo")
        chunk_send(chunk_id=chunk.id, now=channel.now)
        assert self.outcome(channel) == ("cancelled", "device_taken_over")

    def test_brand_stop_holds_and_resume_sends(self, channel):
        self.waiting(channel)
        brand_stop(brand_id=channel.brand.pk, now=channel.now)
        assert self.outcome(channel) == ("ready", "")
        brand_resume(brand_id=channel.brand.pk)
        channel.send_due(now=channel.now + timedelta(seconds=2))
        assert Delivery.objects.get().state == "accepted"

    def test_what_a_stopped_brand_holds_still_expires(self, channel):
        self.waiting(channel, ttl=60)
        brand_stop(brand_id=channel.brand.pk, now=channel.now)
        assert self.outcome(channel, now=channel.now + timedelta(seconds=61)) == ("expired", "expired")


def test_what_cannot_be_rendered_fails_with_the_field_named(channel):
    ann = channel.subscriber("ann", story="x" * 5000)
    delivery = channel.push(ann, variants={"en": variant(message="{{ user.story }}")})
    assert delivery.state == "failed"
    assert "message" in delivery.reason
    assert channel.received("ann") == []


def test_a_click_address_off_the_brands_hosts_is_not_sent(channel):
    ann = channel.subscriber("ann", next="https://evil.example/")
    delivery = channel.push(ann, variants={"en": variant(url="{{ user.next }}")})
    assert (delivery.state, delivery.reason) == ("failed", "click_url_refused:url")
    # A value is never a whole address, which it would be encoded away from: the host is written out.
    bob = channel.subscriber("bob", page="evil")
    address = variant(url="https://evil.example/{{ user.page }}")
    off = channel.push(bob, request="2", key="send2", variants={"en": address})
    assert (off.state, off.reason) == ("failed", "click_url_refused:url")
    Brand.objects.update(click_hosts=["evil.example"])
    assert channel.push(bob, request="3", key="send3", variants={"en": address}).state == "accepted"


def test_sending_a_chunk_takes_a_fixed_number_of_queries(channel, django_assert_max_num_queries):
    browsers = [channel.subscriber(f"u{n}") for n in range(12)]
    dispatch_id = channel.dispatch()
    for browser in browsers:
        channel.add(dispatch_id, browser)
    (chunk,) = chunks_cut(now=channel.now)
    with django_assert_max_num_queries(16):
        assert chunk_send(chunk_id=chunk.id, now=channel.now) == 12


def test_only_a_slice_is_unsure_at_a_time(channel, monkeypatch):
    monkeypatch.setattr("devices.delivery.sending.carrying.GATE_AT_ONCE", 5)
    browsers = [channel.subscriber(f"u{n}") for n in range(12)]
    dispatch_id = channel.dispatch()
    for browser in browsers:
        channel.add(dispatch_id, browser)
    (chunk,) = chunks_cut(now=channel.now)
    claim = chunk_claim(chunk_id=chunk.id, now=channel.now)
    assert rows_gate(claim=claim, now=channel.now, limit=5)[0] == 5
    assert Delivery.objects.filter(state="sending").count() == 5
    later = channel.now + timedelta(seconds=90)
    assert chunk_send(chunk_id=chunk.id, now=later) == 7
    assert channel.send_due(now=later) == 5
    assert set(Delivery.objects.values_list("state", flat=True)) == {"accepted"}


def test_cutting_separates_dispatches_and_origins_and_bounds_the_size(channel, settings):
    settings.SMARTPUSH_CHUNK_SIZE = 5
    browsers = [channel.subscriber(f"u{n}") for n in range(12)]
    one, two = channel.dispatch(key="one"), channel.dispatch(key="two")
    for browser in browsers:
        channel.add(one, browser, request="one")
    channel.add(two, browsers[0], request="two")
    chunks_cut(now=channel.now)
    assert sorted(DeliveryChunk.objects.values_list("dispatch_id", "size")) == sorted(
        [(one, 5), (one, 5), (one, 2), (two, 1)]
    )


def test_a_lost_job_is_queued_again(channel):
    channel.add(channel.dispatch(), channel.subscriber("ann"))
    (chunk,) = chunks_cut(now=datetime.now(UTC))
    assert leases_reclaim(now=channel.now) == []
    assert [one.id for one in leases_reclaim(now=channel.now + timedelta(seconds=25))] == [chunk.id]


def test_a_long_queue_is_not_filled_with_repeated_jobs(channel, settings):
    settings.SMARTPUSH_CHUNK_SIZE = 1
    browsers = [channel.subscriber(f"u{n}") for n in range(12)]
    dispatch_id = channel.dispatch()
    for browser in browsers:
        channel.add(dispatch_id, browser)
    chunks = chunks_cut(now=channel.now)
    later = channel.now + timedelta(seconds=25)
    assert 0 < len(leases_reclaim(now=later)) < len(chunks)
    assert chunk_claim(chunk_id=chunks[-1].id, now=later) is not None
    assert leases_reclaim(now=later + timedelta(seconds=25)) == []


def test_who_finishes_a_chunk_takes_on_what_nobody_came_for(channel):
    one, two = channel.subscriber("ann"), channel.subscriber("bo")
    channel.add(channel.dispatch(key="one"), one)
    channel.add(channel.dispatch(key="two"), two)
    first, second = chunks_cut(now=channel.now)
    DeliveryChunk.objects.filter(pk=second.id).update(notified_at=channel.now - timedelta(minutes=1))
    send_chunk(first.id)
    assert set(DeliveryChunk.objects.values_list("state", flat=True)) == {"done"}
