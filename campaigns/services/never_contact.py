"""People who must never be contacted leave every campaign at once."""

import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.db import transaction

from campaigns.advance import enrolments_exit
from campaigns.models import Enrolment
from devices.lifecycle.never_contact import REASON, By, never_contact_set
from devices.lifecycle.users import users_insert
from devices.models import EndUser
from segments.models import Segment
from segments.selectors.imported.marking import unknown_ids, unmarked
from segments.services.lists import list_extend
from smartpush.common.database.deadlocks import transaction_again

SLICE = 1000  # people a transaction
SECONDS = 60.0  # of one piece of work; the rest comes round again


@transaction.atomic
def people_never_contact(*, brand_id: int, end_user_ids: Sequence[int], on: bool, by: By, now: datetime) -> list[int]:
    """Mark these end users *never contact*, or take the mark away; return the ids of those who were not so before.

    Setting it also ends their journeys, with what these left waiting. A lifted mark brings nothing back.
    """
    changed = never_contact_set(brand_id=brand_id, end_user_ids=end_user_ids, on=on, by=by, now=now)
    if on:
        journeys_end(end_user_ids=changed, now=now)
    return changed


def journeys_end(*, end_user_ids: Sequence[int], now: datetime) -> None:
    """End the open journeys of these end users because nobody may contact them."""
    if end_user_ids:
        theirs = Enrolment.objects.filter(end_user_id__in=end_user_ids, state=Enrolment.State.ACTIVE)
        enrolments_exit(ids=list(theirs.order_by("pk").values_list("pk", flat=True)), reason=REASON, now=now)


def list_mark(segment_id: int, now: datetime) -> datetime | None:
    """Mark everybody in an imported list, and the ids of its files that nobody has yet, slice by slice.

    Such an id becomes an end user of the list, so that the mark holds when they come. Work that comes round
    (segments.services.scheduled_work): returns `now` while there is more to do, and None when all is done.
    """
    segment = Segment.objects.filter(pk=segment_id, kind=Segment.Kind.IMPORTED).first()
    until = time.monotonic() + SECONDS
    if segment is None:
        return None
    name = ""
    while ids := unknown_ids(segment=segment, after=name, limit=SLICE):
        transaction_again(partial(_become_known, segment, ids))
        name = ids[-1]
        if time.monotonic() > until:
            return now
    person = 0
    while people := unmarked(segment_id=segment_id, after=person, limit=SLICE):
        transaction_again(partial(_mark, segment.brand_id, people, now))
        person = people[-1]
        if time.monotonic() > until:
            return now
    return None


def _become_known(segment: Segment, external_ids: Sequence[str]) -> None:
    users_insert(brand_id=segment.brand_id, external_ids=external_ids)
    theirs = EndUser.objects.filter(brand_id=segment.brand_id, external_id__in=external_ids)
    list_extend(segment=segment, end_user_ids=list(theirs.order_by("pk").values_list("pk", flat=True)))


def _mark(brand_id: int, end_user_ids: Sequence[int], now: datetime) -> None:
    people_never_contact(brand_id=brand_id, end_user_ids=end_user_ids, on=True, by="staff", now=now)
