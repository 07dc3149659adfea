"""Heavy work recurs by itself, one piece at a time, whatever becomes of jobs and workers."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django_q.models import OrmQ

from segments import tasks
from segments.models import MembershipChange, Segment, SegmentWork
from segments.services.scheduled_work import LEASE, RETRY, SILENCE, work_claim, work_due, work_notify, work_run
from tests.campaigns.world import NOW, later
from tests.segments.watching.watched import LATELY, VIP, deposit, segment_of, watched_segment

SIZE, SWEEP = SegmentWork.Kind.SIZE, SegmentWork.Kind.SWEEP


def only(segment: Segment, kind: str = SIZE) -> SegmentWork:
    return SegmentWork.objects.get(segment=segment, kind=kind)


def test_every_segment_has_its_size_to_be_computed_and_a_watched_one_its_sweep(world):
    segment, watched = segment_of(world.brand, VIP), watched_segment(world.brand, VIP, "Watched")
    work_notify(now=later(1))
    work_notify(now=later(2))
    assert sorted(SegmentWork.objects.values_list("segment_id", "kind")) == sorted(
        [(segment.pk, "size"), (watched.pk, "size"), (watched.pk, "sweep")]
    )


def test_one_job_is_queued_and_again_only_when_it_seems_lost(world):
    segment_of(world.brand, VIP)
    segment_of(world.brand, VIP, "T")
    notified = [work_notify(now=NOW + wait) for wait in (timedelta(0), SILENCE / 2, SILENCE, SILENCE * 2)]
    assert notified == [1, 0, 1, 1]


def test_the_job_calls_a_worker_of_the_bulk_cluster(world, django_capture_on_commit_callbacks):
    segment_of(world.brand, VIP)
    with django_capture_on_commit_callbacks(execute=True):
        work_notify(now=NOW)
    assert [(job.key, job.func()) for job in OrmQ.objects.all()] == [("bulk", "segments.tasks.run_work")]


def test_nobody_rings_while_somebody_is_at_work(world):
    segment_of(world.brand, VIP)
    segment_of(world.brand, VIP, "T")
    work_notify(now=NOW)
    assert work_claim(now=NOW)
    assert work_notify(now=NOW + SILENCE * 2) == 0
    assert work_claim(now=NOW + SILENCE * 2) is None


def test_work_whose_worker_died_is_taken_up_when_the_lease_has_run_out_and_the_late_one_is_fenced_off(world):
    segment = segment_of(world.brand, VIP)
    work_notify(now=NOW)

    def dies(segment_id: int, now: datetime) -> datetime:
        assert work_claim(now=now + LEASE + timedelta(seconds=1))
        return now + timedelta(days=1)

    work_run(clock=lambda: NOW, do={SIZE: dies}, seconds=0.5)
    work = only(segment)
    assert (work.attempt, work.done_at) == (2, None)
    assert work.due_at == work.leased_until == NOW + LEASE * 2 + timedelta(seconds=1)


def test_what_is_asked_for_while_it_is_being_done_is_done_once_more(world):
    segment = segment_of(world.brand, VIP)
    work_notify(now=NOW)
    seen: list[int] = []

    def do(segment_id: int, now: datetime) -> datetime:
        if not seen:
            work_due(segment_id=segment_id, kind=SIZE, at=now)
        seen.append(segment_id)
        return now + timedelta(days=1)

    assert work_run(clock=lambda: NOW, do={SIZE: do}, seconds=1) == 2
    assert seen == [segment.pk] * 2
    assert only(segment).due_at == NOW + timedelta(days=1)


def test_what_is_due_is_done_one_after_the_other_and_says_how_long_it_took(world):
    first, second = segment_of(world.brand, VIP), segment_of(world.brand, VIP, "T")
    work_notify(now=NOW)
    times = iter(later(n) for n in range(100))
    seen: list[int] = []

    def do(segment_id: int, now: datetime) -> datetime:
        seen.append(segment_id)
        return now + timedelta(days=1)

    assert work_run(clock=lambda: next(times), do={SIZE: do}, seconds=50) == 2
    assert seen == [first.pk, second.pk]
    work = only(first)
    assert (work.leased_until, work.notified_at, work.failure, work.seconds) == (None, None, "", 1.0)
    assert work.due_at > later(86_000)


def test_what_fails_says_why_waits_longer_each_time_and_holds_up_no_other(world):
    bad, good = segment_of(world.brand, VIP), segment_of(world.brand, VIP, "T")
    work_notify(now=NOW)

    def do(segment_id: int, now: datetime) -> datetime:
        if segment_id == bad.pk:
            raise ValueError("It is too slow.")
        return now + timedelta(days=1)

    assert work_run(clock=lambda: NOW, do={SIZE: do}, seconds=1) == 2
    assert only(bad).failure == "It is too slow."
    assert only(good).done_at == NOW
    assert only(bad).due_at == NOW + RETRY
    again = NOW + RETRY
    work_run(clock=lambda: again, do={SIZE: do}, seconds=1)
    assert only(bad).due_at == again + RETRY * 2


def test_nothing_new_is_begun_when_the_time_is_over(world):
    segment_of(world.brand, VIP)
    segment_of(world.brand, VIP, "T")
    work_notify(now=NOW)
    times = iter(later(n) for n in (0, 0, 70, 70, 70))
    assert work_run(clock=lambda: next(times), do={SIZE: lambda pk, now: later(86_400)}, seconds=60) == 1


@pytest.mark.parametrize(("asked", "due"), [(later(-5), later(-5)), (later(5), NOW)])
def test_work_may_be_asked_for_earlier_but_is_never_put_off(world, asked, due):
    segment = segment_of(world.brand, VIP)
    work_due(segment_id=segment.pk, kind=SIZE, at=NOW)
    work_due(segment_id=segment.pk, kind=SIZE, at=asked)
    assert only(segment).due_at == due


def test_the_job_sweeps_and_computes_what_is_due_and_says_when_it_comes_round(world):
    ann = world.end_user()
    deposit(world, ann)
    segment = watched_segment(world.brand, LATELY)
    changed = segment_of(world.brand, VIP, "T")
    work_notify(now=later(120))
    time_is = later(30 * 86_400)
    with time_machine.travel(time_is, tick=False):
        tasks.run_work()
    segment.refresh_from_db()
    changed.refresh_from_db()
    assert (segment.size, changed.size, segment.sized_at) == (0, 0, time_is)
    assert list(MembershipChange.objects.values_list("end_user_id", "kind")) == [(ann.pk, "left")]
    assert not SegmentWork.objects.filter(due_at__lte=time_is).exists()
    assert timedelta(minutes=5) <= only(segment, SWEEP).due_at - time_is <= timedelta(hours=1)
