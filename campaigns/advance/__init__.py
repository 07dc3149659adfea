"""The engine: enrolments advance by set, one statement per kind of activity (ENGINEERING, Journey engine)."""

from campaigns.advance.engine import AdvanceResult, advance_due, advance_enrolments, popup_answers_apply
from campaigns.advance.exits import enrolments_exit

__all__ = [
    "AdvanceResult",
    "advance_due",
    "advance_enrolments",
    "enrolments_exit",
    "popup_answers_apply",
]
