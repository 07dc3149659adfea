"""Look up the ids of an import among the brand's end users, slice by slice, then change the list at once.

A job only notifies a worker. Each slice is looked up in a transaction of its own, so that a worker that dies loses one
slice at most. The list itself changes in one last transaction: readers see the list before or after, never half of it.
Every transaction holds the row of the import under its attempt number.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import F, Max, Q

from segments.models import ImportLine, ImportSlice, Segment, SegmentImport
from segments.rules import InvalidRules
from segments.services.imports.receiving import import_fail, import_notify, lease
from segments.services.watching import list_changed
from smartpush.common.database import statements

log = structlog.get_logger(__name__)

State = SegmentImport.State
Mode = SegmentImport.Mode
SLICE = 400_000  # lines; each slice may read all end users of the brand once
MAX_ATTEMPTS = 30
_LAST_START_SECONDS = 100.0  # django-q2 ends a job at its timeout; no new slice is begun this late
_ANALYZE_FROM = 5_000  # lines

_NEXT = """
SELECT count(*), max(line) FROM (
    SELECT line FROM segments_importline WHERE job_id = %(job)s AND line > %(after)s ORDER BY line LIMIT %(size)s) s
"""
# So that a slice's ids are joined in memory.
_WORK_MEM = "SET LOCAL work_mem = '64MB'"
# Staged lines that are left over are ids that no end user has.
_LOOK_UP = """
WITH found AS (
    DELETE FROM segments_importline l USING devices_enduser u
    WHERE l.job_id = %(job)s AND l.line > %(after)s AND l.line <= %(upto)s
      AND u.brand_id = %(brand)s AND u.external_id = l.external_id
    RETURNING u.id
)
INSERT INTO segments_importslice (job_id, last_line, lines, found, end_users)
SELECT %(job)s, %(upto)s, %(lines)s, count(*), coalesce(array_agg(DISTINCT id), '{}') FROM found
"""
_REPEATED_UNKNOWN = """
DELETE FROM segments_importline l USING (
    SELECT external_id, min(line) AS first FROM segments_importline WHERE job_id = %(job)s
    GROUP BY external_id HAVING count(*) > 1
) r WHERE l.job_id = %(job)s AND l.external_id = r.external_id AND l.line > r.first
"""
# A table rather than a common table expression: its rows are known to the planner, and read twice.
_MATCHED = (
    _WORK_MEM,
    "DROP TABLE IF EXISTS pg_temp.segments_matched",
    """CREATE TEMPORARY TABLE segments_matched ON COMMIT DROP AS
       SELECT DISTINCT unnest(end_users) AS id FROM segments_importslice WHERE job_id = %(job)s""",
    "ANALYZE pg_temp.segments_matched",
)
_INSIDE = """
SELECT (SELECT count(*) FROM pg_temp.segments_matched m
        JOIN segments_listentry e ON e.segment_id = %(segment)s AND e.end_user_id = m.id),
       (SELECT count(*) FROM segments_listentry WHERE segment_id = %(segment)s)
"""
_REMOVE = """
DELETE FROM segments_listentry e USING pg_temp.segments_matched m
WHERE e.segment_id = %(segment)s AND e.end_user_id = m.id
"""
_REMOVE_OTHERS = """
DELETE FROM segments_listentry e WHERE e.segment_id = %(segment)s
AND NOT EXISTS (SELECT 1 FROM pg_temp.segments_matched m WHERE m.id = e.end_user_id)
"""
# Not by ON CONFLICT, which takes nearly twice as long: nobody else writes the list while its import is held.
_ADD = """
INSERT INTO segments_listentry (segment_id, end_user_id)
SELECT %(segment)s, m.id FROM pg_temp.segments_matched m
WHERE NOT EXISTS (SELECT 1 FROM segments_listentry e WHERE e.segment_id = %(segment)s AND e.end_user_id = m.id)
ORDER BY m.id
"""


def import_run(*, import_id: int, now: datetime) -> bool:
    """Match an import and change its list, or go on where a worker died; whether it came to an end.

    False also where there is nothing to do: it is done, cancelled, asks first, or somebody else is at it.
    """
    began = time.monotonic()

    def clock() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    job = _claim(import_id, now)
    if job is None:
        return False
    if job.attempt > MAX_ATTEMPTS:
        with transaction.atomic():
            ImportLine.objects.filter(job_id=job.pk).delete()
            ImportSlice.objects.filter(job_id=job.pk).delete()
            reason = f"It was begun {MAX_ATTEMPTS} times and never came to its end. Split the file, or ask an operator."
            import_fail(job=job, reason=reason, now=now)
        return False
    if job.attempt == 1 and job.lines >= _ANALYZE_FROM:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE segments_importline (job_id, line, external_id)")
    while _slice(job, clock):
        if time.monotonic() - began > _LAST_START_SECONDS:
            return _hand_over(job, clock())
    return _finish(job, clock)


def _claim(import_id: int, now: datetime) -> SegmentImport | None:
    """Lease a waiting (or abandoned) import under a new attempt number."""
    free = Q(state=State.WAITING) | Q(state=State.RUNNING, leased_until__lte=now)
    with transaction.atomic():
        job = SegmentImport.objects.select_for_update(skip_locked=True, of=("self",)).filter(free, pk=import_id).first()
        if job is None:
            return None
        job.state, job.attempt, job.leased_until = State.RUNNING, job.attempt + 1, now + lease()
        job.save(update_fields=["state", "attempt", "leased_until"])
    job.segment = Segment.objects.only("brand_id").get(pk=job.segment_id)
    return job


def _hold(job: SegmentImport) -> bool:
    """Lock the import for the rest of the transaction; False when it is another's by now, or gone."""
    mine = SegmentImport.objects.filter(pk=job.pk, state=State.RUNNING, attempt=job.attempt)
    return mine.select_for_update().values_list("pk", flat=True).first() is not None


