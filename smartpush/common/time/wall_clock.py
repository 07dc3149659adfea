"""Wall-clock intent plus an IANA zone to an instant: a gap moves to the next valid one, a fold takes the first."""

import functools
from datetime import UTC, datetime, tzinfo
from enum import Enum, auto
from zoneinfo import ZoneInfo


class ClockChange(Enum):
    """The effect of a clock change on a wall-clock time."""

    SKIPPED = auto()
    REPEATED = auto()


@functools.cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of this name, kept: zoneinfo itself keeps eight and reads a file for any other."""
    return ZoneInfo(name)


def instant_of(*, wall: datetime, zone: str | tzinfo) -> datetime:
    """The UTC instant at which clocks in `zone` first show the naive `wall`; where they skip it, the end of the gap."""
    if wall.tzinfo is not None:
        raise ValueError("A wall-clock time carries no zone of its own.")
    there = zone_of(zone) if isinstance(zone, str) else zone
    # fold=0 is the first of two equal wall-clock times, and in a gap reads the offset from before it (PEP 495).
    instant = wall.replace(tzinfo=there, fold=0).astimezone(UTC)
    if instant.astimezone(there).replace(tzinfo=None) == wall:
        return instant
    return _gap_end(wall, there)


def clock_change(*, wall: datetime, zone: str | tzinfo) -> ClockChange | None:
    """Whether clocks in `zone` skip the naive `wall` or show it twice; None where they show it once."""
    there = zone_of(zone) if isinstance(zone, str) else zone
    first, second = (wall.replace(tzinfo=there, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return None
    shown = first.astimezone(UTC).astimezone(there).replace(tzinfo=None)
    return ClockChange.REPEATED if shown == wall else ClockChange.SKIPPED


def _gap_end(wall: datetime, there: tzinfo) -> datetime:
    # In a gap fold=1 gives the instant before the jump that fold=0 lands after: the jump lies between the two.
    before = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=there, fold=0).astimezone(UTC)
    offset = before.astimezone(there).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, there).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return datetime.fromtimestamp(high, UTC)
