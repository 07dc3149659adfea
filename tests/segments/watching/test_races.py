"""Real connections at once, and one that is cut off in the middle."""

import threading
from functools import partial

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction

from devices.models import EndUser
from segments.models import SegmentMembership
from segments.services.scheduled_work import work_claim, work_notify
from segments.services.sweeping import sweep
from segments.services.watching import changed_people_evaluate, rebaseline, watch
from tests.campaigns.world import NOW, World, later
from tests.segments.watching.conftest import make_world
from tests.segments.watching.watched import VIP, changes, inside, queued, segment_of, watched_segment
from tests.support.races import ROUNDS, Held, together


def test_two_at_once_tell_of_each_change_once(shared_world: World):
    segment = watched_segment(shared_world.brand, VIP)
    for round_ in range(1, ROUNDS + 1):
        people = shared_world.end_users(50)
        EndUser.objects.filter(pk__in=people).update(js_markers=["VIP"])
        evaluate = partial(changed_people_evaluate, now=later(round_))
        together(evaluate, evaluate, lambda: sweep(segment=segment, now=NOW))
        changed_people_evaluate(now=later(round_))
        assert len(changes(segment)) == 50 * round_
    assert len(inside(segment)) == 50 * ROUNDS


def test_while_memberships_are_taken_anew_changes_wait_in_the_queue_and_the_tick_does_not(shared_world: World):
    first = watched_segment(shared_world.brand, VIP, "First")
    second = segment_of(shared_world.brand, VIP, "Second")
    held = Held(lambda: watch(segment=second, now=later(1)))
    ann = shared_world.end_user(js_markers=["VIP"])
    assert changed_people_evaluate(now=later(2)) == 0
    assert queued() == [ann.pk]
    held.finish()
    assert changed_people_evaluate(now=later(3)) > 0
    assert changes(first) == [(ann.pk, "entered", 1)]
    assert changes(second) == [(ann.pk, "entered", 1)]


def test_another_brand_does_not_wait(shared_world: World):
    other = make_world("Other")
    segment = watched_segment(other.brand, VIP)
    mine = watched_segment(shared_world.brand, VIP)
    held = Held(lambda: rebaseline(segment=mine, now=later(1)))
    ann = other.end_user(js_markers=["VIP"])
    changed_people_evaluate(now=later(2))
    assert changes(segment) == [(ann.pk, "entered", 1)]
    held.finish()


def test_a_worker_that_is_cut_off_between_queue_and_change_loses_nothing(shared_world: World):
    segment = watched_segment(shared_world.brand, VIP)
    ann = shared_world.end_user(js_markers=["VIP"])
    numbers: list[int] = []
    evaluated, cut = threading.Event(), threading.Event()
    ended: list[BaseException] = []

    def worker() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    numbers.append(cursor.fetchone()[0])
                assert changed_people_evaluate(now=later(1)) == 1
                evaluated.set()
                assert cut.wait(60)
        except (OperationalError, InterfaceError) as error:
            ended.append(error)
        finally:
            evaluated.set()
            connection.close()

    thread = threading.Thread(target=worker)
    thread.start()
    assert evaluated.wait(60)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [numbers[0]])  # and waits until it is gone
        assert cursor.fetchone()[0]
    cut.set()
    thread.join(60)
    assert ended
    assert (queued(), changes(segment)) == ([ann.pk], [])
    changed_people_evaluate(now=later(2))
    changed_people_evaluate(now=later(3))
    assert changes(segment) == [(ann.pk, "entered", 1)]


@pytest.mark.parametrize("claims", [2, 4])
def test_of_several_workers_one_gets_the_work(shared_world: World, claims):
    segment_of(shared_world.brand, VIP)
    segment_of(shared_world.brand, VIP, "T")
    work_notify(now=NOW)
    results = together(*[lambda: work_claim(now=NOW)] * claims)
    assert sum(result is not None for result in results) == 1


def test_a_sweep_finds_whoever_was_being_written_while_the_watching_began(shared_world: World):
    segment = segment_of(shared_world.brand, VIP)
    held = Held(lambda: shared_world.end_user(js_markers=["VIP"]))
    watch(segment=segment, now=NOW)
    ann = held.finish() or EndUser.objects.get()
    assert (queued(), inside(segment)) == ([], set())
    sweep(segment=segment, now=later(60))
    assert changes(segment) == [(ann.pk, "entered", 1)]
    assert SegmentMembership.objects.count() == 1
