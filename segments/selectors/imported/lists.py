"""Imported segments: who is in a list, and what became of the files that filled it."""

from datetime import datetime

from django.db.models import QuerySet

from segments.models import ListEntry, Segment, SegmentImport

HISTORY = 20


def list_size(*, segment: Segment) -> int:
    """How many end users are in an imported segment."""
    return ListEntry.objects.filter(segment=segment).count()


def import_open(*, segment: Segment) -> SegmentImport | None:
    """The import of the segment that is under way or asks."""
    return segment.imports.filter(state__in=SegmentImport.OPEN).first()


def import_history(*, segment: Segment) -> QuerySet[SegmentImport]:
    """The last imports of the segment, the newest first."""
    return segment.imports.select_related("created_by").order_by("-created_at", "-pk")[:HISTORY]


def import_progress(*, job: SegmentImport) -> float:
    """How much of its file has been looked up: 0 to 1."""
    return min(job.done_lines / job.lines, 1.0) if job.lines else 0.0


def unknown_kept(*, job: SegmentImport, since: datetime) -> bool:
    """Whether the unknown ids of an import that ended are still there to be downloaded."""
    return job.unknown > 0 and job.finished_at is not None and job.finished_at > since
