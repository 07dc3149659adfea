"""A campaign's draft with all that decides what would run, read once: what is checked is what is published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Model

from campaigns.activities import registry
from campaigns.journey.parse import Activity, Flow, parse
from campaigns.models import Campaign
from campaigns.selectors.audiences import Audience, UnreadableSegment, audience_read
from segments.models import Segment


@dataclass(frozen=True, slots=True)
class Selection:
    """A segment that the draft names, and what is behind it; `problem` says why it cannot be used."""

    segment: Segment | None = None
    audience: Audience | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """`resources`: the usable ones that the flow names, by kind of activity and id; `contents`: by (kind, id)."""

    campaign: Campaign
    flow: Flow
    audience: Selection
    trigger: Selection
    resources: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)
    contents: Mapping[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    @property
    def rules(self) -> dict[str, Any] | None:
        """The audience as a version keeps it; null for everybody."""
        return self.audience.audience.rules if self.audience.audience is not None else None

    def resource(self, activity: Activity) -> Model | None:
        """What the activity sends or shows; None where it is not chosen or cannot be used, and for those without."""
        row: Model | None = self.resources.get(activity.kind.name, {}).get(activity.resource or 0)
        return row


def draft_read(*, campaign: Campaign, now: datetime) -> Draft:
    """Read what publishing the campaign, as it is in memory, would make of the content and segments of now."""
    flow = parse(campaign.flow, kinds=registry.kinds())
    resources = {
        name: owner.usable(brand_id=campaign.brand_id, ids=_named(flow, name))
        for name, owner in registry.resources().items()
    }
    return Draft(
        campaign=campaign,
        flow=flow,
        audience=_selection(campaign.segment, campaign, now),
        trigger=_selection(campaign.trigger_segment, campaign, now) if _by_segment(campaign) else Selection(),
        resources=resources,
        contents={
            (name, pk): registry.resources()[name].content(row=row)
            for name, rows in resources.items()
            for pk, row in rows.items()
        },
    )


def _named(flow: Flow, kind: str) -> list[int]:
    return [one.resource for one in flow.activities if one.kind.name == kind and one.resource is not None]


def _by_segment(campaign: Campaign) -> bool:
    return campaign.kind == Campaign.Kind.REALTIME and campaign.trigger_kind != Campaign.Trigger.EVENT


def _selection(segment: Segment | None, campaign: Campaign, now: datetime) -> Selection:
    if segment is None or segment.brand_id != campaign.brand_id:
        return Selection(segment)
    try:
        return Selection(segment, audience_read(segment=segment, brand_id=campaign.brand_id, now=now))
    except UnreadableSegment as error:
        return Selection(segment, problem=str(error))
