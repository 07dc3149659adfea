"""Taking a file of external ids in: from the stream into the staging table by COPY, all of it or nothing."""

import shutil
import tempfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import IO

import structlog
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, connection, transaction

from segments.models import Segment, SegmentImport
from segments.services.imports.layouts import Choice
from segments.services.imports.reading import CannotRead, IdFile, Limits
from segments.services.imports.refusals import CannotImport
from smartpush.common.jobs import job_queue

log = structlog.get_logger(__name__)

State = SegmentImport.State
CUT_OFF = "The upload was cut off before the whole file was here. Upload it again."
_COPY = "COPY segments_importline (job_id, line, external_id) FROM STDIN"
_ROWS = 5_000


def lease() -> timedelta:
    """How long a silent worker keeps an import."""
    return timedelta(seconds=settings.SMARTPUSH_LEASE_SECONDS)


def import_receive(
    *,
    segment: Segment,
    mode: str,
    stream: IO[bytes],
    file_name: str,
    by: AbstractBaseUser | None,
    now: datetime,
    asks: bool = False,
    choice: Choice | None = None,
) -> SegmentImport:
    """Take a file in and queue its matching; a bad file ends as a failed import that says why, with nothing kept.

    With `asks` the list changes only after `import_confirm`. `choice` is the column that staff chose, where they did.
    Raises CannotImport when there can be no import.
    """
    if segment.kind != Segment.Kind.IMPORTED:
        raise CannotImport(f"{segment.name} is made of rules: nobody can be put into it by hand.")
    if mode not in SegmentImport.Mode:
        raise CannotImport("Choose whether to add, replace or remove.")
    try:
        with transaction.atomic():
            job = SegmentImport.objects.create(
                segment=segment,
                mode=mode,
                asks=asks,
                file_name=file_name.replace("\x00", "")[:200],
                created_by_id=by.pk if by is not None else None,
                created_at=now,
                leased_until=now + lease(),
            )
    except IntegrityError as error:
        if "segments_segmentimport_one_open" not in str(error):
            raise
        raise CannotImport(
            "Another import of this segment is under way. Wait until it is done, or cancel it while it waits."
        ) from error
    try:
        _take_in(job, stream, now, choice)
    except CannotRead as refusal:
        import_fail(job=job, reason=str(refusal), now=now)
    except OSError as error:
        log.warning("import_cut_off", job=job.pk, problem=str(error))
        import_fail(job=job, reason=CUT_OFF, now=now)
    except BaseException:
        if connection.is_usable():
            import_fail(job=job, reason="The file could not be stored. Upload it again.", now=now)
        raise
    return job


def import_fail(*, job: SegmentImport, reason: str, now: datetime) -> None:
    """End an import that nobody else holds, with its reason."""
    job.state, job.error, job.finished_at, job.leased_until = State.FAILED, reason[:300], now, None
    job.save(update_fields=["state", "error", "finished_at", "leased_until"])


def import_notify(*, import_id: int) -> None:
    """Queue the job that looks the ids up; `imports_resume` queues a lost one again."""
    job_queue("segments.tasks.run_import", import_id, cluster="bulk")


def _take_in(job: SegmentImport, stream: IO[bytes], now: datetime, choice: Choice | None) -> None:
    limits = Limits(size=settings.SMARTPUSH_IMPORT_MEGABYTES * 1_048_576, lines=settings.SMARTPUSH_IMPORT_LINES)
    with tempfile.TemporaryFile() as spool:
        if not stream.seekable():
            shutil.copyfileobj(_Bounded(stream, limits.size + 1), spool)
            stream = spool
        source = IdFile(stream=stream, name=job.file_name, limits=limits, choice=choice)
        with transaction.atomic():
            # Held until the end, so that nobody takes a slow upload for a dead one.
            SegmentImport.objects.select_for_update().get(pk=job.pk)
            lines = _copy(job.pk, source)
            if not lines:
                raise CannotRead(_no_id(source))
            job.lines, job.skipped, job.faults = lines, source.skipped, source.faults
            job.state, job.leased_until = State.WAITING, now + lease() / 3
            job.save(update_fields=["lines", "skipped", "faults", "state", "leased_until"])
            transaction.on_commit(lambda: import_notify(import_id=job.pk))


def _copy(job_id: int, rows: Iterable[tuple[int, str]]) -> int:
    """Write (line, id) for the job; returns how many."""
    source = iter(rows)
    written = 0
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        while batch := list(islice(source, _ROWS)):
            written += len(batch)
            copy.write("".join([f"{job_id}\t{line}\t{_escaped(value)}\n" for line, value in batch]))
    return written


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\") if "\\" in value else value


def _no_id(source: IdFile) -> str:
    if source.faults:
        first = source.faults[0]
        return f"No line of the file holds an id. Line {first['line']:,}: {first['problem']}"
    return "The file holds no id. Put one id on a line, or a CSV with a column external_id."


class _Bounded:
    """A stream that ends after so many bytes: what comes after them is refused anyway."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self.stream, self.left = stream, size

    def read(self, size: int = -1) -> bytes:
        chunk = self.stream.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(chunk)
        return chunk
