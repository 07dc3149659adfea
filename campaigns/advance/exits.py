"""Runs that end early take their waiting messages and open popups with them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from devices.delivery.services.dispatches import enrolments_cancel
from smartpush.common.database.statements import column

_EXIT = """
UPDATE campaigns_enrolment SET state = 'exited', exit_reason = %(reason)s, finished_at = %(now)s, wake_at = NULL,
       waiting_for = ''
WHERE id IN (SELECT id FROM campaigns_enrolment WHERE id = ANY(%(ids)s::bigint[]) AND state = 'active'
             ORDER BY id FOR UPDATE)
  AND state = 'active'
RETURNING id
"""


@transaction.atomic
def enrolments_exit(*, ids: Sequence[int], reason: str, now: datetime) -> list[int]:
    """End these enrolments where they are open, cancel what they left waiting, and return the ids of those that ended.

    Messages are cancelled on both sides of the exit: before, in the order in which an answer locks (offer, then
    enrolment); after, because a step may have written some in between.
    """
    if not ids:
        return []
    enrolments_cancel(enrolment_ids=ids, reason=reason, now=now)
    ended = column(_EXIT, {"ids": list(ids), "reason": reason, "now": now})
    enrolments_cancel(enrolment_ids=ended, reason=reason, now=now)
    return ended
