"""Who does a segment's heavy work, and when: one at a time, in a job of the bulk cluster, never in the ticker's time.

The truth is in `SegmentWork`: when it is due, and under a lease who is at it. The ticker only rings; a lost, doubled or
late bell changes nothing. A worker that died leaves a lease that runs out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Case, F, Value, When

from segments.models import SegmentWork
from smartpush.common.jobs import job_queue

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)  # more than a job of django-q2 may take
SILENCE = timedelta(seconds=30)  # after which a bell counts as lost
RETRY = timedelta(minutes=15)  # after a failure, at first
_LONGEST_RETRY = timedelta(hours=6)
_MISSING = """
INSERT INTO segments_segmentwork (segment_id, kind, due_at)
SELECT s.id, k.kind, %(now)s FROM segments_segment s CROSS JOIN (VALUES ('size'), ('sweep')) k(kind)
WHERE (k.kind = 'size' OR s.watched)
  AND NOT EXISTS (SELECT FROM segments_segmentwork w WHERE w.segment_id = s.id AND w.kind = k.kind)
ORDER BY s.id ON CONFLICT DO NOTHING
"""
_RING = """
UPDATE segments_segmentwork SET rung_at = %(now)s WHERE id = (
  SELECT id FROM segments_segmentwork WHERE due_at <= %(now)s
    AND NOT EXISTS (SELECT FROM segments_segmentwork WHERE leased_until >= %(now)s)
    AND NOT EXISTS (SELECT FROM segments_segmentwork WHERE due_at <= %(now)s AND rung_at > %(silent)s)
  ORDER BY due_at, id LIMIT 1)
"""
# From here on an earlier time than the lease's end means that it was asked for anew: it is to be done once more.
_CLAIM = """
UPDATE segments_segmentwork
SET leased_until = %(until)s, due_at = %(until)s, rung_at = %(now)s, attempt = attempt + 1 WHERE id = (
  SELECT id FROM segments_segmentwork WHERE due_at <= %(now)s
    AND NOT EXISTS (SELECT FROM segments_segmentwork WHERE leased_until >= %(now)s)
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, segment_id, kind, attempt
"""
_LOCK = 0x776F726B  # of the claim: one piece of work at a time


@dataclass(frozen=True, slots=True)
class Claimed:
    """Work that is ours until the lease runs out; `attempt` fences off whoever had it before."""

    id: int
    segment_id: int
    kind: str
    attempt: int


# Does the work and returns when it is due again, or None when it is done for good; raises whatever keeps it from being
# done.
Do = Callable[[int, datetime], datetime | None]


def work_due(*, segment_id: int, kind: str, at: datetime) -> None:
    """See to it that the work is done at this time or before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO segments_segmentwork AS w (segment_id, kind, due_at) VALUES (%s, %s, %s)"
            " ON CONFLICT (segment_id, kind) DO UPDATE SET due_at = least(w.due_at, EXCLUDED.due_at)",
            [segment_id, kind, at],
        )


def works_ring(*, now: datetime) -> int:
    """Ring for work that is due where nobody is at work; returns how many bells: 0 or 1. For the ticker."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_MISSING, {"now": now})
        cursor.execute(_RING, {"now": now, "silent": now - SILENCE})
        rung = int(cursor.rowcount)
        if rung:
            transaction.on_commit(_bell)
    return rung


def _bell() -> None:
    job_queue("segments.tasks.do_works", cluster="bulk")


@transaction.atomic
def work_claim(*, now: datetime) -> Claimed | None:
    """The work that has been due longest, unless some other is being done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute(_CLAIM, {"now": now, "until": now + LEASE})
        row = cursor.fetchone()
    return None if row is None else Claimed(*row)


def works_do(*, clock: Callable[[], datetime], do: Mapping[str, Do], seconds: float) -> int:
    """Do what is due, one after the other, beginning nothing new after so many seconds; returns how much."""
    began, done = clock(), 0
    while (now := clock()) - began < timedelta(seconds=seconds):
        claimed = work_claim(now=now)
        if claimed is None:
            break
        try:
            due_at = do[claimed.kind](claimed.segment_id, now)
        except Exception as error:
            if not connection.is_usable():
                raise
            log.exception("segment_work_failed", segment=claimed.segment_id, kind=claimed.kind)
            _failed(claimed, clock(), str(error) or type(error).__name__)
        else:
            _done(claimed, now, clock(), due_at)
        done += 1
    return done


def _done(claimed: Claimed, began: datetime, now: datetime, due_at: datetime | None) -> None:
    if due_at is None:
        # Asked for anew meanwhile: then it stays, and is done once more.
        once = SegmentWork.objects.filter(pk=claimed.id, attempt=claimed.attempt)
        if once.filter(due_at__gte=F("leased_until")).delete()[0]:
            return
        due_at = now
    SegmentWork.objects.filter(pk=claimed.id, attempt=claimed.attempt).update(
        due_at=_unless_asked(due_at),
        rung_at=None,
        leased_until=None,
        attempt=0,
        done_at=now,
        seconds=(now - began).total_seconds(),
        failure="",
    )


def _unless_asked(due_at: datetime) -> Case:
    return Case(When(due_at__lt=F("leased_until"), then=F("due_at")), default=Value(due_at))


def _failed(claimed: Claimed, now: datetime, reason: str) -> None:
    wait = min(_LONGEST_RETRY, RETRY * 2 ** min(claimed.attempt - 1, 8))
    SegmentWork.objects.filter(pk=claimed.id, attempt=claimed.attempt).update(
        due_at=_unless_asked(now + wait), rung_at=None, leased_until=None, failure=reason[:300]
    )
