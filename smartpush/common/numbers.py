"""Check numbers as JSON brings them, of which some fit nowhere else, and write counts with their nouns."""

import math


def number_fits(value: float) -> bool:
    """Return whether a double holds the number's size: 1e999 is none, nor is a whole number of 400 digits."""
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every double
        return False


def counted(*, number: int, one: str, many: str = "") -> str:
    """Say how many there are of something: `1 end user`, `12,000 end users`; `many` where it is not `one` with an s."""
    return f"{number:,} {noun(number=number, one=one, many=many)}"


def noun(*, number: int, one: str, many: str = "") -> str:
    """Return the singular or the plural that belongs to a number."""
    return one if number == 1 else many or f"{one}s"
