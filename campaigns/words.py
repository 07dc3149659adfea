"""Stored codes of journeys in words for staff; what activities store has its words in their folders."""

from campaigns.activities import registry
from smartpush.common.code_words import code_table

EXIT_REASONS = code_table(
    "reason",
    {
        "never_contact": "marked never contact",
        "erased": "the person was erased",
        "merged": "merged with another person, who was in the campaign already",
        "restarted": "began anew",
        "campaign_disabled": "the campaign was disabled",
        "campaign_archived": "the campaign was archived",
    },
)
_KINDS = "activity"


def activity_words(*, kind: str) -> str:
    """The name of a kind of activity, as the flow builder shows it."""
    return code_table(_KINDS, {name: one.title for name, one in registry.kinds().items()}).of(kind)


def outcome_words(*, kind: str, outcome: str) -> str:
    """The words for a step's outcome; '' while it has none."""
    described = registry.kinds().get(kind)
    words = dict(described.outcomes) | dict(described.says) if described is not None else {}
    return code_table(f"outcome of {kind}", words).of(outcome)
