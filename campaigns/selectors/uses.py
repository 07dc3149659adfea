"""Which campaigns use a segment: told to segments, which cannot look up here."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from django.urls import reverse

from campaigns.models import Campaign
from segments.rules import InvalidRules, read_published, segments_of
from segments.selectors.uses import CampaignUse

_STATE = Campaign.State
_RUNNING = (_STATE.ACTIVE, _STATE.PAUSED)


def campaigns_using(brand_id: int, segment_id: int, by_way: Mapping[int, str]) -> Sequence[CampaignUse]:
    """Each use by a campaign of the brand: as draft and as published, as audience and as what lets end users in."""
    rows = Campaign.objects.filter(brand_id=brand_id).select_related("current_version").order_by("name")
    return [use for campaign in rows for use in _uses(campaign, segment_id, by_way)]


def campaigns_counted(brand_id: int) -> Mapping[int, int]:
    """Of each segment how many campaigns use it themselves."""
    found: Counter[int] = Counter()
    for campaign in Campaign.objects.filter(brand_id=brand_id).select_related("current_version"):
        audience, triggers = _named(campaign)
        found.update(key for key in audience | triggers if key is not None)
    return found


def _named(campaign: Campaign) -> tuple[set[int | None], set[int | None]]:
    """The segments of its audience, and those that let end users in."""
    audience, triggers = {campaign.segment_id}, {campaign.trigger_segment_id}
    if campaign.state in _RUNNING and campaign.current_version is not None:
        entry = campaign.current_version.entry
        audience |= {entry.get("segment")} | _lists(entry.get("rules"))
        triggers |= {entry.get("trigger_segment")}
    return audience, triggers


def _uses(campaign: Campaign, segment_id: int, by_way: Mapping[int, str]) -> Iterator[CampaignUse]:
    running = campaign.state in _RUNNING
    audience, triggers = _named(campaign)
    for keys, as_entry in ((audience, False), (triggers, True)):
        ways = sorted(by_way[key] for key in keys if key is not None and key in by_way)
        if ways:  # the segment itself has no way, and comes first
            yield CampaignUse(
                name=campaign.name,
                state=campaign.get_state_display(),
                url=reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
                running=running,
                archived=campaign.state == _STATE.ARCHIVED,
                as_entry=as_entry,
                through=ways[0],
            )


def _lists(rules: object) -> set[int]:
    """Imported lists that a version reads while it runs."""
    if rules is None:
        return set()
    try:
        return segments_of(read_published(rules))
    except InvalidRules:
        return set()
