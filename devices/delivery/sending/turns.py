"""Chunks take turns at rendering, so that costly texts of one brand never hold up the messages of another.

What a message costs is counted, not timed (smartpush/common/personalisation/limits.py). A process that carries several
chunks feeds each for a TURN of counted work, then the next one. Texts that only have values laid into place cost
nothing here, so their chunks are fed as fast as the wire takes them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from smartpush.common.personalisation import MOST_SPENT, Meter, is_metered

TURN = MOST_SPENT  # units of work: one message of the costliest, many of any other
_FIRST_ROWS = 8  # of a chunk whose texts have to be metered, as long as nothing is known of their cost


class RenderTurn:
    """What one chunk spends on rendering, in this turn and at all."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.spent = 0
        self._total = 0
        self._rendered = 0
        self._metered = any(map(is_metered, texts_of(content)))

    @property
    def over(self) -> bool:
        """Whether others go first now."""
        return self.spent >= TURN

    def begin(self) -> None:
        """Begin a turn."""
        self.spent = 0

    def add(self, meter: Meter) -> None:
        """Count one message, whatever became of it."""
        self.spent += meter.spent
        self._total += meter.spent
        self._rendered += 1

    def rows(self, most: int) -> int:
        """Return how many rows to take next: as many as some turns will do at the average cost so far.

        Rows that were taken and not begun would be unsure after a crash.
        """
        if not self._metered:
            return most
        if not self._rendered:
            return min(most, _FIRST_ROWS)
        return max(1, min(most, 8 * TURN // (self._total // self._rendered + 1)))


def texts_of(content: Mapping[str, Any]) -> Iterator[str]:
    """Return every text of a push that may be personalised."""
    for variant in content.get("variants", {}).values():
        for part in (variant, *variant.get("buttons", [])):
            for name in ("title", "message", "url", "deep_link"):
                yield part.get(name) or ""
