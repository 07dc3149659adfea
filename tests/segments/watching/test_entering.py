"""Who enters and leaves a watched segment: each once, whoever wrote what let them in."""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from devices.lifecycle.users import UserInput, users_upsert
from devices.models import ChangedEndUser, Device, EndUser
from segments.models import ListEntry, MembershipChange, Segment, SegmentMembership
from segments.services.watching import changed_people_evaluate, rebaseline, unwatch, watch, watching_forget_old
from tests.campaigns.world import NOW, later
from tests.segments.watching.watched import (
    DEPOSIT,
    PUSH,
    VIP,
    changes,
    deposit,
    inside,
    queued,
    segment_of,
    watched_segment,
)


def test_who_is_in_the_segment_when_the_watching_begins_did_not_enter(world):
    ann = world.end_user(js_markers=["VIP"])
    world.end_user()
    segment = watched_segment(world.brand, VIP)
    assert list(SegmentMembership.objects.values_list("end_user_id", "inside", "epoch")) == [(ann.pk, True, 0)]
    EndUser.objects.filter(pk=ann.pk).update(country="DE")
    changed_people_evaluate(now=later(1))
    assert changes(segment) == []
    segment.refresh_from_db()
    assert segment.watched


def test_who_was_in_from_the_start_may_leave_and_enter_for_the_first_time(world):
    ann = world.end_user(js_markers=["VIP"])
    segment = watched_segment(world.brand, VIP)
    for markers in ([], ["VIP"]):
        EndUser.objects.filter(pk=ann.pk).update(js_markers=markers)
        changed_people_evaluate(now=later(1))
    assert changes(segment) == [(ann.pk, "left", 0), (ann.pk, "entered", 1)]


def test_an_event_lets_somebody_in_once_and_the_change_says_when_it_was_noticed(world):
    ann, ben = world.end_user(), world.end_user()
    segment = watched_segment(world.brand, DEPOSIT)
    deposit(world, ann, at=later(1))
    changed_people_evaluate(now=later(2))
    deposit(world, ann, at=later(3))
    changed_people_evaluate(now=later(4))
    assert changes(segment) == [(ann.pk, "entered", 1)]
    change = MembershipChange.objects.get()
    assert (change.at, change.taken_at) == (later(2), None)
    assert inside(segment) == {ann.pk}
    assert queued() == []
    assert not SegmentMembership.objects.filter(end_user=ben).exists()


