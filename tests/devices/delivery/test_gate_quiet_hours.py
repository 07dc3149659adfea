"""The gate holds, drops or lets go what comes due in an end user's quiet hours."""

from datetime import UTC, datetime, time, timedelta

import pytest

from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.delivery.services.outbox import chunks_cut
from devices.models import Delivery
from tests.support.gate import gate, message, outcomes, subscriber

EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # 22:00 in Athens, 15:00 in New York, 01:45 in Kathmandu
HELD = ("ready", "", "quiet_hours")
SENT = ("sending", "", "")


@pytest.fixture
def quiet(brand):
    brand.time_zone = "Europe/Athens"
    brand.quiet_from, brand.quiet_until = time(21), time(8)
    brand.save()
    return brand


def test_each_end_users_own_time_zone_counts_then_the_devices_then_the_brands(quiet):
    people = [
        subscriber(quiet, "york", zone="America/New_York", device_zone="Europe/Athens"),
        subscriber(quiet, "kathmandu", zone="Asia/Kathmandu", device_zone="America/New_York"),
        subscriber(quiet, "york-device", device_zone="America/New_York"),
        subscriber(quiet, "kathmandu-device", device_zone="Asia/Kathmandu"),
        subscriber(quiet, "brand"),
        subscriber(quiet, "nowhere", zone="Mars/Olympus", device_zone="America/New_York"),
    ]
    message(quiet, people, now=EVENING)
    assert gate(now=EVENING) == 3
    assert outcomes() == {
        "york": [SENT], "kathmandu": [HELD], "york-device": [SENT], "kathmandu-device": [HELD],
        "brand": [HELD], "nowhere": [SENT],
    }  # fmt: skip
    opens = dict(Delivery.objects.filter(state="ready").values_list("end_user__external_id", "next_attempt_at"))
    assert opens == {
        "kathmandu": datetime(2026, 11, 24, 2, 15, tzinfo=UTC),
        "kathmandu-device": datetime(2026, 11, 24, 2, 15, tzinfo=UTC),
        "brand": datetime(2026, 11, 24, 6, 0, tzinfo=UTC),
    }


def test_what_waited_goes_at_the_opening_and_not_before(quiet):
    message(quiet, [subscriber(quiet, "ann")], now=EVENING)
    opens = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    assert gate(now=EVENING) == 0
    assert gate(now=opens - timedelta(seconds=1)) == 0
    assert gate(now=opens) == 1
    assert outcomes() == {"ann": [SENT]}


def test_what_ends_before_the_opening_waits_and_expires(quiet):
    dispatch = message(quiet, [subscriber(quiet, "ann")], now=EVENING)
    ends = EVENING + timedelta(hours=3)
    Delivery.objects.filter(dispatch=dispatch).update(expires_at=ends)
    gate(now=EVENING)
    row = Delivery.objects.get()
    assert (row.state, row.hold_reason, row.next_attempt_at) == ("ready", "quiet_hours", ends)
    gate(now=ends)
    assert outcomes() == {"ann": [("expired", "expired", "")]}


@pytest.mark.parametrize(
    ("of_brand", "of_dispatch", "purpose", "outcome"),
    [
        ("wait", "", "marketing", HELD),
        ("skip", "", "marketing", ("suppressed", "quiet_hours", "")),
        ("ignore", "", "marketing", SENT),
        ("wait", "", "operational", SENT),
        ("skip", "", "operational", SENT),
        ("wait", "skip", "marketing", ("suppressed", "quiet_hours", "")),
        ("skip", "wait", "operational", HELD),
        ("wait", "ignore", "marketing", SENT),
        ("ignore", "wait", "marketing", HELD),
    ],
)
def test_the_dispatchs_policy_wins_over_the_brands_which_is_for_marketing(
    quiet, of_brand, of_dispatch, purpose, outcome
):
    quiet.quiet_policy = of_brand
    quiet.save()
    message(quiet, [subscriber(quiet, "ann")], now=EVENING, quiet_policy=of_dispatch, purpose=purpose)
    gate(now=EVENING)
    assert outcomes() == {"ann": [outcome]}


def test_an_opt_out_is_said_rather_than_quiet_hours(quiet):
    ann = subscriber(quiet, "ann")
    message(quiet, [ann], now=EVENING)
    type(ann).objects.update(user_opt_out=True)
    gate(now=EVENING)
    assert outcomes() == {"ann": [("suppressed", "opted_out", "")]}


def test_a_brand_without_quiet_hours_and_caps_pays_one_statement_a_slice(brand, django_assert_num_queries):
    message(brand, [subscriber(brand, f"u{number}") for number in range(3)], now=EVENING)
    (chunk,) = chunks_cut(now=EVENING)
    with django_assert_num_queries(3):  # a savepoint, the claim and its release
        claim = chunk_claim(chunk_id=chunk.id, now=EVENING)
    with django_assert_num_queries(3):
        assert rows_gate(claim=claim, now=EVENING, limit=500)[0] == 3


def test_quiet_hours_cost_one_statement_more_whatever_number_of_zones(quiet, django_assert_num_queries):
    zones = ["Asia/Kathmandu", "Europe/Athens", "America/New_York", "Asia/Tokyo", "Africa/Lagos"]
    message(quiet, [subscriber(quiet, zone, zone=zone) for zone in zones], now=EVENING)
    (chunk,) = chunks_cut(now=EVENING)
    claim = chunk_claim(chunk_id=chunk.id, now=EVENING)
    with django_assert_num_queries(4):
        rows_gate(claim=claim, now=EVENING, limit=500)
