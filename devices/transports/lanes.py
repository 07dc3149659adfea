"""One lane per push service's origin, so that a slow or failing one never holds up the others."""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

M = TypeVar("M")

FAILURES_TO_OPEN = 10
COOL_DOWN = 30.0
"""Seconds for which an open circuit sends nothing; after it one message at a time tries."""
_SUSPECT_LIMIT = 8


@dataclass(slots=True)
class Lane(Generic[M]):
    """What waits for one origin and how the origin has been doing; times are of the monotonic clock."""

    origin: str
    waiting: deque[M] = field(default_factory=deque)
    active: int = 0
    failures: int = 0
    open_until: float = 0.0
    multiplexed: bool = True
    """Whether the last answer came over HTTP/2, the only version that can refuse a stream."""

    def is_open(self, *, now: float) -> bool:
        """Tell whether the circuit is open: what waits here comes back at once."""
        return now < self.open_until

    def has_room(self, *, in_flight: int) -> bool:
        """Tell whether another message may go; an origin that has begun to fail gets few at a time."""
        if self.failures >= FAILURES_TO_OPEN:
            return self.active < 1
        return self.active < (in_flight if self.failures == 0 else min(in_flight, _SUSPECT_LIMIT))

    def answered(self, *, multiplexed: bool) -> None:
        """Note that the origin gave an answer, whichever, and whether it came over HTTP/2."""
        self.multiplexed = multiplexed
        self.failures = 0
        self.open_until = 0.0

    def failed(self, *, now: float) -> None:
        """Note a connect failure, a timeout or a cut; enough of them in a row open the circuit."""
        self.failures += 1
        if self.failures >= FAILURES_TO_OPEN:
            self.open_until = now + COOL_DOWN
