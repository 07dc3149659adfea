"""Jobs: load by id, make one service call."""

from segments.models import SegmentWork
from segments.services.imports import import_run
from segments.services.scheduled_work import Do, work_run
from segments.services.sizes import size_work
from segments.services.sweeping import sweep_work
from smartpush.common.time.clock import utc_now

# django-q2 ends a job after 240 s; what is begun this late may take its 90 s and end.
_LAST_START_SECONDS = 60.0
_WORK: dict[str, Do] = {SegmentWork.Kind.SWEEP: sweep_work, SegmentWork.Kind.SIZE: size_work}


def work_done_by(kind: str, do: Do) -> None:
    """Register the function of an app above for this kind of work: campaigns mark people and end their journeys."""
    _WORK[kind] = do


def run_import(import_id: int) -> None:
    """Run one import; one that another worker holds, or that is done, is left alone."""
    import_run(import_id=import_id, now=utc_now())


def run_work() -> None:
    """Run the work that is due, one piece after the other; the ticker queues another job for what is left."""
    work_run(clock=utc_now, do=_WORK, seconds=_LAST_START_SECONDS)


# The path that jobs queued by releases before 0.3.0 name.
do_works = run_work
