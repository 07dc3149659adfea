"""One queue per push service's origin, so that a slow or failing one never holds up the others."""

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

M = TypeVar("M")

SILENCES_TO_OPEN = 10
ERRORS_TO_OPEN = 20
COOL_DOWN = 30.0
"""Seconds for which an open circuit sends nothing; after it one message at a time tries."""
PATIENCE = (1.0, 1.0, 0.7, 0.5, 0.3, 0.25, 0.2)
"""The share of the longest time that an answer may take, by the number of requests in a row that had none."""
_SUSPECT_LIMIT = 8
_LONGEST_OPEN = 2 * COOL_DOWN  # a clock that was put back opens no circuit for hours


@dataclass(frozen=True, slots=True)
class Record:
    """How an origin has been doing, as this process knows it or as others have told; times are Unix seconds."""

    silences: int = 0
    """Requests in a row without an answer: not connected, timed out, cut."""
    errors: int = 0
    """Answers in a row that were server errors."""
    open_until: float = 0.0
    reason: str = ""


@dataclass(slots=True)
class OriginQueue(Generic[M]):
    """What waits for one origin and how the origin has been doing; times are Unix seconds."""

    origin: str
    waiting: deque[M] = field(default_factory=deque)
    active: int = 0
    record: Record = Record()
    changed: bool = False
    """Whether the record says something that nobody outside has been told."""
    multiplexed: bool = True
    """Whether the last answer came over HTTP/2, the only version that can refuse a stream."""

    def is_open(self, *, now: float) -> bool:
        """Tell whether the circuit is open: what waits here comes back at once."""
        return now < self.record.open_until <= now + _LONGEST_OPEN

    def limit(self, *, in_flight: int) -> int:
        """Return how many messages may be under way; an origin that has begun to fail gets few at a time."""
        record = self.record
        if record.silences >= SILENCES_TO_OPEN or record.errors >= ERRORS_TO_OPEN:
            return 1
        return in_flight if record.silences == 0 else min(in_flight, _SUSPECT_LIMIT)

    def has_room(self, *, in_flight: int) -> bool:
        """Tell whether another message may go."""
        return self.active < self.limit(in_flight=in_flight)

    def patience(self, *, longest: float) -> float:
        """Return for how many seconds the next request may go unanswered: less for an origin that was silent."""
        return PATIENCE[min(self.record.silences, len(PATIENCE) - 1)] * longest

    def answered(self, *, multiplexed: bool, server_error: bool, now: float) -> None:
        """Note an answer, whether it was a server error, and whether it came over HTTP/2."""
        self.multiplexed = multiplexed
        if not server_error:
            self._set(Record())
            return
        errors = self.record.errors + 1
        opened = now + COOL_DOWN if errors >= ERRORS_TO_OPEN else 0.0
        self._set(Record(0, errors, opened, "server_error"))

    def failed(self, *, now: float, reason: str) -> None:
        """Note a connect failure, a timeout or a cut; enough of them in a row open the circuit."""
        silences = self.record.silences + 1
        opened = now + COOL_DOWN if silences >= SILENCES_TO_OPEN else 0.0
        self._set(Record(silences, 0, opened, reason))

    def told(self, record: Record) -> None:
        """Take over what other processes have found out, unless this one knows something newer."""
        if not self.changed:
            self.record = record

    def _set(self, record: Record) -> None:
        if record != self.record:
            self.record = record
            self.changed = True
