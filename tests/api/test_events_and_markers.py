"""events and markers over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.models import Campaign, Enrolment
from devices.models import Event, IdempotencyKey
from tests.api.page import Page, asking_campaign, event
from tests.api.server.client import Server
from tests.api.server.client import event as server_event
from tests.support.people import person


@pytest.fixture
def here(page) -> Page:
    page.session(external_id="ann")
    Event.objects.all().delete()
    return page


def test_events_are_recorded_with_their_properties(here):
    at = datetime.now(UTC) - timedelta(hours=2)
    body = event(properties={"amount": 12.5, "currency": "EUR"}, occurred_at=at.isoformat())
    answer = here.call("events", events=[body])
    assert answer == {"accepted": 1, "duplicates": 0, "errors": [], "popup": None, "poll_after": 30}
    row = Event.objects.get()
    assert (row.name, row.properties, row.occurred_at) == ("deposit", body["properties"], at)
    assert (row.end_user, row.device_id) == (person(here.brand, "ann"), here.device.pk)


def test_an_event_sent_again_is_known_by_its_id(here):
    first, second = event(), event("withdrawal")
    assert here.call("events", events=[first])["accepted"] == 1
    answer = here.call("events", events=[first, second, second])
    assert (answer["accepted"], answer["duplicates"]) == (1, 2)
    assert Event.objects.count() == 2


def test_the_same_id_at_another_brand_is_another_event(here, other):
    one = event()
    here.call("events", events=[one])
    assert other.call("events", events=[one])["accepted"] == 1


def test_events_without_an_id_are_each_recorded(here):
    assert here.call("events", events=[{"name": "spin"}, {"name": "spin"}])["accepted"] == 2


def test_bad_events_are_named_and_the_good_ones_kept(here):
    answer = here.call(
        "events",
        events=[
            event("fine"),
            {"name": "no/slashes"},
            {"properties": {}},
            "text",
            None,
            {"name": ["x"]},
            {"name": "x" * 65},
        ],
    )
    assert answer["accepted"] == 1
    assert [error["index"] for error in answer["errors"]] == list(range(1, 7))
    assert {error["code"] for error in answer["errors"]} == {"invalid_event"}
    assert answer["errors"][0]["message"].startswith("name: ")
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("claimed", "kept"),
    [(timedelta(days=400), timedelta(0)), (timedelta(days=-400), timedelta(days=-3))],
)
def test_a_wrong_client_clock_is_brought_back_into_range(here, claimed, kept):
    now = datetime.now(UTC)
    here.call("events", events=[event(occurred_at=(now + claimed).isoformat())])
    assert abs(Event.objects.get().occurred_at - (now + kept)) < timedelta(minutes=1)


@pytest.mark.parametrize("events", [[], [event() for _ in range(101)], {}, "x", None])
def test_a_call_carries_one_to_a_hundred_events(here, events):
    error = here.call("events", events=events, expect=400)
    assert list(error["fields"]) == ["events"]


def test_an_event_starts_a_journey_whose_popup_comes_with_the_answer(here):
    campaign = asking_campaign(here.brand)
    Campaign.objects.filter(pk=campaign.pk).update(state="paused")
    assert here.call("events", events=[event("session")])["popup"] is None
    Campaign.objects.filter(pk=campaign.pk).update(state="active")
    assert here.call("events", events=[event("other")])["popup"] is None
    assert here.call("events", events=[event("session")])["popup"]["template"] == "simple"
    assert Enrolment.objects.count() == 1


def test_markers_are_added_removed_replaced_and_cleared(here):
    assert here.call("markers", operation="add", markers=["news", "Big Fish"]) == {"markers": ["BIG_FISH", "NEWS"]}
    assert here.call("markers", operation="add", markers=["NEWS"]) == {"markers": ["BIG_FISH", "NEWS"]}
    assert here.call("markers", operation="remove", markers=["news", "none"]) == {"markers": ["BIG_FISH"]}
    assert here.call("markers", operation="replace", markers=["A", "B"]) == {"markers": ["A", "B"]}
    assert person(here.brand, "ann").js_markers == ["A", "B"]
    assert here.call("markers", operation="clear") == {"markers": []}
    assert person(here.brand, "ann").js_markers == []


@pytest.mark.parametrize("operation", ["add", "remove", "replace"])
@pytest.mark.parametrize("markers", [["<script>"], ["É", "not/ok"], "NEWS", {"NEWS": 1}, [["NEWS"]]])
def test_without_one_good_marker_nothing_changes(here, operation, markers):
    here.call("markers", operation="add", markers=["NEWS"])
    error = here.call("markers", operation=operation, markers=markers, expect=400)
    assert (error["code"], list(error["fields"])) == ("invalid_marker", ["markers"])
    assert person(here.brand, "ann").js_markers == ["NEWS"]


def test_the_good_markers_are_taken_and_the_others_told(here):
    answer = here.call("markers", operation="replace", markers=["ok", "not/ok", "x" * 65, None, "Too"])
    assert answer["markers"] == ["OK", "TOO"]
    assert [one["field"] for one in answer["left_out"]] == ["markers.1", "markers.2", "markers.3"]
    assert person(here.brand, "ann").js_markers == ["OK", "TOO"]


def test_of_too_many_markers_the_first_are_added(here):
    here.call("markers", operation="add", markers=[f"M{n}" for n in range(199)])
    answer = here.call("markers", operation="add", markers=["M1", "ROOM", "NONE"])
    assert "ROOM" in answer["markers"] and "NONE" not in answer["markers"] and len(answer["markers"]) == 200
    (told,) = answer["left_out"]
    assert (told["field"], told["code"]) == ("markers", "too_many")
    assert "NONE" in told["message"]


def test_there_is_an_end_to_markers(here):
    here.call("markers", operation="add", markers=[f"M{n}" for n in range(200)])
    assert here.call("markers", operation="add", markers=["ONE_MORE"], expect=400)["code"] == "invalid_marker"
    assert here.call("markers", operation="toggle", markers=["X"], expect=400)["code"] == "invalid_request"


def test_a_name_with_an_end_of_line_is_refused(here):
    answer = here.call("events", events=[event(name="deposit\n"), event(name="deposit")])
    assert (answer["accepted"], [error["index"] for error in answer["errors"]]) == (1, [0])


def test_two_installations_may_call_their_events_the_same(here, brand):
    """A shop numbers its orders for each visitor, or a page calls its event by the order."""
    second = Page(brand, here.origin)
    second.session(external_id="bob")
    Event.objects.all().delete()
    for page in (here, second):
        assert page.call("events", events=[event(id="order-1001")])["accepted"] == 1
        assert page.call("events", events=[event(id="order-1001")])["duplicates"] == 1
    assert set(Event.objects.values_list("end_user__external_id", flat=True)) == {"ann", "bob"}


def test_an_id_holds_for_the_installation_whoever_is_here(here):
    assert here.call("events", events=[event(id="order-1001")])["accepted"] == 1
    here.session(path="identify", external_id="bob")
    assert here.call("events", events=[event(id="order-1001")])["duplicates"] == 1


def test_no_page_takes_an_id_that_is_anothers_or_the_servers(here, brand):
    second = Page(brand, here.origin)
    second.session(external_id="bob")
    here.call("events", events=[event(id=f"{second.device.pk}:order-1001"), event(id="order-1001")])
    assert second.call("events", events=[event(id="order-1001")])["accepted"] == 1
    row = {"id": "order-1001", "external_id": "ann", "name": "deposit"}
    assert Server(brand).events(row)["accepted"] == 1
    assert Server(brand).events(row | {"external_id": "bob"})["duplicates"] == 1


def test_an_event_that_the_release_before_recorded_is_a_replay(here, brand, other):
    until = datetime.now(UTC) + timedelta(days=7)
    IdempotencyKey.objects.create(brand=brand, scope="event", key="order-1001", expires_at=until)
    IdempotencyKey.objects.create(brand=other.brand, scope="event", key="order-1002", expires_at=until)
    answer = here.call("events", events=[event(id="order-1001"), event(id="order-1002")])
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)


@pytest.mark.parametrize("seconds", [1, 120, 299, 301, 86_400])
def test_a_kept_time_never_lies_after_its_receipt(here, brand, seconds):
    ahead = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    answer = here.call("events", events=[event(occurred_at=ahead)])
    assert ("left_out" in answer) == (seconds > 300)  # an ordinary clock is no news
    server = Server(brand)
    rows = [server_event("ann", occurred_at=ahead), server_event("ann", occurred_at=ahead, historical=True)]
    refused = server.events(*rows)["errors"]
    assert [row["code"] for row in refused] == (["in_future"] * 2 if seconds > 300 else [])
    kept = Event.objects.values_list("occurred_at", "recorded_at")
    assert len(kept) == 3 - len(refused)
    assert all(occurred <= recorded for occurred, recorded in kept)


def test_events_of_a_clock_that_runs_ahead_keep_their_order(here, brand):
    now = datetime.now(UTC)
    second, first = ((now + timedelta(seconds=ahead)).isoformat() for ahead in (200, 100))
    here.call("events", events=[event(name="second", occurred_at=second), event(name="first", occurred_at=first)])
    assert list(Event.objects.order_by("pk").values_list("name", flat=True)) == ["first", "second"]
    Event.objects.all().delete()
    Server(brand).events(
        server_event("ann", name="second", occurred_at=second), server_event("ann", name="first", occurred_at=first)
    )
    assert list(Event.objects.order_by("pk").values_list("name", flat=True)) == ["first", "second"]
