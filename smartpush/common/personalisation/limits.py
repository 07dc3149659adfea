"""What filling in a text may cost: the same limits on every machine and at every load (ADR 12).

Work is counted, not timed. A unit takes 25 nanoseconds at most on a busy core of 2026, so that the costliest message
takes 75 milliseconds. The clock is only a second guard, for a machine that is slower than we can imagine.
"""

import math
import time
from collections.abc import Mapping
from typing import Any, Final

MAX_TEMPLATE: Final = 1_000  # characters: the longest field that may be personalised
MAX_OUTPUT: Final = 20_000  # bytes of one rendered text; characters of one filter's result
MAX_LOOPS: Final = 200  # iterations of a loop, nested loops multiplied
MAX_RANGE: Final = 10_000  # numbers of a range that a loop takes a part of
MAX_VISITS: Final = 10_000  # nodes and iterations of one message
MAX_WORK: Final = 2_000_000  # units of one message
MAX_NAMES: Final = 100_000  # characters that `assign` and `capture` keep
MAX_NUMBER_TEXT: Final = 64  # characters of a text that is used as a number
MAX_SECONDS: Final = 2.0  # of this thread's processor time
ITEM: Final = 16  # what an item of a list counts, in characters, beside its own
CALL: Final = 100  # units of calling a filter
EXPRESSION: Final = 50  # units of evaluating an expression
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_LOOK_EVERY = 64  # visits between two looks at the clock

NUMBER_WORDS = "A number goes beyond 64 bits."
VISITS_WORDS = f"Filling in the texts takes more than {MAX_VISITS:,} steps: use fewer or shorter loops."
WORK_WORDS = "Filling in the texts takes too much work: use fewer loops and filters, or shorter texts."
LOOPS_WORDS = f"The loops run more than {MAX_LOOPS} times."
RANGE_WORDS = f"A range has at most {MAX_LOOPS} numbers here."


class TemplateLimit(Exception):
    """A text goes over a limit that is the same everywhere; `index` is where in its source, -1 when unknown."""

    def __init__(self, message: str, *, index: int = -1) -> None:
        super().__init__(message)
        self.message = message
        self.index = index


class TemplateTime(Exception):
    """Filling in a text within the limits took too long here and now; another time it may not."""


class Meter:
    """Counts what filling in the texts of one message costs, and stops it at the limits.

    The clock is the thread's processor time: a busy machine makes a text late, not costly, and what other threads
    and processes do is not held against it.
    """

    __slots__ = ("began", "look_at", "read", "visits", "work", "zone")

    def __init__(self, *, zone: str = "UTC") -> None:
        self.zone = zone  # whose clock dates are shown on
        self.visits = 0
        self.work = 0
        self.look_at = 0
        self.began = 0.0
        self.read = False  # whether a value of the end user, the event or the brand was looked at

    @property
    def spent(self) -> int:
        """Everything counted so far, in units of work."""
        return self.visits * 2 * EXPRESSION + self.work

    def visit(self, work: int) -> None:
        """Count one node or iteration, and the work of its expressions; raises TemplateLimit, TemplateTime."""
        self.visits += 1
        self.work += work
        if self.visits > MAX_VISITS:
            raise TemplateLimit(VISITS_WORDS)
        if self.work > MAX_WORK:
            raise TemplateLimit(WORK_WORDS)
        if self.visits >= self.look_at:
            self._look()

    def charge(self, work: int) -> None:
        """Count work before it is done; raises TemplateLimit."""
        self.work += work
        if self.work > MAX_WORK:
            raise TemplateLimit(WORK_WORDS)

    def _look(self) -> None:
        now = time.thread_time()
        if not self.look_at:
            self.began = now
        elif now - self.began > MAX_SECONDS:
            raise TemplateTime
        self.look_at = self.visits + _LOOK_EVERY


MOST_SPENT: Final = MAX_VISITS * 2 * EXPRESSION + MAX_WORK
"""What one message spends at most, in units of work."""


def size_of(value: Any) -> int:
    """Return the characters and items of a value, each reference counted; more than MAX_OUTPUT is not counted out."""
    if type(value) is str:
        return len(value)
    size = 0
    waiting = [value]
    while waiting and size <= MAX_OUTPUT:
        one = waiting.pop()
        if isinstance(one, str):
            size += len(one)
        elif isinstance(one, list | tuple):
            size += ITEM * len(one)
            if size <= MAX_OUTPUT:
                waiting.extend(one)
        elif type(one) is dict:
            size += 2 * ITEM * len(one)
            if size <= MAX_OUTPUT:
                waiting.extend(one)
                waiting.extend(one.values())
        elif isinstance(one, int):
            size += 20 if _INT_MIN <= one <= _INT_MAX else one.bit_length() // 3
        else:
            size += 2 * ITEM
    return size


def text_size(value: Any) -> int:
    """Return how many characters `str(value)` has at most; more than MAX_OUTPUT is not counted out."""
    if isinstance(value, str):
        return len(value)
    size = 0
    waiting = [value]
    while waiting and size <= MAX_OUTPUT:
        one = waiting.pop()
        if isinstance(one, str):  # in a list, as repr() writes it
            size += 2 + (len(one) + one.count("\\") + one.count("'") if one.isprintable() else 10 * len(one))
        elif isinstance(one, list | tuple):
            size += 3 + 2 * len(one)
            if size <= MAX_OUTPUT:
                waiting.extend(one)
        elif type(one) is dict:
            size += 2 + 4 * len(one)
            if size <= MAX_OUTPUT:
                waiting.extend(one)
                waiting.extend(one.values())
        elif isinstance(one, int):
            size += 20 if _INT_MIN <= one <= _INT_MAX else one.bit_length() // 3 + 2
        elif one is None or (isinstance(one, Mapping) and not one):
            size += 4
        else:
            size += 64  # floats, dates, ranges, loops
    return size


def text_fits(value: Any, *, what: str) -> None:
    """Raise TemplateLimit when `str(value)` may be too long."""
    if text_size(value) > MAX_OUTPUT:
        raise TemplateLimit(too_long(what))


def too_long(what: str) -> str:
    """Say that a result would be too long."""
    return f"{what} would make more than {MAX_OUTPUT:,} characters."


def range_size(value: range) -> int:
    """Return the length of a range of any length."""
    return max(value.stop - value.start, 0)


def number_fits(value: Any) -> None:
    """Raise TemplateLimit for a number that 64 bits do not hold, also where a text is used as a number."""
    if isinstance(value, int):
        if not _INT_MIN <= value <= _INT_MAX:
            raise TemplateLimit(NUMBER_WORDS)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise TemplateLimit(NUMBER_WORDS)
    elif isinstance(value, str):
        if len(value) > MAX_NUMBER_TEXT:
            raise TemplateLimit(f"A text of more than {MAX_NUMBER_TEXT} characters is used as a number.")
        try:
            number_fits(int(value))
        except ValueError:
            try:
                number_fits(float(value))
            except ValueError:  # no number: filters take it as 0
                return
