"""The tick evaluates queued people and notifies a worker of heavy work, which it never does itself."""

from campaigns.ticker import Ticker
from segments.models import SegmentWork
from tests.campaigns.world import NOW, later
from tests.segments.watching.watched import DEPOSIT, changes, deposit, queued, watched_segment


def test_an_event_is_an_entry_at_the_next_tick(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, DEPOSIT)
    ticker = Ticker()
    deposit(world, ann)
    assert ticker.tick(now=later(1)) > 0
    assert (changes(segment), queued()) == ([(ann.pk, "entered", 1)], [])


def test_the_tick_rings_for_sweeps_and_sizes_and_waits_for_none(world):
    segment = watched_segment(world.brand, DEPOSIT)
    Ticker().tick(now=later(3600))
    works = SegmentWork.objects.filter(segment=segment)
    assert works.filter(notified_at=later(3600)).count() == 1
    assert not works.exclude(done_at=None).exists()
    assert works.filter(due_at__lte=later(3600)).count() == 2
    assert works.get(kind="sweep").due_at > NOW