def test_each_stay_has_its_number(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    for second, markers in enumerate((["VIP"], [], ["VIP"], [])):
        EndUser.objects.filter(pk=ann.pk).update(js_markers=markers)
        changed_people_evaluate(now=later(second))
    assert changes(segment) == [
        (ann.pk, "entered", 1), (ann.pk, "left", 1), (ann.pk, "entered", 2), (ann.pk, "left", 2),
    ]  # fmt: skip


def test_who_goes_in_and_out_between_two_looks_was_not_seen(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    for markers in (["VIP"], []):
        EndUser.objects.filter(pk=ann.pk).update(js_markers=markers)
    changed_people_evaluate(now=later(1))
    assert changes(segment) == []


def test_a_server_that_sets_properties_lets_people_in(world):
    rule = {"field": "property", "params": {"name": "level", "type": "number"}, "operator": "at_least", "value": 2}
    segment = watched_segment(world.brand, rule)
    rows = [UserInput(index=n, external_id=f"u{n}", properties={"level": n}) for n in range(4)]
    users_upsert(brand_id=world.brand.pk, rows=rows, now=later(1))
    changed_people_evaluate(now=later(2))
    expected = EndUser.objects.filter(external_id__in=["u2", "u3"]).order_by("pk").values_list("pk", flat=True)
    assert changes(segment) == [(pk, "entered", 1) for pk in expected]


def test_end_users_that_are_copied_in_enter(world):
    rule = {"field": "property", "params": {"name": "level", "type": "number"}, "operator": "at_least", "value": 2}
    segment = watched_segment(world.brand, rule)
    with connection.cursor() as cursor:
        columns = "(brand_id, external_id, language, time_zone, country, properties)"
        with cursor.copy(f"COPY devices_enduser {columns} FROM STDIN") as copy:
            for n in range(4):
                copy.write_row((world.brand.pk, f"c{n}", "", "", "", json.dumps({"level": n})))
    changed_people_evaluate(now=later(2))
    assert {kind for _, kind, _ in changes(segment)} == {"entered"}
    assert inside(segment) == set(EndUser.objects.filter(external_id__in=["c2", "c3"]).values_list("pk", flat=True))


def test_a_token_that_dies_lets_its_holder_out(world):
    ann = world.end_user()
    device = world.device(ann)
    segment = watched_segment(world.brand, PUSH)
    Device.objects.filter(pk=device.pk).update(token_hash=None)
    changed_people_evaluate(now=later(1))
    assert changes(segment) == [(ann.pk, "left", 0)]


def test_a_segment_that_names_another_notices_what_that_one_reads(world):
    ann = world.end_user()
    named = segment_of(world.brand, VIP, "Named")
    segment = watched_segment(world.brand, {"field": "segment", "operator": "in", "value": named.pk})
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    changed_people_evaluate(now=later(1))
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_an_edit_of_the_rules_lets_nobody_in_or_out(world):
    ann, ben = world.end_user(js_markers=["VIP"]), world.end_user(country="DE")
    segment = watched_segment(world.brand, VIP)
    segment.rules = {"version": 1, "rule": {"field": "country", "operator": "is", "value": "DE"}}
    segment.save()
    rebaseline(segment=segment, now=later(1))
    changed_people_evaluate(now=later(2))
    assert changes(segment) == []
    assert inside(segment) == {ben.pk}
    EndUser.objects.filter(pk=ann.pk).update(country="DE")
    EndUser.objects.filter(pk=ben.pk).update(country="AT")
    changed_people_evaluate(now=later(3))
    assert sorted(changes(segment)) == [(ann.pk, "entered", 1), (ben.pk, "left", 0)]


def test_an_edit_of_a_segment_that_is_named_lets_nobody_into_the_one_that_names_it(world):
    ann = world.end_user(country="DE")
    named = segment_of(world.brand, VIP, "Named")
    segment = watched_segment(world.brand, {"field": "segment", "operator": "in", "value": named.pk})
    Segment.objects.filter(pk=named.pk).update(
        rules={"version": 1, "rule": {"field": "country", "operator": "is", "value": "DE"}}
    )
    rebaseline(segment=named, now=later(1))
    EndUser.objects.filter(pk=ann.pk).update(language="de")
    changed_people_evaluate(now=later(2))
    assert (changes(segment), inside(segment)) == ([], {ann.pk})


def test_an_edit_of_one_segment_minds_no_other_that_cannot_be_read(world):
    segment_of(world.brand, {"field": "gone", "operator": "is", "value": 1}, "Broken")
    ann = world.end_user(js_markers=["VIP"])
    segment = watched_segment(world.brand, DEPOSIT)
    Segment.objects.filter(pk=segment.pk).update(rules={"version": 1, "rule": VIP})
    rebaseline(segment=segment, now=later(1))
    assert (inside(segment), changes(segment)) == ({ann.pk}, [])


def test_who_comes_back_by_an_edit_can_leave_again(world):
    """A quiet return is a stay of its own: the leaving that follows it is not the one that was told already."""
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    for markers in (["VIP"], []):
        EndUser.objects.filter(pk=ann.pk).update(js_markers=markers)
        changed_people_evaluate(now=later(1))
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    rebaseline(segment=segment, now=later(2))
    changed_people_evaluate(now=later(3))
    EndUser.objects.filter(pk=ann.pk).update(js_markers=[])
    changed_people_evaluate(now=later(4))
    assert changes(segment) == [(ann.pk, "entered", 1), (ann.pk, "left", 1), (ann.pk, "left", 2)]


def test_stays_go_on_being_numbered_when_the_watching_begins_again(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    for markers in (["VIP"], []):
        EndUser.objects.filter(pk=ann.pk).update(js_markers=markers)
        changed_people_evaluate(now=later(1))
    unwatch(segment=segment)
    watch(segment=segment, now=later(2))
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    changed_people_evaluate(now=later(3))
    assert changes(segment)[2:] == [(ann.pk, "entered", 2)]


def test_nothing_is_kept_or_queued_of_a_segment_that_is_watched_no_longer(world):
    ann = world.end_user(js_markers=["VIP"])
    segment = watched_segment(world.brand, VIP)
    kept = watched_segment(world.brand, DEPOSIT, "Kept")
    unwatch(segment=segment)
    assert not SegmentMembership.objects.filter(segment=segment).exists()
    deposit(world, ann)
    assert queued() == [ann.pk]
    unwatch(segment=kept)
    deposit(world, ann)
    assert queued() == []


def test_watching_a_segment_again_changes_nothing(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    watch(segment=segment, now=later(1))
    changed_people_evaluate(now=later(2))
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_another_brands_people_are_never_evaluated(world, other_world):
    segment = watched_segment(world.brand, VIP)
    watched_segment(other_world.brand, DEPOSIT)
    ann, ben = world.end_user(js_markers=["VIP"]), other_world.end_user(js_markers=["VIP"])
    ChangedEndUser.objects.create(brand_id=world.brand.pk, end_user_id=ben.pk)
    changed_people_evaluate(now=later(1))
    assert inside(segment) == {ann.pk}
    assert MembershipChange.objects.count() == 1


def test_the_queue_is_taken_so_many_at_a_time_whatever_the_planner_chooses(world):
    with connection.cursor() as cursor:  # as with the statistics of a table that has just been filled
        for method in ("hashjoin", "mergejoin", "hashagg", "material", "memoize", "sort"):
            cursor.execute(f"SET LOCAL enable_{method} = off")
    segment = watched_segment(world.brand, VIP)
    people = [world.end_user(js_markers=["VIP"]).pk for _ in range(5)]
    assert [changed_people_evaluate(now=later(n), most=2) for n in range(4)] == [2, 2, 1, 0]
    assert inside(segment) == set(people)


def test_rules_that_cannot_be_evaluated_hold_up_no_other_segment(world, caplog):
    broken = watched_segment(world.brand, VIP, "Broken")
    segment = watched_segment(world.brand, VIP)
    Segment.objects.filter(pk=broken.pk).update(rules={"version": 1, "rule": {"field": "gone"}})
    ann = world.end_user(js_markers=["VIP"])
    assert changed_people_evaluate(now=later(1)) == 1
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_five_thousand_at_once_are_as_many_statements_as_five(world):
    watched_segment(world.brand, VIP)
    watched_segment(world.brand, PUSH, "Push")
    counts = []
    for size in (5, 5000):
        people = world.end_users(size)
        EndUser.objects.filter(pk__in=people).update(js_markers=["VIP"])
        with CaptureQueriesContext(connection) as captured:
            assert changed_people_evaluate(now=later(size), most=20_000) == 2 * size
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert MembershipChange.objects.filter(kind="entered").count() == 5005


def test_what_was_taken_from_the_queue_is_there_again_when_the_transaction_ends_badly(world):
    segment = watched_segment(world.brand, VIP)
    ann = world.end_user(js_markers=["VIP"])
    with pytest.raises(RuntimeError), transaction.atomic():
        changed_people_evaluate(now=later(1))
        assert (queued(), len(changes(segment))) == ([], 1)
        raise RuntimeError
    assert (queued(), changes(segment)) == ([ann.pk], [])
    changed_people_evaluate(now=later(2))
    changed_people_evaluate(now=later(3))
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_an_imported_segment_may_be_watched(world):
    ann = world.end_user()
    segment = Segment.objects.create(brand=world.brand, name="List", kind="imported")
    ListEntry.objects.create(segment=segment, end_user=ann)
    watch(segment=segment, now=NOW)
    assert inside(segment) == {ann.pk}


def test_membership_changes_are_forgotten_after_ninety_days(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    changed_people_evaluate(now=NOW)
    watching_forget_old(now=later(90 * 86400))
    assert len(changes(segment)) == 1
    watching_forget_old(now=later(90 * 86400 + 1))
    assert (changes(segment), inside(segment)) == ([], {ann.pk})
