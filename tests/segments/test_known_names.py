"""Names that nobody has are pointed out with the nearest one that somebody of this very brand has."""

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from devices.models import Brand, EndUser, PropertyDefinition, PushCategory
from segments.rules import parse_rules
from segments.selectors.names import known_names, suggesting
from segments.selectors.names.known_names import KnownNames
from segments.selectors.names.nearness import nearest
from smartpush.common.language.default_words import WORDS, words_in
from smartpush.common.personalisation import names_guarded, names_used
from tests.segments.events import happened


@pytest.fixture
def acme(db):
    return _brand("Acme", prefix="")


def _brand(name, *, prefix):
    brand = Brand.objects.create(name=name)
    PropertyDefinition.objects.create(brand=brand, name=f"{prefix}first_name", type="text")
    PropertyDefinition.objects.create(brand=brand, name=f"{prefix}City", type="text")
    person = EndUser.objects.create(brand=brand, external_id="ann", js_markers=[f"{prefix.upper()}NEWS"])
    happened(person, f"{prefix}deposit", amount=20, currency="EUR")
    happened(person, f"{prefix}logout")
    return brand


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("first_name", ""),
        ("external_id", ""),
        ("language", ""),
        ("frist_name", "Nobody of Acme has a property “frist_name”. Did you mean “first_name”?"),
        ("city", "Nobody of Acme has a property “city”. Did you mean “City”?"),
        ("shoe_size", "Nobody of Acme has a property “shoe_size”."),
    ],
)
def test_a_property_that_nobody_has_is_said_with_the_nearest_one(acme, name, said):
    _brand("Other", prefix="their_")
    assert KnownNames(brand=acme).property_warning(name) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("deposit", ""),
        ("session", ""),
        ("login", ""),
        ("depositt", "Acme has never had an event “depositt”. Did you mean “deposit”?"),
        ("their_deposit", "Acme has never had an event “their_deposit”. Did you mean “deposit”?"),
        ("wagon", "Acme has never had an event “wagon”."),
    ],
)
def test_an_event_that_never_happened_is_said_with_the_nearest_one(acme, name, said):
    _brand("Other", prefix="their_")
    assert KnownNames(brand=acme).event_warning(name) == said


def test_a_marker_is_known_when_somebody_carries_it_or_a_category_sets_it(acme):
    PushCategory.objects.create(brand=acme, marker="OFFERS", name="Offers")
    known = KnownNames(brand=acme)
    assert [known.marker_warning(name, "js_markers") for name in ("NEWS", "OFFERS")] == ["", ""]
    assert known.marker_warning("NEWSS", "js_markers") == (
        "Nobody of Acme carries the JS marker “NEWSS”. Did you mean “NEWS”?"
    )
    assert known.marker_warning("NEWS", "backoffice_markers") == "Nobody of Acme carries the back-office marker “NEWS”."


def test_a_rare_marker_outside_the_sample_is_known(acme, monkeypatch):
    monkeypatch.setattr(suggesting, "_PEOPLE", suggesting._PEOPLE.replace("LIMIT 2000", "LIMIT 0"))
    known = KnownNames(brand=acme)
    assert known.markers("js_markers") == []
    assert known.marker_warning("NEWS", "js_markers") == ""


@pytest.mark.parametrize(
    ("root", "name", "event", "said"),
    [
        ("user", "frist_name", "", "Nobody of Acme has a property “frist_name”. Did you mean “first_name”?"),
        ("event", "amount", "", ""),
        ("event", "ammount", "", "No event of Acme has a property “ammount”. Did you mean “amount”?"),
        ("event", "ammount", "deposit", "The event “deposit” has no property “ammount”. Did you mean “amount”?"),
        ("event", "amount", "logout", "The event “logout” has no property “amount”."),
        ("event", "amount", "never_seen", ""),  # the event itself is pointed out, where it is chosen
        ("event", "amount", None, "No event begins this campaign, so that “event.amount” is empty for everybody."),
        ("brand", "name", "", ""),
        ("brand", "nmae", "", "A brand has no value “nmae”: there is only brand.name."),
    ],
)
def test_a_value_of_a_text_is_checked_by_where_it_comes_from(acme, root, name, event, said):
    assert KnownNames(brand=acme).value_warning(root, name, event) == said


def _rules(*conditions):
    return parse_rules({"version": 1, "rule": {"all": list(conditions)}})


