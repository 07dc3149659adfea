"""Compare a whole segment with its kept memberships, for changes that come with time or are not queued.

The two sets are compared without a lock; only the people in whom they differ are evaluated again, by index, one slice a
transaction. So a heavy sweep blocks nobody, and it writes through the same statement as a queued change.
"""

import time
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from segments.compiler import audience_sql
from segments.models import Segment, SegmentWork
from segments.selectors.bounded import rows_within
from segments.selectors.watching import Watched, watched_of
from segments.services.memberships import MembershipChanges, brand_lock, memberships_evaluate
from segments.sql import fill
from smartpush.common.database import statements
from smartpush.common.database.statistics import statistics_refresh

log = structlog.get_logger(__name__)

# A sweep may take a hundredth of the time that passes between two; a quick one comes every five minutes.
SHORTEST, LONGEST, SHARE = timedelta(minutes=5), timedelta(hours=1), 100
TIMEOUT = 90.0  # seconds, of the comparison
SLICE = 5000  # end users evaluated in one transaction
_READ = ("devices_enduser", "devices_device", "devices_pushstatus", "segments_presence")
_DIFFERENT = """
WITH inside AS MATERIALIZED ({audience})
SELECT i.id, true FROM inside i WHERE NOT EXISTS (
  SELECT FROM segments_presence p WHERE p.segment_id = {segment} AND p.inside AND p.end_user_id = i.id)
UNION ALL
SELECT p.end_user_id, u.id IS NOT NULL FROM segments_presence p LEFT JOIN devices_enduser u ON u.id = p.end_user_id
WHERE p.segment_id = {segment} AND p.inside AND NOT EXISTS (SELECT FROM inside i WHERE i.id = p.end_user_id)
"""
# People who were erased while they were being evaluated.
_FORGET = """
WITH changes AS (DELETE FROM segments_passage WHERE segment_id = %(segment)s AND end_user_id = ANY(%(gone)s))
DELETE FROM segments_presence WHERE segment_id = %(segment)s AND end_user_id = ANY(%(gone)s)
"""
_QUEUED = "SELECT DISTINCT end_user_id FROM devices_changedenduser WHERE brand_id = %s"


def sweep(*, segment: Segment, now: datetime) -> MembershipChanges:
    """Find everybody whose kept membership is wrong, and write the right one with its change.

    People in the queue of changes are left to it. Raises TooSlow, InvalidRules, TooLarge.
    """
    statistics_refresh(tables=_READ)
    watched = watched_of(segment=segment, now=now)
    statement = fill(_DIFFERENT, audience=audience_sql(watched.rules, watched.context), segment=segment.pk)
    found = rows_within(text=statement.text, params=statement.params, milliseconds=int(TIMEOUT * 1000))
    gone = [person for person, exists in found if not exists]
    queued = _queued(segment.brand_id) if found else set()
    different = sorted(person for person, exists in found if exists and person not in queued)
    changes = MembershipChanges()
    for at in range(0, len(different), SLICE):
        changes += _slice(watched, different[at : at + SLICE], now)
    if gone:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, {"segment": segment.pk, "gone": gone})
    _log(watched, changes, len(gone))
    return changes


def _queued(brand_id: int) -> set[int]:
    return set(statements.column(_QUEUED, [brand_id]))


@transaction.atomic
def _slice(watched: Watched, end_user_ids: list[int], now: datetime) -> MembershipChanges:
    brand_lock(brand_id=watched.brand_id)
    segment = Segment.objects.filter(pk=watched.segment_id, watched=True).first()  # as it is now that we have the lock
    if segment is None:
        return MembershipChanges()
    return memberships_evaluate(watched=watched_of(segment=segment, now=now), end_user_ids=end_user_ids, now=now)


def _log(watched: Watched, changes: MembershipChanges, gone: int) -> None:
    counts = {"entered": changes.entered, "left": changes.left, "gone": gone}
    if not watched.drifts and any(counts.values()):
        log.warning("segment_membership_repaired", segment=watched.segment_id, **counts)
    elif any(counts.values()):
        log.info("segment_swept", segment=watched.segment_id, **counts)


def sweep_work(segment_id: int, now: datetime) -> datetime:
    """Sweep as scheduled work; returns when the next sweep is due."""
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
    """Return the time until the next sweep after one that took so many seconds."""
    return min(LONGEST, max(SHORTEST, timedelta(seconds=seconds * SHARE)))
