"""Saving, counting and the ready segments."""

import importlib
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from campaigns.models import Campaign
from devices.models import Brand, EndUser
from segments.models import Segment, SegmentWork
from segments.rules import parse_rules, rules_json
from segments.selectors import segment_rules
from segments.selectors.audiences import context_for, segment_queryset
from segments.selectors.counting import audience_count
from segments.services import CannotSaveSegment, segment_ready, segment_save, segments_make_ready
from segments.services.lists import list_save
from segments.services.ready import READY_SEGMENTS
from tests.segments.compiling.evaluator import Evaluator
from tests.segments.population import NOW, populate

pytestmark = pytest.mark.django_db
ASK = {"version": 1, "rule": {"field": "push_status_last_session", "operator": "is", "value": "ask"}}


def test_a_segment_is_saved_changed_and_counted():
    brand = populate(seed=11, end_users=20)
    staff = User.objects.create_user("ann")
    segment = segment_save(brand=brand, name=" Ask ", rules=ASK, by=staff)
    assert (segment.name, segment.created_by) == ("Ask", staff)
    changed = segment_save(brand=brand, name="Asked", rules=ASK, segment=segment)
    assert Segment.objects.get() == changed
    wanted = Evaluator(brand.pk, NOW).selected(ASK["rule"])
    rules = segment_rules(segment=changed)
    count = audience_count(rules=rules, context=context_for(rules=rules, brand_id=brand.pk, now=NOW), exact=True)
    assert (count.selected, count.total, count.share) == (len(wanted), 20, len(wanted) / 20)


def test_saving_an_older_reading_leaves_alone_what_staff_does_not_write():
    brand = populate(seed=29, end_users=1)
    older = segment_save(brand=brand, name="Ask", rules=ASK)
    listed = list_save(brand=brand, name="VIPs")
    known = {"watched": True, "size": 5, "reachable": 3, "sized_at": NOW, "ready": "to_ask"}
    Segment.objects.filter(pk=older.pk).update(**known)
    Segment.objects.filter(pk=listed.pk).update(**known | {"ready": ""})
    segment_save(brand=brand, name="Asked", description="d", rules={"version": 1, "rule": {"all": []}}, segment=older)
    list_save(brand=brand, name="Very important", segment=listed)
    found = Segment.objects.in_bulk([older.pk, listed.pk])
    assert [found[older.pk].name, found[older.pk].description, found[listed.pk].name] == [
        "Asked",
        "d",
        "Very important",
    ]
    assert found[older.pk].rules == {"version": 1, "rule": {"all": []}}
    assert {name: getattr(found[older.pk], name) for name in known} == known
    assert {name: getattr(found[listed.pk], name) for name in known} == known | {"ready": ""}


def test_saving_has_the_sizes_of_the_segment_and_of_those_that_name_it_computed_soon():
    brand = populate(seed=30, end_users=1)
    first = segment_save(brand=brand, name="A", rules=ASK)
    second = segment_save(brand=brand, name="B", rules=names(first.pk))
    third = segment_save(brand=brand, name="C", rules=names(second.pk, "not_in"))
    segment_save(brand=brand, name="D", rules=ASK)

    def due_after(**given):
        SegmentWork.objects.all().delete()
        segment_save(brand=brand, **given)
        return set(SegmentWork.objects.filter(kind="size").values_list("segment_id", flat=True))

    assert due_after(name="A", rules={"version": 1, "rule": {"all": []}}, segment=first) == {
        first.pk, second.pk, third.pk,
    }  # fmt: skip
    assert due_after(name="Bee", rules=names(first.pk), segment=second) == {second.pk}
    assert due_after(name="E", rules=ASK) == {Segment.objects.get(name="E").pk}


def test_faults_are_named_by_field_and_path():
    brand = populate(seed=12, end_users=1)
    with pytest.raises(CannotSaveSegment) as caught:
        segment_save(brand=brand, name=" ", rules={"version": 1, "rule": {"all": [{"any": []}]}})
    assert set(caught.value.fields) == {"name", "rules.rule.all[0]"}


def test_a_name_is_used_once_in_a_brand():
    brand = populate(seed=13, end_users=1)
    other = populate(seed=14, end_users=1, name="Other")
    segment_save(brand=brand, name="Ask", rules=ASK)
    segment_save(brand=other, name="Ask", rules=ASK)
    with pytest.raises(CannotSaveSegment) as caught:
        segment_save(brand=brand, name="Ask", rules=ASK)
    assert set(caught.value.fields) == {"name"}


