"""A segment is watched while a running campaign waits for somebody to enter or leave it."""

from datetime import datetime

from campaigns.models import Campaign, CampaignVersion
from segments.models import Segment
from segments.services.memberships import brand_lock
from segments.services.watching import unwatch, watch

_RUNNING = (Campaign.State.ACTIVE, Campaign.State.PAUSED)


def watching_follow(*, before: CampaignVersion | None, after: CampaignVersion | None, now: datetime) -> None:
    """Watch what the version `after` waits for, and no longer what `before` waited for unless another campaign does.

    Run it in the transaction that changed the campaign's version or state, after that.
    """
    wanted = _waits_for(after)
    if wanted is not None:
        watch(segment=wanted, now=now)
    left = _waits_for(before)
    if left is None or left == wanted:
        return
    brand_lock(brand_id=left.brand_id)  # a campaign that is being published meanwhile is seen, or watches it again
    others = Campaign.objects.filter(
        brand_id=left.brand_id, state__in=_RUNNING, current_version__entry__trigger_segment=left.pk
    )
    if not others.exists():
        unwatch(segment=left)


def _waits_for(version: CampaignVersion | None) -> Segment | None:
    key = version.entry.get("trigger_segment") if version is not None else None
    return Segment.objects.filter(pk=key).first() if key is not None else None
