"""Values to pick: real ones, the most frequent first, of the brand alone."""

import pytest

from devices.models import EndUser, PropertyDefinition
from tests.segments.admin.conftest import address
from tests.segments.admin.events import happened


@pytest.fixture
def values(editor):
    def values(**asked):
        answer = editor.get(address("values"), asked)
        assert answer.status_code == 200
        return answer.json()["values"]

    return values


def person(brand, **fields):
    return EndUser.objects.create(brand=brand, **fields)


def test_markers_by_how_many_have_them(values, brand, theirs):
    EndUser.objects.filter(brand=brand).update(js_markers=["COMMON"])
    person(brand, external_id="x", js_markers=["RARE", "COMMON"])
    found = values(id="js_markers", arg="value", q="")
    assert [(one["value"], one["count"]) for one in found] == [("COMMON", 21), ("RARE", 1)]


def test_what_was_typed_narrows_them_and_beginnings_come_first(values, brand):
    EndUser.objects.filter(brand=brand).update(js_markers=["WINTER_SPORTS", "NEWS"])
    person(brand, external_id="x", js_markers=["SPORTS"])
    assert [one["value"] for one in values(id="js_markers", arg="value", q="sport")] == ["SPORTS", "WINTER_SPORTS"]


def test_there_are_fifty_at_most(values, brand):
    person(brand, external_id="x", external_markers=[f"MARK_{n}" for n in range(80)])
    assert len(values(id="external_markers", arg="value", q="mark")) == 50


def test_properties_by_frequency_of_the_defined_type(values, brand, theirs):
    PropertyDefinition.objects.create(brand=brand, name="city", type="text")
    for n, city in enumerate(["Wien", "Wien", "Berlin", 5, None, ["a"]]):
        person(brand, external_id=f"p{n}", properties={"city": city})
    found = values(id="property:city", arg="value", q="")
    assert [(one["value"], one["count"]) for one in found] == [("Wien", 2), ("Berlin", 1)]


def test_time_zones_and_languages_of_those_who_have_one(values, brand, theirs):
    EndUser.objects.filter(brand=brand).update(time_zone="", language="", language_canonical=None)
    person(brand, external_id="x", time_zone="Europe/Vienna", language="de-AT")
    assert [one["value"] for one in values(id="time_zone", arg="value", q="")] == ["Europe/Vienna"]
    assert [one["value"] for one in values(id="language", arg="value", q="")] == ["de-AT"]


def test_events_their_properties_with_types_and_the_values_of_one(values, brand, theirs):
    happened(theirs, "theirs", secret=1)
    happened(brand, "login")
    for amount in (20, 20, 5):
        happened(brand, "deposit", amount=amount, currency="EUR", first=True, due="2026-12-01T10:00:00Z")
    assert [one["value"] for one in values(id="event", arg="name", q="")] == ["deposit", "login"]
    assert [one["value"] for one in values(id="event_last", arg="name", q="dep")] == ["deposit"]
    found = values(id="event", arg="where", name="deposit", q="")
    assert {one["value"]: one["type"] for one in found} == {
        "amount": "number", "currency": "text", "first": "boolean", "due": "date",
    }  # fmt: skip
    found = values(id="event", arg="where_value", name="deposit", property="amount", q="")
    assert [(one["value"], one["count"]) for one in found] == [("20", 2), ("5", 1)]
    assert values(id="event", arg="where", name="theirs", q="") == []


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"id": "nothing"},
        {"id": "property:unknown", "arg": "value"},
        {"id": "event", "arg": "where"},
        {"id": "event", "arg": "value"},
        {"id": "event", "arg": "where_value", "name": "\x00", "property": "x"},
        {"id": "js_markers", "arg": "nonsense", "q": "\x00%_'\\"},
        {"id": "js_markers", "q": "x" * 5_000},
        {"id": "last_seen", "arg": "value"},
    ],
)
def test_what_has_no_values_has_an_empty_list(values, asked):
    assert values(**asked) == []
