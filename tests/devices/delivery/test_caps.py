"""Frequency caps: a message is counted once, none passes over the cap, and what was not sent is given back."""

import threading
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connections

from devices.delivery.sending.caps import counters_remove_old
from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.delivery.services.outbox import chunks_cut
from devices.lifecycle.brands import brand_create
from devices.models import Brand, CapCounter, Delivery, EndUser, FrequencyCap
from tests.support.gate import gate, message, outcomes, subscriber

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SENT = ("sending", "", "")
OVER = ("suppressed", "frequency_cap", "")


def cap(brand: Brand, most: int, *, scope: str = "end_user", period: str = "day", purpose: str = "marketing"):
    return FrequencyCap.objects.create(brand=brand, most=most, scope=scope, period=period, purpose=purpose)


def counts() -> list[int]:
    return sorted(CapCounter.objects.values_list("count", flat=True))


def test_over_the_cap_nothing_goes_until_the_next_window(brand):
    cap(brand, 2)
    ann, bo = subscriber(brand, "ann"), subscriber(brand, "bo")
    for number in range(3):
        message(brand, [ann], now=NOW, key=f"m{number}")
        gate(now=NOW)
    message(brand, [bo], now=NOW, key="m9")
    gate(now=NOW)
    assert outcomes() == {"ann": [SENT, SENT, OVER], "bo": [SENT]}
    tomorrow = NOW + timedelta(days=1)
    message(brand, [ann], now=tomorrow, key="later")
    assert gate(now=tomorrow) == 1


def test_several_messages_of_one_end_user_in_one_slice_do_not_all_pass(brand):
    cap(brand, 2)
    ann, bo = subscriber(brand, "ann"), subscriber(brand, "bo")
    for number in range(5):
        message(brand, [ann, bo], now=NOW, request=str(number))
    assert gate(now=NOW) == 4
    assert outcomes() == {"ann": [SENT, SENT, OVER, OVER, OVER], "bo": [SENT, SENT, OVER, OVER, OVER]}
    assert counts() == [2, 2]


def test_a_message_to_several_devices_counts_once_in_one_chunk_or_in_several(brand):
    cap(brand, 1)
    ann = subscriber(brand, "ann", devices=4)  # at two push services: two chunks
    message(brand, [ann], now=NOW)
    assert gate(now=NOW) == 4
    assert counts() == [1]
    message(brand, [ann], now=NOW, request="2")
    assert gate(now=NOW) == 0
    assert [state for state, _, _ in outcomes()["ann"]] == ["sending"] * 4 + ["suppressed"] * 4


def test_a_step_of_a_run_is_one_message_for_all_devices(brand):
    cap(brand, 1)
    ann = subscriber(brand, "ann", devices=2)
    dispatch = message(brand, [ann], now=NOW)
    rows = Delivery.objects.filter(dispatch=dispatch)
    rows.update(request_id=None, enrolment_id=7, step_seq=3)
    assert gate(now=NOW) == 2
    message(brand, [ann], now=NOW, key="next")
    Delivery.objects.filter(state="ready").update(request_id=None, enrolment_id=7, step_seq=4)
    assert gate(now=NOW) == 0


def test_the_brands_cap_is_for_everyone_together(brand):
    cap(brand, 3, scope="brand", period="hour")
    people = [subscriber(brand, f"u{number}", devices=2) for number in range(5)]
    message(brand, people, now=NOW)
    assert gate(now=NOW) == 6
    assert counts() == [3]
    assert [row[0] for row in outcomes().values()] == [SENT] * 3 + [OVER] * 2
    message(brand, people[4:], now=NOW, key="next")
    assert gate(now=NOW + timedelta(minutes=59)) == 0
    message(brand, people[4:], now=NOW, key="after")
    assert gate(now=NOW + timedelta(minutes=60)) == 2


def test_all_caps_must_have_room_and_who_is_refused_by_one_uses_none(brand):
    cap(brand, 1, period="hour")
    cap(brand, 5, period="week")
    cap(brand, 10, scope="brand")
    ann = subscriber(brand, "ann")
    for number in range(4):
        message(brand, [ann], now=NOW, request=str(number))
    assert gate(now=NOW) == 1
    assert counts() == [1, 1, 1]


def test_caps_are_for_their_purpose_alone(brand):
    cap(brand, 1)
    cap(brand, 2, purpose="operational")
    ann = subscriber(brand, "ann")
    for number in range(3):
        message(brand, [ann], now=NOW, key="marketing", request=str(number))
        message(brand, [ann], now=NOW, key="operational", request=str(number), purpose="operational")
    assert gate(now=NOW) == 3
    assert counts() == [1, 2]


def test_what_waits_for_the_morning_is_not_counted_yet(brand):
    cap(brand, 1)
    brand.quiet_from, brand.quiet_until = time(11), time(13)
    brand.save()
    message(brand, [subscriber(brand, "ann")], now=NOW)
    assert gate(now=NOW) == 0
    assert counts() == []
    assert gate(now=NOW + timedelta(hours=1)) == 1
    assert counts() == [1]


