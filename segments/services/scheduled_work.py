"""Run a segment's heavy work in jobs of the bulk cluster, one piece at a time, outside of the ticker.

`SegmentWork` says when work is due and which worker holds its lease. The ticker only queues a job to notify a worker; a
lost, doubled or late job changes nothing. The lease of a worker that died runs out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction
from django.db.models import Case, F, Value, When

from segments.models import SegmentWork
from smartpush.common.database.advisory_locks import Lock, lock_hold
from smartpush.common.jobs import job_queue

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=5)  # more than a job of django-q2 may take
SILENCE = timedelta(seconds=30)  # after which a notification counts as lost
RETRY = timedelta(minutes=15)  # after a failure, at first
_LONGEST_RETRY = timedelta(hours=6)
_MISSING = """
INSERT INTO segments_segmentwork (segment_id, kind, due_at)
SELECT s.id, k.kind, %(now)s FROM segments_segment s CROSS JOIN (VALUES ('size'), ('sweep')) k(kind)
WHERE (k.kind = 'size' OR s.watched)
  AND NOT EXISTS (SELECT FROM segments_segmentwork w WHERE w.segment_id = s.id AND w.kind = k.kind)
ORDER BY s.id ON CONFLICT DO NOTHING
"""
_NOTIFIED = """
UPDATE segments_segmentwork SET rung_at = %(now)s WHERE id = (
  SELECT id FROM segments_segmentwork WHERE due_at <= %(now)s
    AND NOT EXISTS (SELECT FROM segments_segmentwork WHERE leased_until >= %(now)s)
    AND NOT EXISTS (SELECT FROM segments_segmentwork WHERE due_at <= %(now)s AND rung_at > %(silent)s)
  ORDER BY due_at, id LIMIT 1)
"""
# While it is leased, a due time before the end of the lease means that it was requested again: it runs once more.
_CLAIM = """
UPDATE segments_segmentwork
SET leased_until = %(until)s, due_at = %(until)s, rung_at = %(now)s, attempt = attempt + 1 WHERE id = (
  SELECT id FROM segments_segmentwork WHERE due_at <= %(now)s
    AND NOT EXISTS (SELECT FROM segments_segmentwork WHERE leased_until >= %(now)s)
  ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, segment_id, kind, attempt
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """Work that this worker holds until the lease runs out; `attempt` fences off the holder before it."""

    id: int
    segment_id: int
    kind: str
    attempt: int


# Does the work and returns when it is due again, or None when it is finished for good; raises on failure.
Do = Callable[[int, datetime], datetime | None]


def work_due(*, segment_id: int, kind: str, at: datetime) -> None:
    """Schedule the work for this time, or leave it where it is due earlier."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO segments_segmentwork AS w (segment_id, kind, due_at) VALUES (%s, %s, %s)"
            " ON CONFLICT (segment_id, kind) DO UPDATE SET due_at = least(w.due_at, EXCLUDED.due_at)",
            [segment_id, kind, at],
        )


def work_notify(*, now: datetime) -> int:
    """Notify a worker of due work where none is at work; returns how many were notified: 0 or 1. For the ticker."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_MISSING, {"now": now})
        cursor.execute(_NOTIFIED, {"now": now, "silent": now - SILENCE})
        notified = int(cursor.rowcount)
        if notified:
            transaction.on_commit(_notify)
    return notified


def _notify() -> None:
    job_queue("segments.tasks.run_work", cluster="bulk")


@transaction.atomic
def work_claim(*, now: datetime) -> Claimed | None:
    """Claim the work that has been due longest, unless other work is leased; None where there is none."""
    lock_hold(lock=Lock.SEGMENT_WORK)
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "until": now + LEASE})
        row = cursor.fetchone()
    return None if row is None else Claimed(*row)


def work_run(*, clock: Callable[[], datetime], do: Mapping[str, Do], seconds: float) -> int:
    """Run due work one by one, beginning nothing new after so many seconds; returns how many pieces."""
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
        # Requested again meanwhile: keep it, so that it runs once more.
        once = SegmentWork.objects.filter(pk=claimed.id, attempt=claimed.attempt)
        if once.filter(due_at__gte=F("leased_until")).delete()[0]:
            return
        due_at = now
    SegmentWork.objects.filter(pk=claimed.id, attempt=claimed.attempt).update(
        due_at=_unless_asked(due_at),
        notified_at=None,
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
        due_at=_unless_asked(now + wait), notified_at=None, leased_until=None, failure=reason[:300]
    )
