"""The numbers of a campaign in the order and the words of its page."""

from dataclasses import dataclass, field

from assets.selectors import popup_names, push_names
from campaigns.models import Campaign
from campaigns.selectors.counts import ActivityCounts, activities_sent
from devices.delivery.popup_outcomes import ENDED
from devices.models import Delivery, Dispatch, PopupOffer

_OUTCOMES = [PopupOffer.State(state) for state in ENDED]


_ENDS = [
    Delivery.State.FAILED,
    Delivery.State.GONE,
    Delivery.State.EXPIRED,
    Delivery.State.CANCELLED,
    Delivery.State.UNKNOWN,
    Delivery.State.SUPPRESSED,
]


@dataclass
class ActivityReport:
    """The counts of one activity over all its days: (label, number) pairs in the order of the journey."""

    key: str
    kind: str
    counts: list[tuple[str, int]] = field(default_factory=list)
    reasons: list[tuple[str, int]] = field(default_factory=list)
    name: str = ""  # of the resource that it sent last; empty where that is gone


def activity_reports(*, campaign: Campaign) -> list[ActivityReport]:
    """What each activity of a campaign brought, all versions together, in the order of their keys."""
    rows = Dispatch.objects.filter(campaign_ref=campaign.pk, source=Dispatch.Source.JOURNEY).order_by("pk")
    newest = {
        source_key.partition(":")[2]: revision or 0
        for source_key, revision in rows.values_list("source_key", "content__revision")
    }
    names = {"popup": popup_names(newest.values()), "push": push_names(newest.values())}
    sent = sorted(activities_sent(campaign=campaign).values(), key=lambda counts: (len(counts.key), counts.key))
    return [
        ActivityReport(
            key=counts.key,
            kind=counts.kind,
            counts=_of_popup(counts) if counts.kind == "popup" else _of_push(counts),
            reasons=_reasons(counts),
            name=names[counts.kind].get(newest.get(counts.key, 0), ""),
        )
        for counts in sent
    ]


def _of_popup(counts: ActivityCounts) -> list[tuple[str, int]]:
    return [
        ("Offered", counts.offered),
        ("Shown", counts.shown),
        ("Asked", counts.asked),
        *((str(state.label), counts.offers.get(state, 0)) for state in _OUTCOMES),
    ]


def _of_push(counts: ActivityCounts) -> list[tuple[str, int]]:
    states = Delivery.State
    waiting = counts.messages.get(states.READY, 0) + counts.messages.get(states.SENDING, 0)
    return [
        ("Ready", waiting),
        ("Accepted", counts.accepted),
        ("Displayed", counts.displayed),
        ("Clicked", counts.clicked),
        *((str(state.label), counts.messages.get(state, 0)) for state in _ENDS),
    ]


def _reasons(counts: ActivityCounts) -> list[tuple[str, int]]:
    worded = {
        f"{Delivery.State(state).label}: {reason.replace('_', ' ')}": number
        for (state, reason), number in counts.reasons.items()
    }
    return sorted(worded.items(), key=lambda item: -item[1])[:8]
