"""When a thing that was scheduled by the clock on the wall really runs."""

from datetime import datetime

from smartpush.common.wall_clock import instant_of


def runs_at(*, wall: datetime, zone: str, now: datetime) -> datetime:
    """When a thing scheduled once really runs: its instant, or `now` when that is past."""
    return max(instant_of(wall=wall, zone=zone), now)