def test_another_brands_segment_cannot_be_changed():
    brand = populate(seed=15, end_users=1)
    other = populate(seed=16, end_users=1, name="Other")
    segment = segment_save(brand=other, name="Ask", rules=ASK)
    with pytest.raises(CannotSaveSegment):
        segment_save(brand=brand, name="Mine", rules=ASK, segment=segment)


def names(segment_id, operator="in"):
    return {"version": 1, "rule": {"field": "segment", "operator": operator, "value": segment_id}}


def refused(**given):
    with pytest.raises(CannotSaveSegment) as caught:
        segment_save(**given)
    return caught.value.fields


def test_rules_name_only_what_the_brand_has():
    brand, other = populate(seed=21, end_users=1), populate(seed=22, end_users=1, name="Other")
    theirs = segment_save(brand=other, name="Theirs", rules=ASK)
    assert set(refused(brand=brand, name="Mine", rules=names(theirs.pk))) == {"rules.rule.value"}
    foreign = Campaign.objects.create(brand=other, name="Theirs")
    rule = {"field": "campaign", "params": {"outcome": "entered", "campaign": foreign.pk}, "operator": "happened"}
    assert set(refused(brand=brand, name="Mine", rules={"version": 1, "rule": rule})) == {"rules.rule.params.campaign"}
    rule = {"field": "push", "params": {"outcome": "clicked", "category": "NEWS"}, "operator": "happened"}
    assert set(refused(brand=brand, name="Mine", rules={"version": 1, "rule": rule})) == {"rules.rule.value"}


def test_segments_that_lead_round_in_a_circle_are_refused_by_the_way_round():
    brand = populate(seed=23, end_users=1)
    first = segment_save(brand=brand, name="A", rules=ASK)
    assert "A -> A" in refused(brand=brand, name="A", rules=names(first.pk), segment=first)["rules"][0]
    second = segment_save(brand=brand, name="B", rules=names(first.pk))
    third = segment_save(brand=brand, name="C", rules=names(second.pk, "not_in"))
    assert "A -> C -> B -> A" in refused(brand=brand, name="A", rules=names(third.pk), segment=first)["rules"][0]
    first.refresh_from_db()
    assert first.rules == rules_json(parse_rules(ASK))


def test_rules_that_grow_too_many_with_those_of_other_segments_are_refused():
    brand = populate(seed=24, end_users=1)
    rules = {"version": 1, "rule": {"all": [ASK["rule"]] * 150}}
    for number in range(2):  # 150, then 22,500
        segment = segment_save(brand=brand, name=f"S{number}", rules=rules)
        rules = {"version": 1, "rule": {"all": [names(segment.pk)["rule"]] * 150}}
        if number == 0:
            assert "too many" in refused(brand=brand, name="Large", rules=rules)["rules"][0]
            rules = ASK


def test_a_segment_does_not_grow_too_large_for_those_that_name_it():
    brand = populate(seed=28, end_users=1)
    small = segment_save(brand=brand, name="Small", rules=ASK)
    segment_save(brand=brand, name="Many", rules={"version": 1, "rule": {"all": [names(small.pk)["rule"]] * 150}})
    large = {"version": 1, "rule": {"all": [ASK["rule"]] * 150}}
    assert "Many names this segment" in refused(brand=brand, name="Small", rules=large, segment=small)["rules"][0]


def test_a_segment_is_renamed_whatever_became_of_what_it_names():
    brand = populate(seed=25, end_users=1)
    first = segment_save(brand=brand, name="A", rules=ASK)
    second = segment_save(brand=brand, name="B", rules=names(first.pk))
    Segment.objects.filter(pk=first.pk).delete()
    assert segment_save(brand=brand, name="Bee", rules=names(first.pk), segment=second).name == "Bee"
    assert refused(brand=brand, name="Bee", rules=names(first.pk, "not_in"), segment=second)


def test_an_imported_segment_is_renamed_and_keeps_its_list():
    brand = populate(seed=26, end_users=1)
    segment = Segment.objects.create(brand=brand, name="VIP list", kind="imported")
    saved = segment_save(brand=brand, name="VIPs", description="By hand", rules=None, segment=segment)
    assert (saved.name, saved.kind, saved.rules) == ("VIPs", "imported", {})


