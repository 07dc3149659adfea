"""Quiet hours: wall-clock times in an end user's own zone, turned into instants on the days where clocks change too."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from devices.brands.models.brands import TIME_ZONES
from smartpush.common.time.wall_clock import instant_of


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` until just before `ends`, on every day; past midnight when `ends` is the earlier of the two."""

    begins: time
    ends: time
    policy: str  # wait or skip


def opening(*, quiet: QuietHours, at: datetime, zone: str) -> datetime | None:
    """When the quiet hours that hold the instant `at` in `zone` end (UTC); None when it is not in any.

    The beginning and the end are instants of their own: one in a gap of the clocks moves to the next valid instant,
    one that clocks show twice is the first. So a night is longer or shorter when clocks change in it, and where both
    fall into one gap there are no quiet hours that day.
    """
    today = at.astimezone(ZoneInfo(zone)).date()
    for day in (today - timedelta(days=1), today):
        last = day if quiet.ends > quiet.begins else day + timedelta(days=1)
        begins = instant_of(wall=datetime.combine(day, quiet.begins), zone=zone)
        ends = instant_of(wall=datetime.combine(last, quiet.ends), zone=zone)
        if begins <= at < ends:
            return ends
    return None


def zone_choose(*zones: str | None) -> str:
    """The first of these that is a time zone known here, else UTC."""
    return next((zone for zone in zones if zone in TIME_ZONES), "UTC")
