"""Who a campaign's draft would let in, as rules that stand alone; and whether what was published still says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.models import Campaign
from segments.models import Segment
from segments.references import inlined
from segments.rules import InvalidRules, Rules, read_published, rules_json, segments_of
from segments.selectors.checking import context_checked
from segments.selectors.segments import segment_rules


class UnreadableSegment(Exception):
    """The segment cannot be used as it is; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The segment's rules with those of every segment that they name in them; imported lists stay references.

    `behind`: the rules of each segment whose rules these are, itself included. `lists`: the imported lists, which are
    read when somebody may enter.
    """

    rules: dict[str, Any]
    behind: Mapping[int, Rules]
    lists: frozenset[int]


def audience_read(*, segment: Segment, brand_id: int, now: datetime) -> Audience:
    """Read who is in the segment, as rules that stand alone; raises UnreadableSegment."""
    try:
        rules = segment_rules(segment=segment)
        context = context_checked(rules=rules, brand_id=brand_id, now=now)
        alone = inlined(rules, context.segments)
    except InvalidRules as error:
        raise UnreadableSegment(f"{segment}: {error.problems[0].message}") from error
    itself = {segment.pk: rules} if segment.kind == Segment.Kind.DYNAMIC else {}
    return Audience(rules_json(alone), {**context.segments, **itself}, frozenset(segments_of(alone)))


def audience_rules(*, campaign: Campaign, now: datetime) -> dict[str, Any] | None:
    """The draft's audience as a version keeps it, null for everybody; raises UnreadableSegment."""
    if campaign.segment is None:
        return None
    return audience_read(segment=campaign.segment, brand_id=campaign.brand_id, now=now).rules


def audience_outdated(*, campaign: Campaign, now: datetime) -> bool:
    """Whether publishing again would change who enters: the segment changed since, or another one was chosen."""
    running = (Campaign.State.ACTIVE, Campaign.State.PAUSED)
    if campaign.state not in running or campaign.current_version is None:
        return False
    published = campaign.current_version.entry["rules"]
    try:
        wanted = audience_rules(campaign=campaign, now=now)
    except UnreadableSegment:
        return False  # what keeps it from being published is said already
    try:
        return (None if published is None else rules_json(read_published(published))) != wanted
    except InvalidRules:
        return True