@pytest.mark.django_db(transaction=True)
def test_two_saves_that_together_make_a_circle_do_not_both_succeed():
    brand = populate(seed=27, end_users=1)
    first = segment_save(brand=brand, name="A", rules=ASK)
    second = segment_save(brand=brand, name="B", rules=ASK)
    begun, outcome = Barrier(2), []

    def save(segment, other):
        begun.wait(timeout=60)
        try:
            segment_save(brand=brand, name=segment.name, rules=names(other.pk), segment=segment)
            outcome.append("saved")
        except CannotSaveSegment:
            outcome.append("refused")
        finally:
            connection.close()

    threads = [Thread(target=save, args=pair) for pair in ((first, second), (second, first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert sorted(outcome) == ["refused", "saved"]


READY = ["Push enabled", "To be asked", "Asked and later", "Blocked", "Suspended", "Dormant 30 days", "New this week"]


def test_ready_segments_are_made_once_and_never_overwritten():
    brand = populate(seed=17, end_users=1)
    made = segments_make_ready(brand=brand)
    assert [segment.name for segment in made] == READY
    Segment.objects.filter(name="Blocked").update(description="ours", name="Said no")
    assert list(segments_make_ready(brand=brand)) == list(made)
    assert Segment.objects.get(name="Said no").description == "ours"
    for segment in made:
        rules = segment_rules(segment=segment)
        audience_count(rules=rules, context=context_for(rules=rules, brand_id=brand.pk, now=NOW), exact=True)


def test_a_segment_of_the_name_of_a_ready_one_is_taken_for_it():
    brand = populate(seed=18, end_users=1)
    mine = segment_save(brand=brand, name="Dormant 30 days", rules=ASK)
    assert segment_ready(brand=brand, key=Segment.Ready.DORMANT) == mine
    mine.refresh_from_db()
    assert mine.rules == rules_json(parse_rules(ASK))


def test_a_ready_segment_finds_a_name_where_another_was_renamed_to_its_own():
    brand = populate(seed=19, end_users=1)
    blocked = segment_ready(brand=brand, key=Segment.Ready.BLOCKED)
    segment_save(brand=brand, name="Suspended", rules=blocked.rules, segment=blocked)
    assert segment_ready(brand=brand, key=Segment.Ready.SUSPENDED).name == "Suspended 2"


def test_ready_segments_select_whom_they_name():
    brand = Brand.objects.create(name="Shop", time_zone="America/New_York")
    monday = datetime(2026, 11, 16, 5, tzinfo=UTC)  # midnight in New York
    seen = {"long ago": NOW - timedelta(days=31), "lately": NOW - timedelta(days=29), "never": None}
    for name, at in seen.items():
        EndUser.objects.create(brand=brand, external_id=name, last_session_at=at)
    began = {"long ago": monday - timedelta(days=9), "lately": monday - timedelta(seconds=1), "never": monday}
    for name, at in began.items():
        EndUser.objects.filter(external_id=name).update(created_at=at)
    found = {
        segment.ready: set(
            segment_queryset(rules=rules, context=context_for(rules=rules, brand_id=brand.pk, now=NOW)).values_list(
                "external_id", flat=True
            )
        )
        for segment in segments_make_ready(brand=brand)
        for rules in [segment_rules(segment=segment)]
    }
    assert found["dormant"] == {"long ago"}
    assert found["new"] == {"never"}
    assert found["to_ask"] == {"long ago", "lately", "never"}
    assert found["asked_later"] == found["blocked"] == found["suspended"] == found["push_enabled"] == set()


def test_brands_that_are_there_already_get_the_ready_segments_too():
    migration = importlib.import_module("segments.migrations.0006_ready_segments")
    brand = Brand.objects.create(name="Shop")
    mine = Segment.objects.create(brand=brand, name="Blocked", description="ours", rules={"version": 1})
    migration.give(apps, None)
    mine.refresh_from_db()
    assert (mine.ready, mine.description) == ("blocked", "ours")
    made = {segment.ready: segment for segment in Segment.objects.filter(brand=brand)}
    for ready in READY_SEGMENTS:
        if ready.key != "blocked":
            segment = made[ready.key]
            stored = rules_json(parse_rules({"version": 1, "rule": ready.rule}))
            assert (segment.name, segment.description, segment.rules) == (ready.key.label, ready.description, stored)
