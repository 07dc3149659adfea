"""Changing what a campaign does: pause, resume, disable, archive, and delete a draft."""

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction

from campaigns.models import Campaign, Launch
from campaigns.services.locks import lock_state
from campaigns.services.watching import watching_follow
from devices.brands.services.deleting import CannotDelete, Numbers, row_delete
from devices.delivery.services.dispatches import dispatches_stop

_STATE = Campaign.State


class CannotChangeState(Exception):
    """The campaign is not in a state from which this is possible; the message says so."""


@transaction.atomic
def campaign_pause(*, campaign: Campaign, now: datetime) -> None:
    """No new entries, a launch under way halts; those inside go on."""
    _change(campaign, _STATE.PAUSED, allowed={_STATE.ACTIVE}, verb="paused")


@transaction.atomic
def campaign_resume(*, campaign: Campaign, now: datetime) -> None:
    """Entries again; a launch goes on where it halted, and one whose time passed meanwhile begins now."""
    _change(campaign, _STATE.ACTIVE, allowed={_STATE.PAUSED}, verb="resumed")


@transaction.atomic
def campaign_disable(*, campaign: Campaign, now: datetime) -> int:
    """Stop: nobody enters, those inside leave, what waits is cancelled; returns how many left."""
    running = {_STATE.ACTIVE, _STATE.PAUSED, _STATE.EXECUTED}
    _change(campaign, _STATE.DISABLED, allowed=running, verb="disabled")
    return _stop(campaign, reason="campaign_disabled", now=now)


@transaction.atomic
def campaign_archive(*, campaign: Campaign, now: datetime) -> int:
    """Stop and put away; returns how many left. A draft that never ran cannot be archived: delete it."""
    running = {_STATE.ACTIVE, _STATE.PAUSED, _STATE.EXECUTED, _STATE.DISABLED}
    _change(campaign, _STATE.ARCHIVED, allowed=running, verb="archived")
    return _stop(campaign, reason="campaign_archived", now=now)


@transaction.atomic
def campaign_delete(*, campaign: Campaign, agreed: Numbers | None = None) -> Numbers:
    """Delete a draft that never ran; raises CannotDelete where it has run meanwhile."""
    lock_state(campaign_id=campaign.pk)
    campaign.refresh_from_db(fields=["state", "current_version"])
    if campaign.state != _STATE.DRAFT or campaign.current_version_id is not None:
        raise CannotDelete("People may have been in this campaign: archive it instead.")
    return row_delete(row=campaign, agreed=agreed)


def _change(campaign: Campaign, state: str, *, allowed: Collection[str], verb: str) -> None:
    lock_state(campaign_id=campaign.pk)
    campaign.refresh_from_db(fields=["state"])
    if campaign.state not in allowed:
        raise CannotChangeState(f"A campaign that is {campaign.get_state_display().lower()} cannot be {verb}.")
    Campaign.objects.filter(pk=campaign.pk).update(state=state)
    campaign.state = state


_EXIT_ALL = """
UPDATE campaigns_enrolment SET state = 'exited', exit_reason = %(reason)s, finished_at = %(now)s, wake_at = NULL,
       waiting_for = ''
WHERE campaign_id = %(campaign)s AND state = 'active'
"""


def _stop(campaign: Campaign, *, reason: str, now: datetime) -> int:
    # Messages are stopped before the enrolments, in the order in which an answer locks (offer, then enrolment), and
    # once more after them, for what a step wrote in between.
    dispatches_stop(campaign_ref=campaign.pk, reason=reason, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_EXIT_ALL, {"reason": reason, "now": now, "campaign": campaign.pk})
        ended = cursor.rowcount
    dispatches_stop(campaign_ref=campaign.pk, reason=reason, now=now)
    Launch.objects.filter(campaign=campaign, finished_at=None).update(finished_at=now)
    watching_follow(before=campaign.current_version, after=None, now=now)
    return int(ended)
