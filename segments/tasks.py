"""Jobs: load by id, make one service call."""

from segments.services.imports import import_run
from smartpush.common.clock import utc_now


def run_import(import_id: int) -> None:
    """Match one import; another's, or one that is done, is left alone."""
    import_run(import_id=import_id, now=utc_now())
