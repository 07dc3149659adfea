"""Jobs: load by id, make one service call."""

from segments.models import SegmentWork
from segments.services.imports import import_run
from segments.services.sizes import size_work
from segments.services.sweeping import sweep_work
from segments.services.works import Do, works_do
from smartpush.common.clock import utc_now

# django-q2 ends a job after 240 s; what is begun this late may take its 90 s and end.
_LAST_START_SECONDS = 60.0


def run_import(import_id: int) -> None:
    """Match one import; another's, or one that is done, is left alone."""
    import_run(import_id=import_id, now=utc_now())


def do_works() -> None:
    """Do the sweeps and sizes that are due, one after the other; the ticker rings again for what is left."""
    works: dict[str, Do] = {SegmentWork.Kind.SWEEP: sweep_work, SegmentWork.Kind.SIZE: size_work}
    works_do(clock=utc_now, do=works, seconds=_LAST_START_SECONDS)
