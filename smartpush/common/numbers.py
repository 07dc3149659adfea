"""Numbers as JSON brings them, of which some lie beyond what anything else can hold."""

import math


def number_fits(value: float) -> bool:
    """Return whether a double holds the number's size: 1e999 is none, nor is a whole number of 400 digits."""
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every double
        return False
