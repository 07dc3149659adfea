"""Local times in forms: the rule of `smartpush.common.time.wall_clock`, and a sentence where a clock change decided."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from django import forms
from django.utils import timezone as django_timezone
from django.utils.formats import date_format

from smartpush.common.time.wall_clock import ClockChange, clock_change, instant_of

# Django's fields put the current zone on what was typed, and refuse a time at a clock change: they get this one.
_TYPED = timezone(timedelta(), "as typed")


class _WallTime:
    """Turns a typed local time into an instant; `notice` is what to say of it, "" for ordinary times."""

    notice = ""

    def moment_of(self, typed: datetime | None) -> datetime | None:
        """Return the instant that a typed time stands for in the current zone."""
        self.notice = ""
        if typed is None or typed.tzinfo is not _TYPED:
            return typed
        wall, zone = typed.replace(tzinfo=None), django_timezone.get_current_timezone()
        try:
            moment = instant_of(wall=wall, zone=zone)
        except OverflowError:  # no calendar has its UTC time; the form says what is near enough
            return wall.replace(tzinfo=zone)
        self.notice = moment_words(wall=wall, moment=moment)
        return moment


class WallTimeField(_WallTime, forms.DateTimeField):
    """One input for a local time in the current zone."""

    def to_python(self, value: Any) -> datetime | None:
        """Return the instant; raises ValidationError."""
        with django_timezone.override(_TYPED):
            typed = super().to_python(value)
        return self.moment_of(typed)


class SplitWallTimeField(_WallTime, forms.SplitDateTimeField):
    """Inputs for the day and the time of a local time in the current zone."""

    def compress(self, data_list: Any) -> datetime | None:
        """Return the instant; raises ValidationError."""
        with django_timezone.override(_TYPED):
            typed = super().compress(data_list)
        return self.moment_of(typed)


def moment_words(*, wall: datetime, moment: datetime) -> str:
    """Say which moment a local time stands for where clocks skip it or show it twice; "" where they show it once."""
    zone = django_timezone.get_current_timezone()
    change = clock_change(wall=wall, zone=zone)
    if change is None:
        return ""
    day, place = date_format(wall, "j M Y"), django_timezone.get_current_timezone_name()
    if change is ClockChange.SKIPPED:
        shown = date_format(moment.astimezone(zone), "H:i")
        return f"{wall:%H:%M} does not exist on {day} in {place}: clocks go forward then. {shown} was taken instead."
    nth = "first" if instant_of(wall=wall, zone=zone) == moment else "second"
    return (
        f"{wall:%H:%M} comes twice on {day} in {place}: clocks go back then."
        f" The {nth} one was taken, {moment.astimezone(UTC):%H:%M} UTC."
    )
