"""What a record of consent says, in words for staff: the list, the timeline and the profile speak alike."""

from devices.delivery.popup_outcomes import PopupOutcome
from devices.models import ConsentRecord
from smartpush.common.code_words import code_table

_BY = {"end_user": "end user", "staff": "staff", "platform": "server API"}
_ANSWERS = code_table(
    "answer",
    {
        **{f"popup:{outcome.value}": f"Popup: {outcome.label}" for outcome in PopupOutcome},
        "preferences:saved": "Saved categories",
        "opt_out:opted_out": "Opted out",
        "opt_out:opted_in": "Opted back in",
        "never_contact:set": "Marked never contact",
        "never_contact:lifted": "Never contact lifted",
        "tracking:given": "Gave consent to the site",
        "tracking:withdrawn": "Withdrew consent to the site",
    },
)


def answer_line(row: ConsentRecord) -> str:
    """One answer as a short line, such as *Opted out* or *Popup: Allowed*."""
    return _ANSWERS.of(f"{row.subject}:{row.answer}")


def answered_by(row: ConsentRecord) -> str:
    """Whose word it is: the end user, staff, or the brand's own servers."""
    return _BY[row.by]