def _slice(job: SegmentImport, clock: Callable[[], datetime]) -> bool:
    """Look up the next lines; False when there are none."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _hold(job):
            return False
        after = job.slices.aggregate(last=Max("last_line"))["last"] or 0
        cursor.execute(_NEXT, {"job": job.pk, "after": after, "size": SLICE})
        lines, upto = cursor.fetchone()
        if not lines:
            return False
        cursor.execute(_WORK_MEM)
        cursor.execute(
            _LOOK_UP,
            {"job": job.pk, "brand": job.segment.brand_id, "after": after, "upto": upto, "lines": lines},
        )
        SegmentImport.objects.filter(pk=job.pk).update(
            done_lines=F("done_lines") + lines, leased_until=clock() + lease()
        )
    return True


def _hand_over(job: SegmentImport, now: datetime) -> bool:
    with transaction.atomic():
        if _hold(job):
            SegmentImport.objects.filter(pk=job.pk).update(state=State.WAITING, leased_until=now + lease() / 3)
            transaction.on_commit(lambda: import_notify(import_id=job.pk))
    return False


def _finish(job: SegmentImport, clock: Callable[[], datetime]) -> bool:
    """Ask, or change the list and end the import."""
    values = {"job": job.pk, "brand": job.segment.brand_id, "segment": job.segment_id}
    with transaction.atomic(), connection.cursor() as cursor:
        if not _hold(job):
            return False
        # Deleting the segment waits for the list, and the list for the deletion.
        cursor.execute("SELECT 1 FROM segments_segment WHERE id = %(segment)s FOR KEY SHARE", values)
        _count(job, cursor, values)
        if job.asks:
            _set_out(job, cursor, values)
            return False
        if job.mode != Mode.ADD:
            cursor.execute(_REMOVE if job.mode == Mode.REMOVE else _REMOVE_OTHERS, values)
            job.removed = cursor.rowcount
        if job.mode != Mode.REMOVE:
            cursor.execute(_ADD, values)
            job.added = cursor.rowcount
        ImportSlice.objects.filter(job_id=job.pk).delete()
        job.state, job.leased_until, job.finished_at = State.DONE, None, clock()
        job.save(
            update_fields=["state", "leased_until", "finished_at", "repeated", "unknown", "added", "removed"],
        )
        cursor.execute("DROP TABLE pg_temp.segments_matched")
        try:
            list_changed(segment=job.segment, now=job.finished_at)
        except InvalidRules as refusal:  # of some other segment of the brand: the sweeps that come round find it
            log.warning("import_unnoticed", job=job.pk, problem=str(refusal))
    log.info("import_done", job=job.pk, lines=job.lines, added=job.added, removed=job.removed, unknown=job.unknown)
    return True


def _set_out(job: SegmentImport, cursor: Any, values: Mapping[str, int]) -> None:
    """Say what it would do, and wait to be confirmed."""
    cursor.execute(_INSIDE, values)
    inside, size = cursor.fetchone()
    matched = job.lines - job.repeated - job.unknown
    job.added = 0 if job.mode == Mode.REMOVE else matched - inside
    job.removed = {Mode.ADD: 0, Mode.REMOVE: inside, Mode.REPLACE: size - inside}[Mode(job.mode)]
    job.state, job.leased_until = State.ASKING, None
    job.save(update_fields=["state", "leased_until", "repeated", "unknown", "added", "removed"])


def _count(job: SegmentImport, cursor: Any, values: Mapping[str, int]) -> None:
    """Repeated and unknown ids; of the unknown ones the first line each stays staged, for the report."""
    cursor.execute(_REPEATED_UNKNOWN, values)
    job.unknown = ImportLine.objects.filter(job_id=job.pk).count()
    for statement in _MATCHED:
        cursor.execute(statement, values)
    matched = int(statements.value("SELECT count(*) FROM pg_temp.segments_matched"))
    job.repeated = job.lines - matched - job.unknown