def test_every_name_that_a_rule_holds_is_checked_with_its_path(acme):
    where = [{"name": "curency", "type": "text", "operator": "is", "value": "EUR"}]
    rules = _rules(
        {"field": "property", "operator": "is_set", "params": {"name": "frist_name", "type": "text"}},
        {"not": {"field": "event", "operator": "happened", "value": None, "params": {"name": "depositt"}}},
        {"field": "event_last", "operator": "is_set", "params": {"name": "deposit", "where": where}},
        {"field": "js_markers", "operator": "has_any", "value": ["NEWS", "NEWSS"]},
    )
    assert {(warning.path, warning.message) for warning in KnownNames(brand=acme).rule_warnings(rules)} == {
        ("rule.all[0].params.name", "Nobody of Acme has a property “frist_name”. Did you mean “first_name”?"),
        ("rule.all[1].not.params.name", "Acme has never had an event “depositt”. Did you mean “deposit”?"),
        (
            "rule.all[2].params.where[0].name",
            "The event “deposit” has no property “curency”. Did you mean “currency”?",
        ),
        ("rule.all[3].value", "Nobody of Acme carries the JS marker “NEWSS”. Did you mean “NEWS”?"),
    }


def test_names_are_read_once_however_many_are_checked(acme):
    known = KnownNames(brand=acme)
    with CaptureQueriesContext(
        connection,
    ) as few:
        _check(known, 1)
    many = KnownNames(brand=acme)
    with CaptureQueriesContext(connection) as asked:
        _check(many, 40)
    reads = [query["sql"] for query in asked if "devices_" in query["sql"]]
    assert len(reads) == len([query for query in few if "devices_" in query["sql"]]) + 39  # a marker is a probe each
    assert len(reads) == 4 + 40
    assert all("LIMIT" in sql or "EXISTS" in sql or "pushcategory" in sql for sql in reads)


def _check(known, times):
    for number in range(times):
        known.property_warning(f"p{number}")
        known.event_warning(f"e{number}")
        known.marker_warning(f"M{number}", "js_markers")


def test_a_brand_with_more_events_than_the_list_holds_is_asked_about_the_one(acme, monkeypatch):
    monkeypatch.setattr(known_names, "MOST_EVENT_NAMES", 2)
    monkeypatch.setattr(known_names, "EVENT_NAMES", known_names.EVENT_NAMES.replace("LIMIT 500", "LIMIT 2"))
    happened(EndUser.objects.get(), "withdrawal")
    assert "withdrawal" not in KnownNames(brand=acme).events
    assert KnownNames(brand=acme).event_warning("withdrawal") == ""
    assert KnownNames(brand=acme).event_warning("withdrawall") != ""


def test_nothing_is_said_where_reading_takes_too_long(acme, monkeypatch):
    monkeypatch.setattr(suggesting, "WITHIN", 0)
    known = KnownNames(brand=acme)
    assert known.event_warning("depositt") == known.marker_warning("NEWSS", "js_markers") == ""
    assert known.value_warning("event", "ammount") == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("frist_name", "first_name"),
        ("FIRST_NAME", "first_name"),
        ("mail", "email"),
        ("emial", "email"),
        ("balnace", "balance"),
        ("my_balance", "balance"),
        ("x", ""),
        ("", ""),
    ],
)
def test_the_nearest_name_forgives_a_slip_and_no_more(typed, meant):
    assert nearest(typed, ["first_name", "email", "balance"]) == meant


@pytest.fixture
def fresh(db):
    return Brand.objects.create(name="Fresh")


@pytest.mark.parametrize("language", WORDS)
def test_our_own_welcome_is_no_mistake_of_a_fresh_brand_nor_of_one_with_other_names(acme, fresh, language):
    PropertyDefinition.objects.filter(brand=acme).update(name=Concat("name", Value("_of_the_shoe")))
    text = words_in(language).welcome
    for brand in (acme, fresh):
        known = KnownNames(brand=brand)
        assert [known.value_warning(*used, guarded=used in names_guarded(text)) for used in names_used(text)] in (
            [], [""]
        )  # fmt: skip


def test_while_nothing_has_come_no_name_is_a_mistake(fresh):
    known = KnownNames(brand=fresh)
    assert [known.property_warning("frist_name"), known.event_warning("depositt")] == ["", ""]
    assert [known.value_warning("user", "frist_name"), known.value_warning("event", "ammount")] == ["", ""]
    person = EndUser.objects.create(brand=fresh, external_id="ann")
    happened(person, "session")
    known = KnownNames(brand=fresh)
    assert [known.event_warning("depositt"), known.value_warning("event", "ammount")] == ["", ""]
    happened(person, "purchase", amount=1)
    known = KnownNames(brand=fresh)
    assert known.event_warning("depositt") == "Fresh has never had an event “depositt”."
    assert known.value_warning("event", "ammount") != ""


@pytest.mark.parametrize(
    ("root", "name", "event", "said"),
    [
        ("user", "shoe_size", "", ""),
        ("user", "frist_name", "", "Nobody of Acme has a property “frist_name”. Did you mean “first_name”?"),
        ("event", "shoe_size", "deposit", ""),
        ("event", "ammount", "deposit", "The event “deposit” has no property “ammount”. Did you mean “amount”?"),
        ("brand", "nmae", "", "A brand has no value “nmae”: there is only brand.name."),
    ],
)
def test_a_name_with_a_default_is_checked_only_where_another_is_near(acme, root, name, event, said):
    assert KnownNames(brand=acme).value_warning(root, name, event, guarded=True) == said
