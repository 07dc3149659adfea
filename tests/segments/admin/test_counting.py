"""Counts: exact where that is quick, else an estimate whose error covers the truth; a slow statement is cancelled."""

import pytest
from django.db import connection

from devices.lifecycle.arriving import bucket_of
from devices.models import Brand, EndUser
from segments.conditions import Context
from segments.rules import parse_rules
from segments.selectors import counting
from segments.selectors.bounded import TooSlow, rows_within
from segments.selectors.counting import audience_count, margin
from tests.segments.compiling.evaluator import Evaluator
from tests.segments.population import NOW, populate

pytestmark = pytest.mark.django_db
EVERYBODY: dict[str, object] = {"all": []}


def rules(rule):
    return parse_rules({"version": 1, "rule": rule})


@pytest.fixture
def crowd():
    """12,000 end users of whom each seventh speaks German, each thousandth Finnish."""
    # Whom a sample draws follows from the brand's number: of one number in twenty the truth lies outside of the 95 %.
    brand = Brand.objects.create(pk=1_000_000, name="Crowd")
    EndUser.objects.bulk_create(
        EndUser(
            brand=brand,
            external_id=f"u{n}",
            bucket=bucket_of(brand_id=brand.pk, key=f"u{n}"),
            language="de" if n % 7 == 0 else "fi" if n % 1000 == 1 else "en",
        )
        for n in range(12_000)
    )
    return brand


def estimated(brand, rule, *, truth, monkeypatch):
    """The estimate of a rule, made without trying to be exact, from a part of the brand."""
    monkeypatch.setattr(counting, "_LIKELY_QUICK", -1)
    monkeypatch.setattr(counting, "_ENOUGH", 1_000)
    found = audience_count(rules=rules(rule), context=Context(brand.pk, NOW), exact=False, budget=60)
    assert not found.exact
    assert 0 < found.error < 12_000
    assert abs(found.selected - truth) <= found.error
    return found


@pytest.mark.parametrize(
    ("rule", "truth"),
    [
        (EVERYBODY, 12_000),
        ({"field": "language", "operator": "is", "value": "de"}, 1_715),
        ({"field": "language", "operator": "is", "value": "fi"}, 11),
        ({"field": "language", "operator": "is", "value": "sv"}, 0),
        ({"field": "push_enabled", "operator": "is", "value": False}, 12_000),
        ({"not": {"field": "language", "operator": "is", "value": "de"}}, 10_285),
    ],
)
def test_the_error_of_an_estimate_covers_the_truth(crowd, rule, truth, monkeypatch):
    estimated(crowd, rule, truth=truth, monkeypatch=monkeypatch)


def test_an_estimate_is_the_same_each_time(crowd, monkeypatch):
    rule = {"field": "language", "operator": "is", "value": "de"}
    first, second = (estimated(crowd, rule, truth=1_715, monkeypatch=monkeypatch) for _ in range(2))
    assert first == second


def test_an_estimate_that_saw_everybody_is_exact(monkeypatch):
    brand = populate(seed=31, end_users=50)
    monkeypatch.setattr(counting, "_LIKELY_QUICK", -1)
    rule = {"field": "push_status_last_session", "operator": "is", "value": "ask"}
    found = audience_count(rules=rules(rule), context=Context(brand.pk, NOW), exact=False, budget=60)
    exact = audience_count(rules=rules(rule), context=Context(brand.pk, NOW), exact=True)
    assert found == exact
    assert found.selected == len(Evaluator(brand.pk, NOW).selected(rule))


def test_without_time_nothing_is_claimed(crowd, monkeypatch):
    monkeypatch.setattr(counting, "_LIKELY_QUICK", -1)
    found = audience_count(rules=rules(EVERYBODY), context=Context(crowd.pk, NOW), exact=False, budget=0)
    assert (found.exact, found.selected, found.error, found.total) == (False, 6_000, 6_000, 12_000)


def test_an_empty_brand_counts_nobody():
    brand = Brand.objects.create(name="Empty")
    found = audience_count(rules=rules(EVERYBODY), context=Context(brand.pk, NOW), exact=False)
    assert (found.exact, found.selected, found.error, found.total, found.share) == (True, 0, 0, 0, 0)


def test_the_platforms_are_those_on_which_a_push_reaches_them():
    brand = populate(seed=33, end_users=80)
    found = audience_count(rules=rules(EVERYBODY), context=Context(brand.pk, NOW), exact=True)
    reached = {"web": set(), "android": set(), "ios": set()}
    slow = Evaluator(brand.pk, NOW)
    for person in slow.people.values():
        for device in slow.reached_on(person):
            reached[device["platform"]].add(person["id"])
    assert found.platforms == {name: len(people) for name, people in reached.items()}
    assert found.reachable == len(set.union(*reached.values()))


def test_a_statement_that_is_too_slow_is_cancelled_and_the_connection_stays_usable():
    with pytest.raises(TooSlow):
        rows_within(text="SELECT pg_sleep(200)", params=[], milliseconds=50)
    assert rows_within(text="SELECT 1", params=[], milliseconds=60_000) == [(1,)]
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_too():
    with pytest.raises(TooSlow):
        rows_within(text="SELECT pg_sleep(200)", params=[], milliseconds=50)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        assert cursor.fetchone() == ("0",)


@pytest.mark.parametrize("milliseconds", [0, -5])
def test_no_time_is_not_for_ever(milliseconds):
    with pytest.raises(TooSlow):
        rows_within(text="SELECT 1", params=[], milliseconds=milliseconds)


@pytest.mark.parametrize(
    ("found", "looked_at", "total", "low", "high"),
    [
        (0, 1_000, 10**6, 3 / 1_000, 4 / 1_000),  # the rule of three, and a little more
        (1_000, 1_000, 10**6, 3 / 1_000, 4 / 1_000),
        (500, 1_000, 10**6, 0.0309, 0.0311),  # 1.96 * sqrt(0.25 / 1000)
        (500, 1_000, 2_000, 0.0218, 0.0220),  # of half the population: sqrt(1 / 2) of it
        (7, 20, 20, 0, 0),
    ],
)
def test_the_error_of_a_share(found, looked_at, total, low, high):
    assert low <= margin(found=found, looked_at=looked_at, total=total) <= high
