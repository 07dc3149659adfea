"""Publishing: what a marketer drafted becomes an immutable version that end users enter."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from assets.models import PopupResource, PopupRevision, PushResource, PushRevision
from assets.services import popup_content, popup_problem, push_content
from campaigns.journey.compile import Step, compile_flow, graph_of
from campaigns.journey.parse import Flow, Problem, parse
from campaigns.journey.validate import validate
from campaigns.models import Campaign, CampaignVersion, Launch
from campaigns.selectors.audiences import UnreadableSegment, audience_rules, segment_alone
from campaigns.services.locks import lock_state
from campaigns.services.schedule import MAX_AHEAD, TOO_FAR
from campaigns.services.versions import version_write
from campaigns.services.watching import watching_follow

_KIND = Campaign.Kind
_STATE = Campaign.State
_Revision = TypeVar("_Revision", PushRevision, PopupRevision)


class CannotPublish(Exception):
    """The campaign has problems; each names the activity it is about ('' for the campaign itself)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = tuple(problems)


def campaign_problems(*, campaign: Campaign, now: datetime) -> list[Problem]:
    """What keeps a campaign from being published: settings, audience, flow."""
    flow = parse(campaign.flow)
    return [
        *_settings(campaign, now),
        *_audience(campaign, now),
        *validate(flow=flow, push_ids=_usable(PushResource, campaign), popup_ids=_usable(PopupResource, campaign)),
        *_popups(flow, campaign),
    ]


@transaction.atomic
def campaign_publish(*, campaign: Campaign, by: AbstractBaseUser | None, now: datetime) -> CampaignVersion:
    """Make the draft the campaign's current version and the campaign active; raises CannotPublish with every problem.

    Those inside an earlier version finish on theirs.
    """
    lock_state(campaign_id=campaign.pk)
    campaign.refresh_from_db()
    problems = campaign_problems(campaign=campaign, now=now)
    if problems:
        raise CannotPublish(problems)
    flow = parse(campaign.flow)
    steps = _timed(compile_flow(flow=flow))
    before = campaign.current_version
    version = version_write(
        campaign=campaign,
        graph=graph_of(flow=flow, steps=steps),
        steps=steps,
        contents=_contents(steps),
        rules=audience_rules(campaign=campaign, now=now),
        by=by,
        now=now,
    )
    watching_follow(before=before, after=version, now=now)
    return version


def _usable(model: type[PushResource] | type[PopupResource], campaign: Campaign) -> set[int]:
    usable = model._default_manager.filter(brand_id=campaign.brand_id, archived_at=None, current_revision__isnull=False)
    return set(usable.values_list("pk", flat=True))


def _settings(campaign: Campaign, now: datetime) -> list[Problem]:
    if campaign.state == _STATE.ARCHIVED:
        return [Problem("", "archived", "This campaign is archived: copy it to use it again.")]
    if campaign.kind == _KIND.REALTIME:
        return _trigger(campaign, now)
    if campaign.scheduled_at is None:
        return [Problem("", "no_time", "Choose when the campaign starts.")]
    if campaign.scheduled_at > now + MAX_AHEAD:
        return [Problem("", "too_far", TOO_FAR)]
    launched = Launch.objects.filter(campaign=campaign, slot=campaign.scheduled_at).exclude(finished_at=None)
    if launched.exists():
        return [Problem("", "already_ran", "The campaign has run at this time: choose another one to run it again.")]
    return []


def _trigger(campaign: Campaign, now: datetime) -> list[Problem]:
    if campaign.trigger_kind == Campaign.Trigger.EVENT:
        if not campaign.trigger_event:
            return [Problem("", "no_trigger", "Choose the event that lets end users in.")]
        return []
    segment = campaign.trigger_segment
    if segment is None:
        return [Problem("", "no_trigger", "Choose the segment that end users enter or leave.")]
    if segment.brand_id != campaign.brand_id:
        return [Problem("", "trigger", "The segment that lets end users in belongs to another brand.")]
    try:
        segment_alone(segment=segment, brand_id=campaign.brand_id, now=now)
    except UnreadableSegment as error:
        return [Problem("", "trigger", f"The segment {error}")]
    return []


def _audience(campaign: Campaign, now: datetime) -> list[Problem]:
    if campaign.segment is None:
        return []
    if campaign.segment.brand_id != campaign.brand_id:
        return [Problem("", "audience", "The audience belongs to another brand.")]
    try:
        audience_rules(campaign=campaign, now=now)
    except UnreadableSegment as error:
        return [Problem("", "audience", f"The audience {error}")]
    return []


def _popups(flow: Flow, campaign: Campaign) -> list[Problem]:
    """Popups that cannot be shown as they are."""
    ids = [activity.resource for activity in flow.activities if activity.kind == "popup"]
    rows = PopupResource.objects.filter(brand_id=campaign.brand_id, current_revision__isnull=False)
    popups = rows.select_related("current_revision__resource").in_bulk([pk for pk in ids if pk is not None])
    said = {pk: popup_problem(_current(popup.current_revision)) for pk, popup in popups.items()}
    return [
        Problem(activity.key, "popup_unusable", text)
        for activity in flow.activities
        if activity.kind == "popup" and (text := said.get(activity.resource or 0))
    ]


def _timed(steps: Sequence[Step]) -> list[Step]:
    """The steps; a popup activity without a time of its own waits as long as its popup says."""
    ids = [step.resource for step in steps if step.kind == "popup" and step.resource is not None]
    popups = PopupResource.objects.select_related("current_revision").in_bulk(ids)
    return [
        replace(step, seconds=_current(popups[step.resource].current_revision).expires_after)
        if step.kind == "popup" and step.resource is not None and not step.seconds
        else step
        for step in steps
    ]


def _contents(steps: Sequence[Step]) -> dict[str, dict[str, Any]]:
    """The content of every push and popup as its current revision has it: what is edited later changes nothing here."""
    ids = {kind: [step.resource for step in steps if step.kind == kind] for kind in ("push", "popup")}
    pushes = PushResource.objects.select_related("current_revision").in_bulk(ids["push"])
    popups = PopupResource.objects.select_related("current_revision").in_bulk(ids["popup"])
    found: dict[str, dict[str, Any]] = {}
    for step in steps:
        if step.kind == "push" and step.resource is not None:
            found[step.key] = push_content(_current(pushes[step.resource].current_revision))
        elif step.kind == "popup" and step.resource is not None:
            content = popup_content(_current(popups[step.resource].current_revision))
            found[step.key] = {**content, "expires_after": step.seconds}
    return found


def _current(revision: _Revision | None) -> _Revision:
    if revision is None:
        raise LookupError("A resource that passed validation has no revision.")
    return revision
