"""What a campaign has done so far, activity by activity."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Count

from campaigns.models import Campaign, Enrolment
from devices.models import Delivery, Dispatch
from smartpush.common.database import statements


@dataclass(slots=True)
class ActivityCounts:
    """One activity over all versions: `outcomes` of its step runs, `offers` and `messages` by state.

    `reasons` are those of messages by (state, reason), where there is one.
    """

    key: str
    kind: str
    runs: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    offers: dict[str, int] = field(default_factory=dict)
    shown: int = 0
    asked: int = 0
    messages: dict[str, int] = field(default_factory=dict)
    displayed: int = 0
    clicked: int = 0
    closed: int = 0
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def offered(self) -> int:
        """Popup offers that were made."""
        return sum(self.offers.values())

    @property
    def accepted(self) -> int:
        """Messages in the push service's hands; not yet known to have reached anybody."""
        return self.messages.get("accepted", 0)


@dataclass(frozen=True, slots=True)
class Totals:
    """Enrolments of a campaign by state."""

    entered: int = 0
    active: int = 0
    done: int = 0
    exited: int = 0


@dataclass(frozen=True, slots=True)
class Stopping:
    """Numbers of open journeys and waiting pushes that end when a campaign is stopped."""

    journeys: int
    pushes: int


def stopping(*, campaign: Campaign) -> Stopping:
    """Count what would end if the campaign were stopped now."""
    running = list(
        Dispatch.objects.filter(campaign_ref=campaign.pk, state=Dispatch.State.RUNNING).values_list("pk", flat=True)
    )
    return Stopping(
        journeys=Enrolment.objects.filter(campaign=campaign, state=Enrolment.State.ACTIVE).count(),
        pushes=Delivery.objects.filter(dispatch_id__in=running, state=Delivery.State.READY).count(),
    )


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    """Runs by where they are, and every activity that has run, by key."""

    totals: Totals
    activities: Mapping[str, ActivityCounts]


class _Steps(NamedTuple):
    key: str
    kind: str
    outcome: str
    number: int


class _Offers(NamedTuple):
    key: str
    state: str
    number: int
    shown: int
    asked: int


class _Messages(NamedTuple):
    key: str
    state: str
    reason: str
    number: int
    displayed: int
    clicked: int
    closed: int


# Steps of all versions, by activity and outcome.
_RUNS = """
SELECT r.key, r.kind, r.outcome, count(*) AS number
FROM campaigns_steprun r
WHERE r.version_id IN (SELECT id FROM campaigns_campaignversion WHERE campaign_id = %(campaign)s)
  AND (%(kinds)s::text[] IS NULL OR r.kind = ANY(%(kinds)s::text[]))
GROUP BY 1, 2, 3
"""
_KEY = "split_part(p.source_key, ':', 2)"
# Popup offers by activity and state.
_OFFERS = f"""
SELECT {_KEY} AS key, o.state, count(*) AS number, count(o.shown_at) AS shown, count(o.asked_at) AS asked
FROM devices_dispatch p JOIN devices_popupoffer o ON o.dispatch_id = p.id
WHERE p.campaign_ref = %s
GROUP BY 1, 2
"""
# Deliveries by activity, state and reason.
_MESSAGES = f"""
SELECT {_KEY} AS key, d.state, d.reason, count(*) AS number, count(d.displayed_at) AS displayed,
       count(d.clicked_at) AS clicked, count(d.closed_at) AS closed
FROM devices_dispatch p JOIN devices_delivery d ON d.dispatch_id = p.id AND d.day = p.day
WHERE p.campaign_ref = %s
GROUP BY 1, 2, 3
"""


def totals(*, campaign_ids: Sequence[int]) -> dict[int, Totals]:
    """Enrolments by state of several campaigns, in one query."""
    counted: dict[int, Counter[str]] = defaultdict(Counter)
    rows = Enrolment.objects.filter(campaign_id__in=campaign_ids).values("campaign_id", "state").annotate(n=Count("pk"))
    for row in rows.order_by():
        counted[row["campaign_id"]][row["state"]] = row["n"]
    return {
        pk: Totals(
            entered=counted[pk].total(),
            active=counted[pk][Enrolment.State.ACTIVE],
            done=counted[pk][Enrolment.State.DONE],
            exited=counted[pk][Enrolment.State.EXITED],
        )
        for pk in campaign_ids
    }


def activities_sent(*, campaign: Campaign) -> dict[str, ActivityCounts]:
    """What became of the popups and pushes of a campaign, by the activity's key, in two queries."""
    found: dict[str, ActivityCounts] = {}
    for offers in statements.rows(_Offers, _OFFERS, [campaign.pk]):
        activity = found.setdefault(offers.key, ActivityCounts(offers.key, "popup"))
        activity.offers[offers.state] = offers.number
        activity.shown += offers.shown
        activity.asked += offers.asked
    for messages in statements.rows(_Messages, _MESSAGES, [campaign.pk]):
        activity = found.setdefault(messages.key, ActivityCounts(messages.key, "push"))
        activity.messages[messages.state] = activity.messages.get(messages.state, 0) + messages.number
        activity.displayed += messages.displayed
        activity.clicked += messages.clicked
        activity.closed += messages.closed
        if messages.reason:
            activity.reasons[messages.state, messages.reason] = messages.number
    return found


def activities_run(
    *, campaign: Campaign, kinds: Sequence[str] | None, into: Mapping[str, ActivityCounts] | None = None
) -> dict[str, ActivityCounts]:
    """How often activities of these kinds (None: of all) were run, and by which outcome, by the activity's key.

    `into`: counts that are to be completed.
    """
    found = dict(into or {})
    if kinds is not None and not kinds:
        return found
    values = {"campaign": campaign.pk, "kinds": None if kinds is None else list(kinds)}
    for steps in statements.rows(_Steps, _RUNS, values):
        activity = found.setdefault(steps.key, ActivityCounts(steps.key, steps.kind))
        activity.runs += steps.number
        if steps.outcome:
            activity.outcomes[steps.outcome] = activity.outcomes.get(steps.outcome, 0) + steps.number
    return found


def campaign_counts(*, campaign: Campaign) -> CampaignCounts:
    """Everything that can be counted of a campaign, in four queries."""
    activities = activities_run(campaign=campaign, kinds=None, into=activities_sent(campaign=campaign))
    return CampaignCounts(totals(campaign_ids=[campaign.pk])[campaign.pk], activities)
