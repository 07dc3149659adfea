"""Writing a version: immutable from then on, and what end users enter."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from campaigns.journey.compile import Step
from campaigns.models import Campaign, CampaignVersion, Launch, VersionStep

_KIND = Campaign.Kind
_STATE = Campaign.State


def version_write(
    *,
    campaign: Campaign,
    graph: Mapping[str, Any],
    steps: Sequence[Step],
    contents: Mapping[str, Mapping[str, Any]],
    rules: Mapping[str, Any] | None,
    by: AbstractBaseUser | None,
    now: datetime,
) -> CampaignVersion:
    """Write the next version with its steps and activate the campaign on it; `contents` is by activity key."""
    last = campaign.versions.order_by("-number").values_list("number", flat=True).first() or 0
    version = CampaignVersion.objects.create(
        campaign=campaign,
        number=last + 1,
        graph=dict(graph),
        entry=_entry(campaign, rules),
        published_by_id=by.pk if by is not None else None,
        published_at=now,
    )
    VersionStep.objects.bulk_create(
        [
            VersionStep(
                version=version,
                key=step.key,
                kind=step.kind,
                seconds=step.seconds,
                # The release before this one reads the column; it goes in 0.5.0.
                target_devices=step.settings.get("target_devices", "all"),
                settings=dict(step.settings),
                next=dict(step.next),
                content=dict(contents.get(step.key, {})),
            )
            for step in steps
        ]
    )
    # A launch that was under way for another time is over: the new version says when the next one is.
    Launch.objects.filter(campaign=campaign, finished_at=None).exclude(slot=campaign.scheduled_at or now).update(
        finished_at=now
    )
    Campaign.objects.filter(pk=campaign.pk).update(current_version=version, state=_STATE.ACTIVE)
    campaign.current_version, campaign.state = version, _STATE.ACTIVE
    return version


def _entry(campaign: Campaign, rules: Mapping[str, Any] | None) -> dict[str, Any]:
    scheduled = campaign.kind == _KIND.SCHEDULED
    by_segment = not scheduled and campaign.trigger_kind != Campaign.Trigger.EVENT
    return {
        "kind": campaign.kind,
        "trigger_event": "" if scheduled or by_segment else campaign.trigger_event,
        "trigger_kind": campaign.trigger_kind if by_segment else "event",
        "trigger_segment": campaign.trigger_segment_id if by_segment else None,
        "scheduled_at": campaign.scheduled_at.isoformat() if scheduled and campaign.scheduled_at else None,
        "segment": campaign.segment_id,
        "rules": None if rules is None else dict(rules),
        "entry_mode": campaign.entry_mode,
        "entry_interval": campaign.entry_interval,
        "purpose": campaign.purpose,
        "lane": "bulk" if scheduled else "urgent",
    }
