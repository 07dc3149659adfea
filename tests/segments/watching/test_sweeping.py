"""Those who come and go with time, or by what is not queued, and whatever was missed."""

from datetime import timedelta

from django.db import connection

from devices.models import ChangedEndUser, EndUser
from segments.models import Segment, SegmentMembership, SegmentWork
from segments.services.sweeping import LONGEST, SHORTEST, interval, sweep, sweep_work
from segments.services.watching import changed_people_evaluate, rebaseline, watch
from tests.campaigns.world import NOW, later
from tests.segments.lists.people import a_list, imported
from tests.segments.watching.watched import LATELY, VIP, changes, deposit, inside, segment_of, watched_segment

DAY = 86_400


def test_who_is_let_in_by_an_event_leaves_as_time_passes(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, LATELY)
    deposit(world, ann)
    changed_people_evaluate(now=later(1))
    assert not sweep(segment=segment, now=later(6 * DAY)).left
    assert sweep(segment=segment, now=later(8 * DAY)).left == 1
    sweep(segment=segment, now=later(9 * DAY))
    assert changes(segment) == [(ann.pk, "entered", 1), (ann.pk, "left", 1)]


def test_who_is_let_in_by_time_alone_enters_at_the_sweep(world):
    rule = {
        "field": "last_seen",
        "operator": "before_the_last",
        "value": {"count": 30, "unit": "day", "zone": "brand"},
    }
    ann = world.end_user(last_session_at=NOW)
    segment = watched_segment(world.brand, rule)
    sweep(segment=segment, now=later(29 * DAY))
    assert changes(segment) == []
    sweep(segment=segment, now=later(31 * DAY))
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_an_imported_list_lets_in_and_out_with_a_sweep_that_is_due_at_once(world):
    ann, ben = world.end_user(external_id="ann"), world.end_user(external_id="ben")
    listed = a_list(world.brand, ann)
    segment = watched_segment(world.brand, {"field": "segment", "operator": "in", "value": listed.pk})
    watched = SegmentWork.objects.get(segment=segment, kind="sweep")
    job = imported(listed, "ben\n", mode="replace")
    asked = SegmentWork.objects.get(segment=segment, kind="sweep")
    assert asked.due_at == SegmentWork.objects.get(segment=listed, kind="size").due_at == job.finished_at
    assert asked.due_at < watched.due_at
    sweep(segment=segment, now=later(6))
    assert sorted(changes(segment)) == [(ann.pk, "left", 0), (ben.pk, "entered", 1)]


def test_an_edit_of_rules_asks_for_the_size_at_once(world):
    segment = segment_of(world.brand, VIP)
    rebaseline(segment=segment, now=later(5))
    assert SegmentWork.objects.get(segment=segment, kind="size").due_at == later(5)
    assert not SegmentMembership.objects.exists()


def test_what_the_queue_missed_is_repaired(world):
    ann, ben = world.end_user(js_markers=["VIP"]), world.end_user()
    segment = watched_segment(world.brand, VIP)
    EndUser.objects.filter(pk=ann.pk).update(js_markers=[])
    EndUser.objects.filter(pk=ben.pk).update(js_markers=["VIP"])
    ChangedEndUser.objects.all().delete()
    sweep(segment=segment, now=later(1))
    assert sorted(changes(segment)) == [(ann.pk, "left", 0), (ben.pk, "entered", 1)]


def test_who_is_in_the_queue_is_left_to_it(world):
    segment = watched_segment(world.brand, VIP)
    ann = world.end_user(js_markers=["VIP"])
    assert sweep(segment=segment, now=later(1)).entered == 0
    changed_people_evaluate(now=later(2))
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_a_sweep_and_an_evaluation_of_the_same_change_record_it_once(world):
    segment = watched_segment(world.brand, LATELY)
    ann = world.end_user()
    deposit(world, ann)
    ChangedEndUser.objects.all().delete()
    sweep(segment=segment, now=later(1))
    ChangedEndUser.objects.create(brand_id=world.brand.pk, end_user_id=ann.pk)
    changed_people_evaluate(now=later(2))
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_an_evaluation_from_before_the_sweep_takes_nothing_back(world):
    """A tick that began just before the time was up, and evaluated just after the sweep."""
    ann = world.end_user()
    segment = watched_segment(world.brand, LATELY)
    deposit(world, ann)
    changed_people_evaluate(now=later(1))
    sweep(segment=segment, now=later(7 * DAY + 1))
    ChangedEndUser.objects.create(brand_id=world.brand.pk, end_user_id=ann.pk)
    changed_people_evaluate(now=later(7 * DAY - 1))
    assert changes(segment) == [(ann.pk, "entered", 1), (ann.pk, "left", 1)]


def test_nothing_is_kept_of_people_who_are_gone(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    changed_people_evaluate(now=later(1))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM devices_enduser WHERE id = %s", [ann.pk])
    sweep(segment=segment, now=later(1))
    assert not SegmentMembership.objects.exists()
    assert changes(segment) == []


def test_more_than_a_slice_at_once(world):
    people = world.end_users(5200)
    EndUser.objects.filter(pk__in=people).update(last_session_at=NOW)
    rule = {"field": "last_seen", "operator": "in_the_last", "value": {"count": 1, "unit": "day", "zone": "brand"}}
    segment = watched_segment(world.brand, rule)
    assert inside(segment) == set(people)
    assert sweep(segment=segment, now=later(2 * DAY)).left == 5200
    assert inside(segment) == set()


def test_watching_begins_with_a_sweep_soon_after_for_whoever_was_being_written_meanwhile(world):
    segment = watched_segment(world.brand, VIP)
    work = SegmentWork.objects.get(segment=segment, kind="sweep")
    assert NOW < work.due_at <= NOW + timedelta(minutes=2)


def test_what_cannot_drift_is_swept_hourly_and_what_can_more_often(world):
    still, drifting = watched_segment(world.brand, VIP, "Still"), watched_segment(world.brand, LATELY)
    assert sweep_work(still.pk, NOW) == NOW + LONGEST
    assert NOW + SHORTEST <= sweep_work(drifting.pk, NOW) < NOW + LONGEST


def test_a_heavy_sweep_comes_less_often_but_once_an_hour():
    assert [interval(seconds=seconds) for seconds in (0.1, 10, 600)] == [
        timedelta(minutes=5), timedelta(seconds=1000), timedelta(hours=1),
    ]  # fmt: skip


def test_a_segment_that_is_watched_no_longer_is_not_swept(world):
    segment = segment_of(world.brand, VIP)
    watch(segment=segment, now=NOW)
    Segment.objects.filter(pk=segment.pk).update(watched=False)
    world.end_user(js_markers=["VIP"])
    sweep_work(segment.pk, later(1))
    assert not SegmentMembership.objects.exists()
    assert not SegmentWork.objects.filter(kind="sweep").exists()
