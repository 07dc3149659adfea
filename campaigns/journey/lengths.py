"""Lengths of time in words, in the largest unit that says them whole."""

from smartpush.common.numbers import counted

UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def split_seconds(seconds: int) -> tuple[int, int]:
    """A number and the largest unit (in seconds) that says it whole; (0, a day) for nothing."""
    for unit, _name in UNITS:
        if seconds and seconds % unit == 0:
            return seconds // unit, unit
    return 0, 86_400


def length(seconds: int) -> str:
    """A length of time in words: `1 day`, `90 seconds`."""
    number, unit = split_seconds(seconds)
    return counted(number=number, one=dict(UNITS)[unit])
