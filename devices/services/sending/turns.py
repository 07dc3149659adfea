"""Chunks take turns at rendering, so that costly texts of one brand never hold up the messages of another.

What a message costs is counted, not timed (smartpush/common/personalisation/limits.py). A chunk whose messages have
taken TURN gives way: the rows that it has not begun stay in it, and it goes to the end of its lane's queue. Texts
that only have values laid into place cost nothing here, so their chunks are sent in one turn, whatever their size.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from smartpush.common.personalisation import MOST_SPENT, Meter, is_metered

TURN = 3 * MOST_SPENT  # units of work: less processor time than sending a plain chunk of the usual size
_FIRST_ROWS = 8  # of a chunk whose texts have to be metered, as long as nothing is known of their cost


class RenderTurn:
    """What one chunk has spent on rendering since it was claimed."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.spent = 0
        self.rendered = 0
        self._metered = any(map(is_metered, texts_of(content)))

    @property
    def over(self) -> bool:
        """Whether others go first now."""
        return self.spent >= TURN

    def add(self, meter: Meter) -> None:
        """Count one message, whatever became of it."""
        self.spent += meter.spent
        self.rendered += 1

    def rows(self, most: int) -> int:
        """Return how many rows to take next: as many as the turn will do at the average cost so far."""
        if not self._metered:
            return most
        if not self.rendered:
            return min(most, _FIRST_ROWS)
        average = self.spent // self.rendered + 1
        return max(1, min(most, (TURN - self.spent) // average))


def texts_of(content: Mapping[str, Any]) -> Iterator[str]:
    """Return every text of a push that may be personalised."""
    for variant in content.get("variants", {}).values():
        for part in (variant, *variant.get("buttons", [])):
            for name in ("title", "message", "url", "deep_link"):
                yield part.get(name) or ""
