"""A campaign's draft with all that decides what would run, read once: what is checked is what is published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from assets.models import PopupResource, PopupRevision, PushResource, PushRevision
from assets.services import popup_content, push_content
from campaigns.journey.parse import Flow, parse
from campaigns.models import Campaign
from campaigns.selectors.audiences import Audience, UnreadableSegment, audience_read
from segments.models import Segment

_Resource = TypeVar("_Resource", PushResource, PopupResource)


@dataclass(frozen=True, slots=True)
class Selection:
    """A segment that the draft names, and what is behind it; `problem` says why it cannot be used."""

    segment: Segment | None = None
    audience: Audience | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """`pushes` and `popups`: the usable resources that the flow names, by id; `contents` is by (kind, id)."""

    campaign: Campaign
    flow: Flow
    audience: Selection
    trigger: Selection
    pushes: Mapping[int, PushResource] = field(default_factory=dict)
    popups: Mapping[int, PopupResource] = field(default_factory=dict)
    contents: Mapping[tuple[str, int], dict[str, Any]] = field(default_factory=dict)

    @property
    def rules(self) -> dict[str, Any] | None:
        """The audience as a version keeps it; null for everybody."""
        return self.audience.audience.rules if self.audience.audience is not None else None


def draft_read(*, campaign: Campaign, now: datetime) -> Draft:
    """Read what publishing the campaign, as it is in memory, would make of the content and segments of now."""
    flow = parse(campaign.flow)
    pushes = _usable(PushResource, campaign.brand_id, (a.resource for a in flow.activities if a.kind == "push"))
    popups = _usable(PopupResource, campaign.brand_id, (a.resource for a in flow.activities if a.kind == "popup"))
    return Draft(
        campaign=campaign,
        flow=flow,
        audience=_selection(campaign.segment, campaign, now),
        trigger=_selection(campaign.trigger_segment, campaign, now) if _by_segment(campaign) else Selection(),
        pushes=pushes,
        popups=popups,
        contents={
            **{("push", pk): push_content(push_revision(push)) for pk, push in pushes.items()},
            **{("popup", pk): popup_content(popup_revision(popup)) for pk, popup in popups.items()},
        },
    )


def push_revision(push: PushResource) -> PushRevision:
    """The revision of a usable push."""
    assert push.current_revision is not None  # `draft_read` leaves the others out
    return push.current_revision


def popup_revision(popup: PopupResource) -> PopupRevision:
    """The revision of a usable popup."""
    assert popup.current_revision is not None  # `draft_read` leaves the others out
    return popup.current_revision


def _usable(model: type[_Resource], brand_id: int, ids: Iterable[int | None]) -> dict[int, _Resource]:
    usable = model._default_manager.filter(brand_id=brand_id, archived_at=None, current_revision__isnull=False)
    related = usable.select_related("current_revision__resource").prefetch_related("current_revision__variants")
    return related.in_bulk([pk for pk in ids if pk is not None])


def _by_segment(campaign: Campaign) -> bool:
    return campaign.kind == Campaign.Kind.REALTIME and campaign.trigger_kind != Campaign.Trigger.EVENT


def _selection(segment: Segment | None, campaign: Campaign, now: datetime) -> Selection:
    if segment is None or segment.brand_id != campaign.brand_id:
        return Selection(segment)
    try:
        return Selection(segment, audience_read(segment=segment, brand_id=campaign.brand_id, now=now))
    except UnreadableSegment as error:
        return Selection(segment, problem=str(error))
