"""Keep the size of each segment, one point a day, as scheduled work (services/scheduled_work.py)."""

import time as clock
import zoneinfo
from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.db.models import QuerySet

from devices.models import Brand
from segments.models import Segment, SegmentSize, SegmentWork
from segments.references import TooLarge
from segments.rules import InvalidRules
from segments.selectors.audiences import context_for
from segments.selectors.bounded import TooSlow
from segments.selectors.counting import audience_count
from segments.selectors.segments import segment_rules
from segments.services.scheduled_work import work_due
from smartpush.common.database.statistics import statistics_refresh

AT_ONCE = 8.0  # seconds, while somebody waits for the answer
IN_A_JOB = 90.0
# Between the daily points a size is kept fresh, as long as that takes a small part of the time.
FRESH = timedelta(minutes=2)
SHARE = 600
SPREAD = timedelta(hours=2)  # from the beginning of the brand's day, over which its segments come due
_STORED = ("size", "reachable", "never_contact", "ask_visited", "ask_never_visited", "sized_at")
_READ = ("devices_enduser", "devices_device", "devices_pushstatus", "segments_listentry")


class CannotComputeSize(Exception):
    """Why the size could not be computed; what was computed before stands."""


def size_compute(*, segment: Segment, now: datetime, seconds: float = AT_ONCE) -> Segment:
    """Compute the segment's size and reach, and keep them as the point of the brand's day.

    Raises CannotComputeSize, also when it takes longer; then it may be left to a job (`size_soon`).
    """
    try:
        rules = segment_rules(segment=segment)
        context = context_for(rules=rules, brand_id=segment.brand_id, now=now)
        count = audience_count(rules=rules, context=context, exact=True, budget=seconds)
    except TooSlow:
        raise CannotComputeSize(f"Counting takes longer than {seconds:.0f} seconds.") from None
    except (InvalidRules, TooLarge, LookupError) as error:
        raise CannotComputeSize(f"The rules cannot be read: {error}") from error
    day = now.astimezone(zoneinfo.ZoneInfo(context.time_zone)).date()
    values = {"size": count.selected, "reachable": count.reachable}
    with transaction.atomic():
        # A count that began before one that is kept already says nothing new.
        newest: QuerySet[Segment] = Segment.objects.filter(pk=segment.pk).exclude(sized_at__gt=now)
        if newest.update(
            **values,
            never_contact=count.never_contact,
            ask_visited=count.ask_visited,
            ask_never_visited=count.never_visited,
            sized_at=now,
        ):
            SegmentSize.objects.update_or_create(segment_id=segment.pk, day=day, defaults=values)
            SegmentWork.objects.filter(segment=segment, kind=SegmentWork.Kind.SIZE).exclude(failure="").update(
                failure=""
            )
    segment.refresh_from_db(fields=_STORED)
    return segment


def size_soon(*, segment_id: int, now: datetime) -> None:
    """Leave the computing to a job: after a segment was saved, or when it takes too long to wait for."""
    work_due(segment_id=segment_id, kind=SegmentWork.Kind.SIZE, at=now)


def size_work(segment_id: int, now: datetime) -> datetime:
    """The size as work that comes round; returns when it is due again."""
    segment = Segment.objects.filter(pk=segment_id).first()
    if segment is None:
        return now + timedelta(days=1)
    statistics_refresh(tables=_READ)
    began = clock.monotonic()
    size_compute(segment=segment, now=now, seconds=IN_A_JOB)
    fresh = max(FRESH, SHARE * timedelta(seconds=clock.monotonic() - began))
    zone = Brand.objects.values_list("time_zone", flat=True).get(pk=segment.brand_id)
    return min(now + fresh, tomorrow(now=now, time_zone=zone, place=segment_id))


def tomorrow(*, now: datetime, time_zone: str, place: int) -> datetime:
    """When the next day's point is due: early in the brand's day, and not all at the same moment."""
    zone = zoneinfo.ZoneInfo(time_zone)
    day = now.astimezone(zone).date() + timedelta(days=1)
    begin = datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
    return begin + timedelta(minutes=place * 37 % (SPREAD // timedelta(minutes=1)))
