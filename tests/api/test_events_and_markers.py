"""events and markers over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.models import Campaign, Enrolment
from devices.models import Event
from tests.api.page import Page, asking_campaign, event
from tests.devices.people import person


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
            {"name": "x", "properties": {"deep": {"er": 1}}},
            {"name": "x", "occurred_at": "yesterday"},
            "text",
            None,
            {"name": "x", "kind": "thing"},
            {"name": "x", "properties": {"a": "x" * 9000}},
        ],
    )
    assert answer["accepted"] == 1
    assert [error["index"] for error in answer["errors"]] == list(range(1, 9))
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


def test_a_bad_marker_changes_nothing(here):
    here.call("markers", operation="add", markers=["NEWS"])
    for markers in (["<script>"], ["É"], ["OK", "not/ok"]):
        error = here.call("markers", operation="replace", markers=markers, expect=400)
        assert (error["code"], list(error["fields"])) == ("invalid_marker", ["markers"])
    assert person(here.brand, "ann").js_markers == ["NEWS"]


def test_there_is_an_end_to_markers(here):
    here.call("markers", operation="add", markers=[f"M{n}" for n in range(200)])
    assert here.call("markers", operation="add", markers=["ONE_MORE"], expect=400)["code"] == "invalid_marker"
    assert here.call("markers", operation="toggle", markers=["X"], expect=400)["code"] == "invalid_request"


def test_a_name_with_an_end_of_line_is_refused(here):
    answer = here.call("events", events=[event(name="deposit\n"), event(name="deposit")])
    assert (answer["accepted"], [error["index"] for error in answer["errors"]]) == (1, [0])
