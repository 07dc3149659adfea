"""The review page of a campaign, and its fingerprint, which *Activate* compares."""

from datetime import datetime
from typing import Any

from campaigns.activities import registry
from campaigns.admin.audience_words import asked_words, audience_words
from campaigns.drafts.fingerprint import review_token
from campaigns.drafts.reading import Draft, draft_read
from campaigns.drafts.warnings import draft_warnings
from campaigns.journey.lengths import length
from campaigns.models import Campaign
from campaigns.services.publish import draft_problems
from segments.rules import EVERYONE, InvalidRules
from segments.selectors import segment_rules
from segments.selectors.checking import context_checked
from segments.selectors.counting import Count, audience_count


def review_context(*, campaign: Campaign, now: datetime) -> dict[str, Any]:
    """Describe what would run. The draft is read once, and the fingerprint is of just that reading."""
    draft = draft_read(campaign=campaign, now=now)
    by_segment = campaign.kind == Campaign.Kind.REALTIME and campaign.trigger_kind != Campaign.Trigger.EVENT
    # Those who will enter or leave a segment cannot be counted before they do.
    audience = None if by_segment else _audience_now(campaign, now)
    numbers = {activity.key: number for number, activity in enumerate(draft.flow.activities, start=1)}
    problems = draft_problems(draft=draft, now=now)
    return {
        "reviewed": review_token(draft=draft, now=now),
        "steps": describe(draft),
        "problems": [{"number": numbers.get(problem.key), "message": problem.message} for problem in problems],
        "warnings": [
            {"number": numbers.get(warning.key), "message": warning.message} for warning in draft_warnings(draft=draft)
        ],
        "interval": length(campaign.entry_interval) if campaign.entry_interval else "",
        "by_segment": by_segment,
        "audience": audience,
        "audience_words": audience_words(count=audience) if audience is not None else "",
        "asked_words": list(asked_words(count=audience, draft=draft)) if audience is not None else [],
        "ran": any(problem.code == "already_ran" for problem in problems),
        "starts_at_once": campaign.scheduled_at is not None and campaign.scheduled_at <= now,
    }


def _audience_now(campaign: Campaign, now: datetime) -> Count | None:
    """Count the audience as it is now, an estimate where counting takes long; None where its rules cannot be read."""
    try:
        rules = segment_rules(segment=campaign.segment) if campaign.segment is not None else EVERYONE
        context = context_checked(rules=rules, brand_id=campaign.brand_id, now=now)
    except InvalidRules:
        return None
    return audience_count(rules=rules, context=context, exact=False)


def describe(draft: Draft) -> list[dict[str, Any]]:
    """Describe the flow as the review shows it: each activity with its content and where its ways lead."""
    numbers = {activity.key: number for number, activity in enumerate(draft.flow.activities, start=1)}
    steps = []
    for activity in draft.flow.activities:
        kind, row, resources = activity.kind, draft.resource(activity), registry.resources_of(activity.kind)
        url, lines = "", []
        if row is not None and resources is not None:
            url, lines = resources.edit_url(row=row), resources.lines(row=row)
        steps.append(
            {
                "number": numbers[activity.key],
                "title": kind.title,
                "sentence": kind.sentence(activity.settings),
                "has_resource": resources is not None,
                "resource": row,
                "url": url,
                "lines": lines,
                "ways": [
                    (label, numbers.get(activity.next[outcome], ""))
                    for outcome, label in kind.branches
                    if outcome in activity.next
                ],
                "others_end": bool(kind.outcomes) and len(activity.next) < len(kind.outcomes),
                "ends": kind.ends,
            }
        )
    return steps
