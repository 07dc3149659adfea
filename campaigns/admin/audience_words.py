"""Say whom a campaign's review counts now: how many, and who of those at Ask can see the question, and when."""

from collections.abc import Iterator

from campaigns.drafts.reading import Draft
from campaigns.models import Campaign
from segments.selectors.counting import Count
from smartpush.common.numbers import noun


def audience_words(*, count: Count) -> str:
    """Say how many are in the audience now."""
    many = f"{_about(count)}{count.selected:,} of {count.total:,} {noun(number=count.total, one='end user')}"
    if not count.never_contact:
        return f"Now {many}."
    verb = noun(number=count.never_contact, one="is", many="are")
    return f"Now {many}; {count.never_contact:,} of them {verb} marked never contact and will not enter."


def asked_words(*, count: Count, draft: Draft) -> Iterator[str]:
    """Say of those at Ask who can see the question of the flow, and when; nothing where nobody is at Ask."""
    if not count.ask:
        return
    if not _asks(draft):
        visited = f"{_about(count)}{count.ask_visited:,} visited, not asked yet"
        yield f"At Ask: {visited}; {count.never_visited:,} never visited."
        return
    next_time, first_time = _times(draft.campaign)
    if count.ask_visited:
        who = noun(number=count.ask_visited, one="person has", many="people have")
        yield f"{_about(count).capitalize()}{count.ask_visited:,} {who} visited and can see the question {next_time}."
    if count.never_visited:
        who = noun(number=count.never_visited, one="person has", many="people have")
        yield (
            f"{_about(count).capitalize()}{count.never_visited:,} {who} never visited and can see the question"
            f" {first_time}, not before."
        )


def _about(count: Count) -> str:
    return "" if count.exact else "about "


def _asks(draft: Draft) -> bool:
    """Whether a message of the flow asks for permission."""
    return any(content.get("primary", {}).get("kind") == "permission" for content in draft.contents.values())


def _times(campaign: Campaign) -> tuple[str, str]:
    """When those who have visited can see a popup of the campaign, and those who never have."""
    if campaign.kind == Campaign.Kind.SCHEDULED:
        return "at their next visit after the start", "at their first visit after the start"
    if campaign.trigger_event == "session":
        return "at their next visit", "at their first visit"
    if campaign.trigger_event == "login":
        return "when they next log in", "when they log in at their first visit"
    event = f"the event “{campaign.trigger_event}”"
    return f"at their next visit with {event}", f"at their first visit with {event}"
