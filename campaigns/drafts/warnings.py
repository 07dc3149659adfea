"""Warnings about a draft that may run and most likely goes wrong: names that the brand's data does not know."""

from collections.abc import Iterator

from campaigns.activities import registry
from campaigns.drafts.reading import Draft, Selection
from campaigns.journey.parse import Problem
from campaigns.models import Campaign
from segments.rules import read_published
from segments.selectors.names.known_names import KnownNames


def draft_warnings(*, draft: Draft) -> list[Problem]:
    """Each warning once, with the key of its activity (empty for the campaign itself); nothing is refused for them."""
    known = KnownNames(brand=draft.campaign.brand)
    return list(dict.fromkeys([*_entry(draft, known), *_activities(draft, known)]))


def trigger_warning(*, campaign: Campaign, known: KnownNames | None = None) -> str:
    """Say that the campaign's event has never happened; empty where it has, or where no event begins the campaign."""
    if not _event_of(campaign):
        return ""
    return (known or KnownNames(brand=campaign.brand)).event_warning(campaign.trigger_event)


def _event_of(campaign: Campaign) -> str | None:
    """The event that lets people in, empty while it is not chosen; None where something else does."""
    by_event = campaign.kind == Campaign.Kind.REALTIME and campaign.trigger_kind == Campaign.Trigger.EVENT
    return campaign.trigger_event if by_event else None


def _entry(draft: Draft, known: KnownNames) -> Iterator[Problem]:
    message = trigger_warning(campaign=draft.campaign, known=known)
    if message:
        yield Problem("", "unknown_event", message)
    for selection in (draft.audience, draft.trigger):
        yield from _rules(selection, known)


def _rules(selection: Selection, known: KnownNames) -> Iterator[Problem]:
    if selection.audience is None:
        return
    for warning in known.rule_warnings(read_published(selection.audience.rules)):
        yield Problem("", "unknown_name", f"Segment “{selection.segment}”: {warning.message}")


def _activities(draft: Draft, known: KnownNames) -> Iterator[Problem]:
    event = _event_of(draft.campaign)
    for activity in draft.flow.activities:
        row, resources = draft.resource(activity), registry.resources_of(activity.kind)
        if row is not None and resources is not None:
            for message in resources.warnings(row=row, known=known, event=event):
                yield Problem(activity.key, "unknown_name", message)
