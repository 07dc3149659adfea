"""Jobs: load by id, make one service call."""

from segments.models import SegmentWork
from segments.services.imports import import_run
from segments.services.sizes import size_work
from segments.services.sweeping import sweep_work
from segments.services.works import Do, works_do
from smartpush.common.clock import utc_now

# django-q2 ends a job after 240 s; what is begun this late may take its 90 s and end.
_LAST_START_SECONDS = 60.0
_WORKS: dict[str, Do] = {SegmentWork.Kind.SWEEP: sweep_work, SegmentWork.Kind.SIZE: size_work}


def work_done_by(kind: str, do: Do) -> None:
    """Let an app above do this kind of work: campaigns mark people, because their journeys end with it."""
    _WORKS[kind] = do


def run_import(import_id: int) -> None:
    """Match one import; another's, or one that is done, is left alone."""
    import_run(import_id=import_id, now=utc_now())


def do_works() -> None:
    """Do the work that is due, one piece after the other; the ticker rings again for what is left."""
    works_do(clock=utc_now, do=_WORKS, seconds=_LAST_START_SECONDS)
