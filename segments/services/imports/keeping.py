"""What becomes of imports that nobody works on: confirmed, cancelled, found again, forgotten."""

from datetime import datetime, timedelta

from django.db import transaction

from segments.models import ImportLine, ImportSlice, SegmentImport
from segments.services.imports.receiving import CUT_OFF, import_fail, import_notify, lease
from segments.services.imports.refusals import CannotImport

State = SegmentImport.State
KEEP_UNKNOWN = timedelta(days=30)
KEEP_ASKING = timedelta(days=7)
_NOT_ANSWERED = "Nobody confirmed it within 7 days."


@transaction.atomic
def import_confirm(*, job: SegmentImport, now: datetime) -> None:
    """Let an import that asked go on; raises CannotImport when it does not ask (any more)."""
    held = SegmentImport.objects.select_for_update().get(pk=job.pk)
    if held.state != State.ASKING:
        raise CannotImport(f"There is nothing to confirm: the import is {held.get_state_display().lower()}.")
    held.state, held.asks, held.leased_until = State.WAITING, False, now + lease() / 3
    held.save(update_fields=["state", "asks", "leased_until"])
    transaction.on_commit(lambda: import_notify(import_id=held.pk))


@transaction.atomic
def import_cancel(*, job: SegmentImport, now: datetime) -> None:
    """End an import before the list has changed; raises CannotImport while it is being worked on, or after its end."""
    held = SegmentImport.objects.select_for_update(skip_locked=True).filter(pk=job.pk).first()
    if held is None or held.state in (State.RECEIVING, State.RUNNING):
        raise CannotImport("The import is being worked on at this moment and cannot be cancelled any more.")
    if held.state not in (State.WAITING, State.ASKING):
        raise CannotImport(f"The import is {held.get_state_display().lower()} already.")
    _drop(held)
    held.state, held.finished_at, held.leased_until = State.CANCELLED, now, None
    held.added = held.removed = held.unknown = held.repeated = 0
    held.save(
        update_fields=["state", "finished_at", "leased_until", "added", "removed", "unknown", "repeated"],
    )


def imports_resume(*, now: datetime) -> int:
    """Queue jobs again for imports whose worker died or whose job was lost; fail uploads that were cut off; how many.

    One query where there are none: for the ticker, every second.
    """
    late = SegmentImport.objects.filter(
        state__in=[State.RECEIVING, State.WAITING, State.RUNNING], leased_until__lt=now
    ).select_for_update(skip_locked=True, of=("self",))
    with transaction.atomic():
        found = list(late.order_by("pk")[:50])
        for job in found:
            if job.state == State.RECEIVING:
                import_fail(job=job, reason=CUT_OFF, now=now)
                continue
            if job.state == State.RUNNING:
                job.state = State.WAITING
            job.leased_until = now + lease()
            job.save(update_fields=["state", "leased_until"])
            transaction.on_commit(lambda number=job.pk: import_notify(import_id=number))  # type: ignore[misc]
    return len(found)


def imports_forget_old(*, now: datetime) -> int:
    """Delete what was staged of imports that ended 30 days ago, and end those that nobody confirmed; how many rows."""
    with transaction.atomic():
        forgotten = SegmentImport.objects.filter(state=State.ASKING, created_at__lt=now - KEEP_ASKING)
        for job in forgotten.select_for_update(skip_locked=True, of=("self",)):
            _drop(job)
            job.added = job.removed = job.unknown = job.repeated = 0
            job.save(update_fields=["added", "removed", "unknown", "repeated"])
            import_fail(job=job, reason=_NOT_ANSWERED, now=now)
    rows = 0
    old = SegmentImport.objects.filter(finished_at__lt=now - KEEP_UNKNOWN, unknown__gt=0)
    for number in old.values_list("pk", flat=True):
        rows += ImportLine.objects.filter(job_id=number).delete()[0]
    return rows


def _drop(job: SegmentImport) -> None:
    ImportLine.objects.filter(job_id=job.pk).delete()
    ImportSlice.objects.filter(job_id=job.pk).delete()
