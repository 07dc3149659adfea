"""How a popup can end: the one list, in the order of pages and reports, and the groups of it that mean something.

No Django here: the journey, which is pure, reads it as well as the tables and their statements do.
"""

from collections.abc import Iterable
from enum import StrEnum


class PopupOutcome(StrEnum):
    """The outcome of a popup, as pages report it; each is a branch of a journey and a state of its offer."""

    ALLOWED = "allowed"
    BLOCKED = "blocked"
    LATER = "later"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    NO_ANSWER = "no_answer"
    CLICKED = "clicked"

    @property
    def label(self) -> str:
        """The words that staff read."""
        return _LABELS[self]


_LABELS = {
    PopupOutcome.ALLOWED: "Allowed",
    PopupOutcome.BLOCKED: "Blocked",
    PopupOutcome.LATER: "Maybe later",
    PopupOutcome.CLOSED: "Closed",
    PopupOutcome.DISMISSED: "Question dismissed",
    PopupOutcome.NO_ANSWER: "No answer",
    PopupOutcome.CLICKED: "Clicked",
}

POPUP_OUTCOMES = tuple(outcome.value for outcome in PopupOutcome)
ASKED = frozenset({PopupOutcome.ALLOWED, PopupOutcome.BLOCKED, PopupOutcome.DISMISSED})
"""The browser's own question was answered, or dismissed."""
FIRST_BUTTON = ASKED | {PopupOutcome.CLICKED}
"""The popup's first button was pressed."""
SAID = tuple(outcome.value for outcome in PopupOutcome if outcome not in (PopupOutcome.NO_ANSWER, PopupOutcome.CLICKED))
"""Answers of a person to the question for permission: silence is none, and a click answers something else."""

# An offer's other states: it is open until it ends, and it may end without a page.
OPEN = ("pending", "leased", "shown")
ENDED = (*POPUP_OUTCOMES, "expired", "cancelled")


def in_sql(states: Iterable[str]) -> str:
    """Return the states as the list behind IN; they are ours, never input."""
    return "(" + ", ".join(f"'{state}'" for state in states) + ")"
