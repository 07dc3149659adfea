"""Publishing: what a marketer drafted becomes an immutable version that end users enter."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from campaigns.activities import registry
from campaigns.drafts.changes import review_changes
from campaigns.drafts.fingerprint import Reviewed
from campaigns.drafts.reading import Draft, draft_read
from campaigns.journey.compile import Step, compile_flow, graph_of
from campaigns.journey.parse import Problem
from campaigns.journey.validate import validate
from campaigns.models import Campaign, CampaignVersion, Launch
from campaigns.services.locks import lock_state
from campaigns.services.schedule import MAX_AHEAD, TOO_FAR
from campaigns.services.versions import version_write
from campaigns.services.watching import watching_follow

_KIND = Campaign.Kind
_STATE = Campaign.State


class CannotPublish(Exception):
    """The campaign has problems; each names the activity it is about ('' for the campaign itself)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


class ReviewOutdated(Exception):
    """What would run is not what was reviewed; `changes` says what is different, a sentence each."""

    def __init__(self, changes: Sequence[str]) -> None:
        super().__init__(" ".join(changes))
        self.changes = tuple(changes)


def campaign_problems(*, campaign: Campaign, now: datetime) -> list[Problem]:
    """What keeps a campaign from being published: settings, audience, flow."""
    return draft_problems(draft=draft_read(campaign=campaign, now=now), now=now)


def draft_problems(*, draft: Draft, now: datetime) -> list[Problem]:
    """What keeps a draft from being published."""
    return [
        *_settings(draft, now),
        *_audience(draft),
        *validate(flow=draft.flow, usable=draft.resources),
        *_resources(draft),
    ]


@transaction.atomic
def campaign_publish(
    *, campaign: Campaign, by: AbstractBaseUser | None, now: datetime, reviewed: Reviewed | None = None
) -> CampaignVersion:
    """Make the draft the campaign's current version and the campaign active; raises CannotPublish with every problem.

    `reviewed` is what somebody has looked at (None: a program publishes). Where the draft, the audience or the content
    is different by now, nothing is published: raises ReviewOutdated. The version is written from the one reading that
    was compared, so what others commit meanwhile is not in it.

    Those inside an earlier version finish on theirs.
    """
    lock_state(campaign_id=campaign.pk)
    # Until the version is written nobody saves the settings and the flow that it is made from.
    Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
    campaign.refresh_from_db()
    draft = draft_read(campaign=campaign, now=now)
    changes = review_changes(draft=draft, reviewed=reviewed, now=now) if reviewed is not None else []
    if changes:
        raise ReviewOutdated(changes)
    problems = draft_problems(draft=draft, now=now)
    if problems:
        raise CannotPublish(problems)
    steps, contents = _with_content(draft)
    before = campaign.current_version
    version = version_write(
        campaign=campaign,
        graph=graph_of(flow=draft.flow, steps=steps),
        steps=steps,
        contents=contents,
        rules=draft.rules,
        by=by,
        now=now,
    )
    watching_follow(before=before, after=version, now=now)
    return version


def _settings(draft: Draft, now: datetime) -> list[Problem]:
    campaign = draft.campaign
    if campaign.state == _STATE.ARCHIVED:
        return [Problem("", "archived", "This campaign is archived: copy it to use it again.")]
    if campaign.kind == _KIND.REALTIME:
        return _trigger(draft)
    if campaign.scheduled_at is None:
        return [Problem("", "no_time", "Choose when the campaign starts.")]
    if campaign.scheduled_at > now + MAX_AHEAD:
        return [Problem("", "too_far", TOO_FAR)]
    launched = Launch.objects.filter(campaign=campaign, slot=campaign.scheduled_at).exclude(finished_at=None)
    if launched.exists():
        return [Problem("", "already_ran", "The campaign has run at this time: choose another one to run it again.")]
    return []


def _trigger(draft: Draft) -> list[Problem]:
    campaign, segment = draft.campaign, draft.trigger.segment
    if campaign.trigger_kind == Campaign.Trigger.EVENT:
        if not campaign.trigger_event:
            return [Problem("", "no_trigger", "Choose the event that lets end users in.")]
        return []
    if segment is None:
        return [Problem("", "no_trigger", "Choose the segment that end users enter or leave.")]
    if segment.brand_id != campaign.brand_id:
        return [Problem("", "trigger", "The segment that lets end users in belongs to another brand.")]
    return [Problem("", "trigger", f"The segment {draft.trigger.problem}")] if draft.trigger.problem else []


def _audience(draft: Draft) -> list[Problem]:
    segment = draft.audience.segment
    if segment is not None and segment.brand_id != draft.campaign.brand_id:
        return [Problem("", "audience", "The audience belongs to another brand.")]
    return [Problem("", "audience", f"The audience {draft.audience.problem}")] if draft.audience.problem else []


def _resources(draft: Draft) -> list[Problem]:
    """Pushes, popups and the like that cannot be used as they are."""
    found = []
    for activity in draft.flow.activities:
        row, resources = draft.resource(activity), registry.resources_of(activity.kind)
        if row is not None and resources is not None and (text := resources.problem(row=row)):
            found.append(Problem(activity.key, "resource_unusable", text))
    return found


def _with_content(draft: Draft) -> tuple[list[Step], dict[str, dict[str, Any]]]:
    """The steps, and by key the content as it was read: what is edited later changes nothing here."""
    steps: list[Step] = []
    contents: dict[str, dict[str, Any]] = {}
    for activity, step in zip(draft.flow.activities, compile_flow(flow=draft.flow), strict=True):
        row, resources = draft.resource(activity), registry.resources_of(activity.kind)
        if row is not None and resources is not None:
            content = draft.contents[activity.kind.name, row.pk]
            step, contents[step.key] = resources.compiled(row=row, step=step, content=content)
        steps.append(step)
    return steps, contents
