"""Events by the thousand from a brand's server."""

from datetime import timedelta

import pytest
import time_machine

from campaigns.models import Enrolment
from devices.models import Delivery, EndUser, Event
from tests.api.server.client import Server, event, now
from tests.api.server.conftest import campaign_on
from tests.campaigns.world import delay, push


def ago(**time: int) -> str:
    return (now() - timedelta(**time)).isoformat()


def test_events_are_recorded_once_however_often_they_are_sent(server):
    rows = [event("ann", properties={"amount": 20}), event("ann"), event("bob", occurred_at=ago(hours=2))]
    assert server.events(*rows) == {"accepted": 3, "duplicates": 0, "errors": []}
    assert server.events(*rows, rows[0]) == {"accepted": 0, "duplicates": 4, "errors": []}
    assert server.events(event("ann", id="x"), event("ann", id="x"))["duplicates"] == 1
    assert Event.objects.count() == 4
    assert Event.objects.filter(end_user__external_id="ann", properties={"amount": 20}).count() == 1


def test_pages_cannot_use_up_the_ids_of_the_server(server, page):
    page.session()
    page.call("events", events=[{"id": "order-1", "name": "deposit", "properties": {}, "kind": "event"}])
    assert server.events(event("ann", id="order-1"))["accepted"] == 1


def test_unknown_end_users_are_created_or_refused_as_asked(server):
    refused = server.events(event("ann", id="one"), unknown_users="refuse")
    assert [error["code"] for error in refused["errors"]] == ["end_user_unknown"]
    assert not EndUser.objects.exists()
    assert server.events(event("ann", id="one"))["accepted"] == 1  # a refused row uses up no id
    assert EndUser.objects.get().external_id == "ann"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"id": None}, "invalid_row"),
        ({"id": ""}, "invalid_row"),
        ({"id": "x" * 129}, "invalid_row"),
        ({"name": "<script>"}, "invalid_row"),
        ({"name": None}, "invalid_row"),
        ({"external_id": None}, "invalid_external_id"),
        ({"occurred_at": "yesterday"}, "invalid_row"),
        ({"occurred_at": "2026-11-23T12:00:00"}, "invalid_row"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "invalid_row"),
        ({"properties": {"a": {"b": 1}}}, "invalid_row"),
        ({"historical": "yes"}, "invalid_row"),
        ({"colour": 1}, "invalid_row"),
    ],
)
def test_a_bad_event_is_named_and_the_good_ones_are_kept(server, fields, code):
    answer = server.events(event("ann"), event("ann") | fields, event("ann"))
    assert answer["accepted"] == 2
    assert [(error["index"], error["code"]) for error in answer["errors"]] == [(1, code)]


def test_times_that_cannot_be_are_refused(server):
    answer = server.events(
        event("ann", occurred_at=ago(days=4)),
        event("ann", occurred_at=ago(minutes=-6)),
        event("ann", occurred_at=ago(days=732), historical=True),
        event("ann", occurred_at=ago(minutes=-4)),
        event("ann", occurred_at=ago(days=4), historical=True),
    )
    assert [(error["index"], error["code"]) for error in answer["errors"]] == [
        (0, "too_old"), (1, "in_future"), (2, "too_old"),
    ]  # fmt: skip
    assert answer["accepted"] == 2
    assert all(row.occurred_at <= row.recorded_at for row in Event.objects.all())


def test_old_events_get_a_partition_of_their_month(server):
    server.events(event("ann", occurred_at="2026-01-15T12:00:00Z"), historical=True)
    row = Event.objects.raw("SELECT id, tableoid::regclass::text AS home FROM devices_event")[0]
    assert row.home == "devices_event_p2026_01"


def test_events_start_journeys_and_historical_ones_do_not(server, brand, subscriber):
    campaign_on(brand, push("a1"), trigger_event="deposit", entry_mode="every_time")
    server.events(event("ann"), event("ann", historical=True), event("ann", name="other"))
    assert Enrolment.objects.count() == 1
    server.events(event("ann"), event("bob"), historical=True)
    assert Enrolment.objects.count() == 1
    server.events(event("ann", historical=False), event("bob"), historical=True)
    assert Enrolment.objects.count() == 2
    assert Delivery.objects.filter(end_user__external_id="ann").count() == 2  # written in the same transaction


def test_replayed_events_start_a_journey_once(server, brand):
    campaign_on(brand, delay("a1", 60), trigger_event="deposit", entry_mode="every_time")
    rows = [event("ann", properties={"amount": 5}), event("bob")]
    server.events(*rows)
    server.events(*rows)
    assert sorted(Enrolment.objects.values_list("end_user__external_id", flat=True)) == ["ann", "bob"]
    assert Enrolment.objects.get(end_user__external_id="ann").variables == {"amount": 5}


def test_options_of_a_call_are_checked(server):
    for options in ({"unknown_users": "ignore"}, {"historical": "x"}, {"more": 1}):
        body = {"events": [event()]} | options
        assert server.call("POST", "events/bulk", body, expect=400)["code"] == "invalid_request"


def test_ten_thousand_events_take_few_statements(server, django_assert_max_num_queries):
    rows = [event(f"u{n % 3000}", id=f"e{n}") for n in range(10_000)]
    with django_assert_max_num_queries(60):
        assert server.events(*rows)["accepted"] == 10_000
    assert Event.objects.count() == 10_000


def test_a_time_in_another_zone_falls_on_its_day_in_utc(server):
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False):
        Server(server.brand).events(event("ann", occurred_at="2026-11-23T01:30:00+05:00"))
    assert str(Event.objects.get().day) == "2026-11-22"
