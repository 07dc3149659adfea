"""The whole segment against what is kept of it: for those who come and go with time, or by what is not queued.

The sets are compared without any lock; only whom they differ in is judged again, by index, a slice a transaction. So a
heavy sweep holds up nobody, and it writes no other way than the judgement of a change does.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from segments.compiler import audience_sql
from segments.models import Segment, SegmentWork
from segments.selectors.bounded import rows_within
from segments.selectors.watching import Watched, watched_of
from segments.services.presences import Passed, brand_lock, presences_judge
from segments.sql import fill
from smartpush.common.statistics import statistics_refresh

log = structlog.get_logger(__name__)

# A sweep may take a hundredth of the time that passes between two; a quick one comes every five minutes.
SHORTEST, LONGEST, SHARE = timedelta(minutes=5), timedelta(hours=1), 100
TIMEOUT = 90.0  # seconds, of the comparison
SLICE = 5000  # end users judged in one transaction
_READ = ("devices_enduser", "devices_device", "devices_pushstatus", "segments_presence")
_DIFFERENT = """
WITH inside AS MATERIALIZED ({audience})
SELECT i.id, true FROM inside i WHERE NOT EXISTS (
  SELECT FROM segments_presence p WHERE p.segment_id = {segment} AND p.inside AND p.end_user_id = i.id)
UNION ALL
SELECT p.end_user_id, u.id IS NOT NULL FROM segments_presence p LEFT JOIN devices_enduser u ON u.id = p.end_user_id
WHERE p.segment_id = {segment} AND p.inside AND NOT EXISTS (SELECT FROM inside i WHERE i.id = p.end_user_id)
"""
# Erased while they were being judged.
_FORGET = """
WITH passages AS (DELETE FROM segments_passage WHERE segment_id = %(segment)s AND end_user_id = ANY(%(gone)s))
DELETE FROM segments_presence WHERE segment_id = %(segment)s AND end_user_id = ANY(%(gone)s)
"""
_QUEUED = "SELECT DISTINCT end_user_id FROM devices_changedenduser WHERE brand_id = %s"


def sweep(*, segment: Segment, now: datetime) -> Passed:
    """Find everybody whose presence is not as it should be, and write it with the passages that follow.

    Who is in the queue of changes is left to it. Raises TooSlow, InvalidRules, TooLarge.
    """
    statistics_refresh(tables=_READ)
    watched = watched_of(segment=segment, now=now)
    statement = fill(_DIFFERENT, audience=audience_sql(watched.rules, watched.context), segment=segment.pk)
    found = rows_within(text=statement.text, params=statement.params, milliseconds=int(TIMEOUT * 1000))
    gone = [person for person, exists in found if not exists]
    queued = _queued(segment.brand_id) if found else set()
    different = sorted(person for person, exists in found if exists and person not in queued)
    passed = Passed()
    for at in range(0, len(different), SLICE):
        passed += _slice(watched, different[at : at + SLICE], now)
    if gone:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, {"segment": segment.pk, "gone": gone})
    _tell(watched, passed, len(gone))
    return passed


def _queued(brand_id: int) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_QUEUED, [brand_id])
        return {row[0] for row in cursor.fetchall()}


@transaction.atomic
def _slice(watched: Watched, end_user_ids: list[int], now: datetime) -> Passed:
    brand_lock(brand_id=watched.brand_id)
    segment = Segment.objects.filter(pk=watched.segment_id, watched=True).first()  # as it is now that we have the lock
    if segment is None:
        return Passed()
    return presences_judge(watched=watched_of(segment=segment, now=now), end_user_ids=end_user_ids, now=now)


def _tell(watched: Watched, passed: Passed, gone: int) -> None:
    counts = {"entered": passed.entered, "left": passed.left, "gone": gone}
    if not watched.drifts and any(counts.values()):
        log.warning("segment_presence_repaired", segment=watched.segment_id, **counts)
    elif any(counts.values()):
        log.info("segment_swept", segment=watched.segment_id, **counts)


def sweep_work(segment_id: int, now: datetime) -> datetime:
    """The sweep as work that comes round; returns when the next one is due."""
    segment = Segment.objects.filter(pk=segment_id, watched=True).first()
    if segment is None:
        SegmentWork.objects.filter(segment_id=segment_id, kind=SegmentWork.Kind.SWEEP).delete()
        return now + LONGEST
    began = time.monotonic()
    sweep(segment=segment, now=now)
    if not watched_of(segment=segment, now=now).drifts:
        return now + LONGEST
    return now + interval(seconds=time.monotonic() - began)


def interval(*, seconds: float) -> timedelta:
    """The time between two sweeps that take so long."""
    return min(LONGEST, max(SHORTEST, timedelta(seconds=seconds * SHARE)))
