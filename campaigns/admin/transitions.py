"""What a publisher may do to a campaign's state, each asked about first and written into its history."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.drafts.fingerprint import review_read
from campaigns.models import Campaign
from campaigns.services.publish import CannotPublish, ReviewOutdated, campaign_publish
from campaigns.services.states import (
    CannotChangeState,
    campaign_archive,
    campaign_disable,
    campaign_pause,
    campaign_resume,
)

_STATE = Campaign.State


class Refused(Exception):
    """The campaign's service refused; `problems` are sentences for people.

    `changes`: what is not as it was reviewed. Neither of them: it was not asked for from a review.
    """

    def __init__(self, problems: list[str], *, changes: list[str] | None = None) -> None:
        super().__init__("; ".join([*problems, *(changes or [])]))
        self.problems, self.changes = problems, changes or []


@dataclass(frozen=True)
class Transition:
    """One change of state: the words of its confirmation page and what carries it out."""

    name: str
    label: str
    icon: str
    question: str
    explanation: str
    button: str
    done: str
    change: Callable[[Campaign, Any, datetime, str], object]
    states: frozenset[str]
    danger: bool = False
    stops: bool = False
    """Whether it ends the journeys of those inside."""

    def run(self, campaign: Campaign, by: Any, now: datetime, *, reviewed: str = "") -> None:
        """Carry it out and keep who did it; raises Refused. `reviewed` is what the review page carried."""
        try:
            self.change(campaign, by, now, reviewed)
        except ReviewOutdated as refusal:
            raise Refused([], changes=list(refusal.changes)) from refusal
        except CannotPublish as refusal:
            raise Refused([problem.message for problem in refusal.problems]) from refusal
        except CannotChangeState as refusal:
            raise Refused([str(refusal)]) from refusal
        campaign.refresh_from_db()
        # The services change the state by conditional updates, which history does not see by itself.
        Campaign.history.bulk_history_create([campaign], update=True, default_user=by, default_change_reason=self.label)


def _activate(campaign: Campaign, by: Any, now: datetime, token: str) -> None:
    reviewed = review_read(token=token, campaign=campaign)
    if reviewed is None:
        raise Refused([])
    campaign_publish(campaign=campaign, by=by, now=now, reviewed=reviewed)


TRANSITIONS: dict[str, Transition] = {
    transition.name: transition
    for transition in (
        Transition(
            name="activate",
            label="Activate",
            icon="play_arrow",
            question="Activate {campaign}?",
            explanation=(
                "From now on end users enter as the settings say. What runs is what you reviewed: a fixed version. "
                "Later edits make the next version, and those inside finish on theirs."
            ),
            button="Activate now",
            done="{campaign} is active.",
            change=_activate,
            states=frozenset({_STATE.DRAFT, _STATE.ACTIVE, _STATE.DISABLED, _STATE.EXECUTED}),
        ),
        Transition(
            name="pause",
            label="Pause",
            icon="pause",
            question="Pause {campaign}?",
            explanation="Nobody new enters. Those inside go on to the end of their journey.",
            button="Pause",
            done="{campaign} is paused.",
            change=lambda campaign, _by, now, _reviewed: campaign_pause(campaign=campaign, now=now),
            states=frozenset({_STATE.ACTIVE}),
        ),
        Transition(
            name="resume",
            label="Resume",
            icon="play_arrow",
            question="Resume {campaign}?",
            explanation="End users enter again.",
            button="Resume",
            done="{campaign} is active again.",
            change=lambda campaign, _by, now, _reviewed: campaign_resume(campaign=campaign, now=now),
            states=frozenset({_STATE.PAUSED}),
        ),
        Transition(
            name="disable",
            label="Disable",
            icon="stop",
            question="Disable {campaign}?",
            explanation=(
                "Nobody enters, everybody inside leaves at once, and their waiting pushes and popups are cancelled. "
                "This cannot be taken back for them."
            ),
            button="Disable",
            done="{campaign} is disabled.",
            change=lambda campaign, _by, now, _reviewed: campaign_disable(campaign=campaign, now=now),
            states=frozenset({_STATE.ACTIVE, _STATE.PAUSED, _STATE.EXECUTED}),
            danger=True,
            stops=True,
        ),
        Transition(
            name="archive",
            label="Archive",
            icon="archive",
            question="Archive {campaign}?",
            explanation=(
                "Nobody enters, everybody inside leaves at once, and their waiting pushes and popups are cancelled. "
                "The campaign is put away for good: it can be read, but not changed or activated again."
            ),
            button="Archive",
            done="{campaign} is archived.",
            change=lambda campaign, _by, now, _reviewed: campaign_archive(campaign=campaign, now=now),
            states=frozenset({_STATE.ACTIVE, _STATE.PAUSED, _STATE.EXECUTED, _STATE.DISABLED}),
            danger=True,
            stops=True,
        ),
    )
}


def possible(campaign: Campaign) -> list[Transition]:
    """The changes of state that this campaign's state allows, except activation, which has the review before it."""
    return [
        transition
        for transition in TRANSITIONS.values()
        if campaign.state in transition.states and transition.name != "activate"
    ]