def test_another_brand_has_its_own_counts(brand):
    other = brand_create(name="Other", origin="https://other.example")
    for one in (brand, other):
        cap(one, 1, scope="brand")
        message(one, [subscriber(one, f"of {one}")], now=NOW)
    assert gate(now=NOW) == 2
    assert counts() == [1, 1]


@pytest.mark.parametrize(("mode", "state"), [("410", "gone"), ("400", "failed")])
def test_a_definite_failure_is_given_back(channel, mode, state):
    cap(channel.brand, 1)
    ann, bo = channel.subscriber("ann"), channel.subscriber("bo")
    channel.service.fail(mode, token=channel.tokens["ann"])
    assert channel.push(ann).state == state
    assert channel.push(bo).state == "accepted"
    assert counts() == [0, 1]
    channel.service.clear_failures()
    assert channel.push(bo, request="2").reason == "frequency_cap"


def test_a_message_that_may_have_been_shown_stays_counted(channel):
    cap(channel.brand, 1)
    ann = channel.subscriber("ann")
    channel.service.fail("cut", token=channel.tokens["ann"])
    delivery = channel.push(ann, policy="at_most_once")
    assert delivery.state == "unknown"
    assert counts() == [1]


def test_a_second_try_is_not_counted_again(channel):
    cap(channel.brand, 1)
    ann = channel.subscriber("ann")
    channel.service.fail("503", token=channel.tokens["ann"])
    assert channel.push(ann).hold_reason == "retry"
    channel.service.clear_failures()
    channel.send_due(now=channel.now + timedelta(minutes=1))
    assert (Delivery.objects.get().state, counts()) == ("accepted", [1])


def test_a_counted_message_that_the_gate_ends_is_given_back(channel):
    cap(channel.brand, 1)
    ann = channel.subscriber("ann")
    channel.service.fail("503", token=channel.tokens["ann"])
    channel.push(ann)
    EndUser.objects.update(user_opt_out=True)
    channel.send_due(now=channel.now + timedelta(minutes=1))
    assert (Delivery.objects.get().reason, counts()) == ("opted_out", [0])


def test_only_the_last_device_that_fails_gives_the_message_back(channel):
    cap(channel.brand, 1)
    first = channel.subscriber("ann")
    tokens = [channel.tokens["ann"]]
    assert channel.subscriber("ann").device.holder_id == first.device.holder_id
    tokens.append(channel.tokens["ann"])
    channel.service.fail("503", token=tokens[0])
    channel.service.fail("410", token=tokens[1])
    channel.add(channel.dispatch(), first)
    channel.send_due()
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["gone", "ready"]
    assert counts() == [1]  # the other device may still get it
    channel.service.fail("400", token=tokens[0])
    channel.send_due(now=channel.now + timedelta(minutes=1))
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["failed", "gone"]
    assert counts() == [0]


def test_counters_of_windows_that_are_over_are_removed(brand):
    one = cap(brand, 1)
    for days in (0, 8, 10, 40):
        CapCounter.objects.create(cap=one, window_start=NOW - timedelta(days=days), count=1)
    assert counters_remove_old(now=NOW) == 2
    assert CapCounter.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_concurrent_chunks_neither_deadlock_nor_pass_over_a_cap():
    brand = brand_create(name="Harbour Books", origin="https://books.example")
    cap(brand, 2)
    cap(brand, 45, scope="brand")
    people = [subscriber(brand, f"u{number}", devices=2) for number in range(20)]
    for number in range(6):
        # Half of the chunks meet the end users in the opposite order.
        message(brand, people[:: 1 if number % 2 else -1], now=NOW, key=f"m{number}")
    chunks = [chunk.id for chunk in chunks_cut(now=NOW)]
    assert len(chunks) == 12
    begin = threading.Barrier(len(chunks))
    problems: list[BaseException] = []

    def work(chunk_id: int) -> None:
        try:
            claim = chunk_claim(chunk_id=chunk_id, now=NOW)
            begin.wait(120)
            while rows_gate(claim=claim, now=NOW, limit=7)[0] == 7:
                pass
        except BaseException as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[chunk]) for chunk in chunks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not problems
    assert not any(thread.is_alive() for thread in threads)
    passed = {(row.end_user_id, row.request_id) for row in Delivery.objects.filter(state="sending")}
    for person in people:
        assert len([one for one in passed if one[0] == person.pk]) <= 2
    assert len(passed) == 40
    everyone = CapCounter.objects.get(end_user_id=0)
    assert everyone.count == 40
    refused = {(row.end_user_id, row.request_id) for row in Delivery.objects.filter(state="suppressed")}
    assert not passed & refused  # a message goes to all its devices or to none
