"""The numbers of campaigns: who is where, and what each activity brought."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q

from assets.selectors import popup_names, push_names
from campaigns.models import Campaign, Enrolment
from devices.models import Delivery, Dispatch, Event, PopupOffer

_OUTCOMES = [
    PopupOffer.State.ALLOWED,
    PopupOffer.State.BLOCKED,
    PopupOffer.State.LATER,
    PopupOffer.State.CLOSED,
    PopupOffer.State.DISMISSED,
    PopupOffer.State.NO_ANSWER,
    PopupOffer.State.CLICKED,
    PopupOffer.State.EXPIRED,
    PopupOffer.State.CANCELLED,
]


@dataclass(frozen=True)
class Totals:
    """Enrolments of a campaign by state."""

    entered: int = 0
    active: int = 0
    done: int = 0
    exited: int = 0


@dataclass
class ActivityReport:
    """The counts of one activity over all its days: (label, number) pairs in the order of the journey."""

    key: str
    kind: str
    counts: list[tuple[str, int]] = field(default_factory=list)
    reasons: list[tuple[str, int]] = field(default_factory=list)
    name: str = ""  # of the resource that it sent last; empty where that is gone


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


def activity_reports(*, campaign: Campaign) -> list[ActivityReport]:
    """What each activity of a campaign brought, all versions together, in the order of their keys."""
    dispatches: dict[int, str] = {}
    newest: dict[str, int] = {}
    rows = Dispatch.objects.filter(campaign_ref=campaign.pk, source=Dispatch.Source.JOURNEY).order_by("pk")
    for pk, source_key, revision in rows.values_list("pk", "source_key", "content__revision"):
        key = dispatches[pk] = source_key.partition(":")[2]
        newest[key] = revision or 0
    popups = _popups(dispatches)
    pushes = _pushes(dispatches)
    for reports, names in ((popups, popup_names(newest.values())), (pushes, push_names(newest.values()))):
        for report in reports:
            report.name = names.get(newest[report.key], "")
    return sorted([*popups, *pushes], key=lambda report: (len(report.key), report.key))


def _popups(dispatches: dict[int, str]) -> list[ActivityReport]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    rows = (
        PopupOffer.objects.filter(dispatch_id__in=dispatches)
        .values("dispatch_id", "state")
        .annotate(
            n=Count("pk"),
            shown=Count("pk", filter=Q(shown_at__isnull=False)),
            asked=Count("pk", filter=Q(asked_at__isnull=False)),
        )
    )
    for row in rows.order_by():
        counts = found[dispatches[row["dispatch_id"]]]
        counts["sum:offered"] += row["n"]
        counts["sum:shown"] += row["shown"]
        counts["sum:asked"] += row["asked"]
        counts[row["state"]] += row["n"]
    return [
        ActivityReport(
            key=key,
            kind="popup",
            counts=[
                ("Offered", counts["sum:offered"]),
                ("Shown", counts["sum:shown"]),
                ("Asked", counts["sum:asked"]),
                *((str(state.label), counts[state]) for state in _OUTCOMES),
            ],
        )
        for key, counts in found.items()
    ]


def _pushes(dispatches: dict[int, str]) -> list[ActivityReport]:
    states = Delivery.State
    found: dict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    rows = (
        Delivery.objects.filter(dispatch_id__in=dispatches)
        .values("dispatch_id", "state", "reason")
        .annotate(
            n=Count("pk"),
            displayed=Count("pk", filter=Q(displayed_at__isnull=False)),
            clicked=Count("pk", filter=Q(clicked_at__isnull=False)),
        )
    )
    for row in rows.order_by():
        key = dispatches[row["dispatch_id"]]
        counts = found[key]
        counts[row["state"]] += row["n"]
        counts["sum:displayed"] += row["displayed"]
        counts["sum:clicked"] += row["clicked"]
        if row["reason"]:
            reasons[key][f"{states(row['state']).label}: {row['reason'].replace('_', ' ')}"] += row["n"]
    return [
        ActivityReport(
            key=key,
            kind="push",
            counts=[
                ("Ready", counts[states.READY] + counts[states.SENDING]),
                ("Accepted", counts[states.ACCEPTED]),
                ("Displayed", counts["sum:displayed"]),
                ("Clicked", counts["sum:clicked"]),
                ("Failed", counts[states.FAILED]),
                ("Gone", counts[states.GONE]),
                ("Expired", counts[states.EXPIRED]),
                ("Cancelled", counts[states.CANCELLED]),
                ("Unknown", counts[states.UNKNOWN]),
                ("Suppressed", counts[states.SUPPRESSED]),
            ],
            reasons=reasons[key].most_common(8),
        )
        for key, counts in found.items()
    ]


def recent_events(*, brand_id: int, now: datetime) -> list[str]:
    """Names of events that the brand's end users did lately: session and login first."""
    since = now - timedelta(days=7)
    latest = Event.objects.filter(brand_id=brand_id, day__gte=since.date()).order_by("-pk").values("name")[:2000]
    names = {row["name"] for row in latest} - {"session", "login"}
    return ["session", "login", *sorted(names)[:50]]
