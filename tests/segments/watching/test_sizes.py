"""A segment's size: what it is now, a point a day, and what stands when it cannot be computed."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.models import Brand
from segments.models import ListEntry, Segment, SegmentSize, SegmentWork
from segments.services.scheduled_work import work_notify, work_run
from segments.services.sizes import CannotComputeSize, size_compute, size_soon, size_work, tomorrow
from tests.campaigns.world import NOW, later
from tests.segments.watching.watched import VIP, segment_of


def points(segment: Segment) -> list[tuple[str, int, int]]:
    found = SegmentSize.objects.filter(segment=segment).order_by("day")
    return [(str(point.day), point.size, point.reachable) for point in found]


def test_size_and_reach_are_kept_on_the_segment_and_as_the_point_of_the_day(world):
    ann = world.end_user(js_markers=["VIP"])
    world.end_user(js_markers=["VIP"])
    world.device(ann)
    world.device(world.end_user())
    segment = size_compute(segment=segment_of(world.brand, VIP), now=NOW)
    assert (segment.size, segment.reachable, segment.sized_at) == (2, 1, NOW)
    world.end_user(js_markers=["VIP"])
    size_compute(segment=segment, now=later(60))
    assert points(segment) == [("2026-11-23", 3, 1)]
    size_compute(segment=segment, now=later(86_400))
    assert points(segment) == [("2026-11-23", 3, 1), ("2026-11-24", 3, 1)]


def test_the_day_is_the_brands(world):
    Brand.objects.filter(pk=world.brand.pk).update(time_zone="Pacific/Auckland")
    segment = size_compute(segment=segment_of(world.brand, VIP), now=NOW)
    assert points(segment) == [("2026-11-24", 0, 0)]


def test_an_older_count_overwrites_no_newer_one(world):
    segment = size_compute(segment=segment_of(world.brand, VIP), now=later(60))
    world.end_user(js_markers=["VIP"])
    size_compute(segment=segment, now=NOW)
    segment.refresh_from_db()
    assert (segment.size, segment.sized_at) == (0, later(60))
    assert points(segment) == [("2026-11-23", 0, 0)]


def test_an_imported_list_has_a_size(world, other_world):
    segment = Segment.objects.create(brand=world.brand, name="List", kind="imported")
    ListEntry.objects.create(segment=segment, end_user=world.end_user())
    assert size_compute(segment=segment, now=NOW).size == 1


def test_what_was_computed_stands_when_it_cannot_be_computed_again(world):
    segment = size_compute(segment=segment_of(world.brand, VIP), now=NOW)
    with pytest.raises(CannotComputeSize, match="longer"):
        size_compute(segment=segment, now=later(60), seconds=0)
    Segment.objects.filter(pk=segment.pk).update(rules={"version": 1, "rule": {"field": "gone"}})
    segment.refresh_from_db()
    with pytest.raises(CannotComputeSize):
        size_compute(segment=segment, now=later(60))
    segment.refresh_from_db()
    assert (segment.size, segment.sized_at) == (0, NOW)


def test_a_failure_in_a_job_is_kept_to_be_shown(world):
    segment = segment_of(world.brand, VIP)
    Segment.objects.filter(pk=segment.pk).update(rules={"version": 1, "rule": {"field": "gone"}})
    work_notify(now=NOW)
    work_run(clock=lambda: NOW, do={"size": size_work}, seconds=1)
    assert "rules cannot be read" in SegmentWork.objects.get(segment=segment).failure


def test_saving_asks_for_the_size_at_once(world):
    segment = segment_of(world.brand, VIP)
    assert size_work(segment.pk, NOW) >= later(120)
    size_soon(segment_id=segment.pk, now=later(5))
    assert SegmentWork.objects.get(segment=segment, kind="size").due_at == later(5)


def test_a_size_is_kept_fresh_and_the_next_day_has_its_point_in_any_case(world):
    segment = segment_of(world.brand, VIP)
    daily = tomorrow(now=NOW, time_zone=world.brand.time_zone, place=segment.pk)
    assert later(120) <= size_work(segment.pk, NOW) <= daily


@pytest.mark.parametrize("place", [1, 2, 999])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_the_next_days_point_is_due_early_in_the_brands_day(zone, place):
    begins = {
        "UTC": datetime(2026, 11, 24, tzinfo=UTC),
        "America/New_York": datetime(2026, 11, 24, 5, tzinfo=UTC),
        "Asia/Kathmandu": datetime(2026, 11, 23, 18, 15, tzinfo=UTC),
    }
    due = tomorrow(now=NOW, time_zone=zone, place=place)
    assert begins[zone] <= due < begins[zone] + timedelta(hours=2)
