"""What a record of consent says, in words for staff: the list, the timeline and the profile speak alike."""

from devices.models import ConsentRecord

_BY = {"end_user": "end user", "staff": "staff", "platform": "server API"}
_WORDS = {
    ("preferences", "saved"): "Saved categories",
    ("opt_out", "opted_out"): "Opted out",
    ("opt_out", "opted_in"): "Opted back in",
    ("never_contact", "set"): "Marked never contact",
    ("never_contact", "lifted"): "Never contact lifted",
    ("tracking", "given"): "Gave consent to the site",
    ("tracking", "withdrawn"): "Withdrew consent to the site",
}


def answer_line(row: ConsentRecord) -> str:
    """One answer as a short line, such as *Opted out* or *Popup: allowed*."""
    words = _WORDS.get((row.subject, row.answer))
    return (
        words or f"{'Popup' if row.subject == 'popup' else row.get_subject_display()}: {row.answer.replace('_', ' ')}"
    )


def answered_by(row: ConsentRecord) -> str:
    """Whose word it is: the end user, staff, or the brand's own servers."""
    return _BY[row.by]
