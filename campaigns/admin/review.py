"""The review page of a campaign, and its fingerprint, which *Activate* compares."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from assets.models import PopupResource, PushResource
from campaigns.admin.audience_words import asked_words, audience_words
from campaigns.admin.forms import split_seconds
from campaigns.journey.parse import Flow
from campaigns.models import Campaign
from campaigns.selectors.drafts import draft_read
from campaigns.selectors.reviewing import review_token
from campaigns.selectors.warnings import draft_warnings
from campaigns.services.publish import draft_problems
from devices.delivery.popup_outcomes import POPUP_OUTCOMES, PopupOutcome
from segments.rules import EVERYONE, InvalidRules
from segments.selectors import segment_rules
from segments.selectors.checking import context_checked
from segments.selectors.counting import Count, audience_count
from smartpush.common.numbers import counted


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
        "steps": describe(draft.flow, draft.pushes, draft.popups),
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


_UNIT_NAMES = {86_400: "day", 3600: "hour", 60: "minute", 1: "second"}


def length(seconds: int) -> str:
    """A length of time in words: `1 day`, `90 seconds`."""
    number, unit = split_seconds(seconds)
    return counted(number=number, one=_UNIT_NAMES[unit])


def _way_words(outcome: str) -> str:
    return PopupOutcome(outcome).label if outcome in POPUP_OUTCOMES else "Then"


def describe(
    flow: Flow, pushes: Mapping[int, PushResource], popups: Mapping[int, PopupResource]
) -> list[dict[str, Any]]:
    """Describe the flow as the review shows it: each activity with its content and where its ways lead."""
    numbers = {activity.key: number for number, activity in enumerate(flow.activities, start=1)}
    steps = []
    for activity in flow.activities:
        push = activity.resource if activity.kind == "push" else None
        popup = activity.resource if activity.kind == "popup" else None
        ways = [
            (_way_words(outcome), f"{numbers[target]}" if target in numbers else "")
            for outcome, target in activity.next.items()
        ]
        steps.append(
            {
                "number": numbers[activity.key],
                "kind": activity.kind,
                "push": pushes.get(push or 0),
                "popup": popups.get(popup or 0),
                "length": length(activity.seconds),
                "target": activity.target_devices,
                "ways": ways,
            }
        )
    return steps
