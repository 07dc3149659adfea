"""The numbers of a campaign in the order and the words of its page."""

from dataclasses import dataclass, field

from campaigns.activities import registry
from campaigns.activities.plugins import Plugin
from campaigns.models import Campaign
from campaigns.selectors.counts import ActivityCounts, activities_run, activities_sent
from devices.delivery.words import DELIVERY_REASONS
from devices.models import Delivery, Dispatch


@dataclass
class ActivityReport:
    """The counts of one activity over all its days: (label, number) pairs in the order of the journey."""

    key: str
    kind: str
    counts: list[tuple[str, int]] = field(default_factory=list)
    reasons: list[tuple[str, int]] = field(default_factory=list)
    name: str = ""  # of the resource that it sent last; empty where that is gone


def activity_reports(*, campaign: Campaign) -> list[ActivityReport]:
    """What each activity of a campaign brought, all versions together, in the order of their keys.

    An activity reports its messages or, where it sends none, its outcomes; one with a single way on reports nothing.
    """
    rows = Dispatch.objects.filter(campaign_ref=campaign.pk, source=Dispatch.Source.JOURNEY).order_by("pk")
    newest = {
        source_key.partition(":")[2]: revision or 0
        for source_key, revision in rows.values_list("source_key", "content__revision")
    }
    plugins = registry.plugins()
    branching = [name for name, plugin in plugins.items() if plugin.report is None and plugin.kind.outcomes]
    names = {kind: owner.names(revision_ids=newest.values()) for kind, owner in registry.resources().items()}
    counted = {**activities_run(campaign=campaign, kinds=branching), **activities_sent(campaign=campaign)}
    ordered = sorted(counted.values(), key=lambda counts: (len(counts.key), counts.key))
    return [
        ActivityReport(
            key=counts.key,
            kind=plugins[counts.kind].kind.title,
            counts=_counts(plugins[counts.kind], counts),
            reasons=_reasons(counts),
            name=names.get(counts.kind, {}).get(newest.get(counts.key, 0), ""),
        )
        for counts in ordered
    ]


def _counts(plugin: Plugin, counts: ActivityCounts) -> list[tuple[str, int]]:
    if plugin.report is not None:
        return plugin.report(counts)
    return [(label, counts.outcomes.get(outcome, 0)) for outcome, label in plugin.kind.outcomes]


def _reasons(counts: ActivityCounts) -> list[tuple[str, int]]:
    worded = {
        f"{Delivery.State(state).label}: {DELIVERY_REASONS.of(reason)}": number
        for (state, reason), number in counts.reasons.items()
    }
    return sorted(worded.items(), key=lambda item: -item[1])[:8]
