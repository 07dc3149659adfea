"""Watch a segment: keep who is in it, and record each time that somebody enters or leaves.

The database queues every end user who changes (docs/adr/0008); they are evaluated here within a second. Changes that
come with time alone, or from tables that are not queued, are found by a sweep (services/sweeping.py).
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, connection, transaction

from devices.people.services.changed import (
    changed_end_users_take,
    changes_queue,
    changes_queue_mend,
    changes_queue_no_more,
)
from segments.models import MembershipChange, Segment, SegmentMembership, SegmentWork
from segments.references import TooLarge
from segments.rules import InvalidRules
from segments.selectors.watching import brands_changed, segments_changed_with, segments_watched, watched_of
from segments.services.memberships import (
    MembershipChanges,
    brand_lock,
    brand_lock_try,
    memberships_baseline,
    memberships_evaluate,
)
from segments.services.scheduled_work import work_due

log = structlog.get_logger(__name__)

KEEP = timedelta(days=90)
# People who were being written while the watching began were not queued; this sweep finds them.
_FIRST_SWEEP = timedelta(minutes=1)
_EVALUATE_SECONDS = 5  # for up to `most` end users and one segment; a slower evaluation is left to the sweep
_FORGET_AT_ONCE = 20_000


@transaction.atomic
def watch(*, segment: Segment, now: datetime) -> None:
    """Keep who is in the segment from now on; people who are in it already did not enter. Idempotent.

    Raises InvalidRules, TooLarge.
    """
    brand_lock(brand_id=segment.brand_id)
    held = Segment.objects.select_for_update(no_key=True).get(pk=segment.pk)
    segment.watched = True
    if held.watched:
        return
    changes_queue(brand_id=held.brand_id)
    Segment.objects.filter(pk=held.pk).update(watched=True)
    _baseline(held, now)


@transaction.atomic
def unwatch(*, segment: Segment) -> None:
    """Stop keeping who is in the segment; its membership changes are kept for `KEEP`."""
    brand_lock(brand_id=segment.brand_id)
    Segment.objects.filter(pk=segment.pk).update(watched=False)
    segment.watched = False
    SegmentWork.objects.filter(segment=segment, kind=SegmentWork.Kind.SWEEP).delete()
    SegmentMembership.objects.filter(segment=segment).delete()
    if not Segment.objects.filter(brand_id=segment.brand_id, watched=True).exists():
        changes_queue_no_more(brand_id=segment.brand_id)


@transaction.atomic
def rebaseline(*, segment: Segment, now: datetime) -> None:
    """Take a new baseline of a segment whose rules were edited, and of those that refer to it; nobody enters or leaves.

    Their sizes are computed soon. Call it in the transaction that changes the rules, after they are saved.
    Raises InvalidRules, TooLarge.
    """
    brand_lock(brand_id=segment.brand_id)
    for other in _sized_soon(segment, now):
        if other.watched:
            _baseline(other, now)


def list_changed(*, segment: Segment, now: datetime) -> None:
    """Sweep an imported segment, and those that refer to it, as soon as its list has changed.

    Its size is computed soon, as are those of the segments that name it.
    """
    for other in _sized_soon(segment, now):
        if other.watched:
            work_due(segment_id=other.pk, kind=SegmentWork.Kind.SWEEP, at=now)


def _sized_soon(segment: Segment, now: datetime) -> Sequence[Segment]:
    """The segments whose answer changes with this one's; all of their sizes are due."""
    found = segments_changed_with(segment=segment)
    for other in found:
        work_due(segment_id=other.pk, kind=SegmentWork.Kind.SIZE, at=now)
    return found


def _baseline(segment: Segment, now: datetime) -> None:
    memberships_baseline(watched=watched_of(segment=segment, now=now), now=now)
    work_due(segment_id=segment.pk, kind=SegmentWork.Kind.SWEEP, at=now + _FIRST_SWEEP)


def changed_people_evaluate(*, now: datetime, most: int = 5000) -> int:
    """Evaluate up to `most` changed people of each brand for its watched segments; returns how many were taken.

    They leave the queue in the transaction that writes the result, so that a crash loses none. A brand for which a
    baseline is being taken at this moment waits for the next call.
    """
    return sum(_evaluate_brand(brand_id, now, most) for brand_id in brands_changed())


@transaction.atomic
def _evaluate_brand(brand_id: int, now: datetime, most: int) -> int:
    if not brand_lock_try(brand_id=brand_id):
        return 0
    taken = changed_end_users_take(brand_id=brand_id, most=most)
    people = sorted(set(taken))
    if people:
        for segment in segments_watched(brand_id=brand_id):
            _evaluate_segment(segment, people, now)
    return len(taken)


def _evaluate_segment(segment: Segment, people: Collection[int], now: datetime) -> MembershipChanges:
    """One segment's fault holds up no other: it is logged, and its sweep finds what this did not."""
    try:
        with transaction.atomic():
            watched = watched_of(segment=segment, now=now)
            if not watched.noticed:
                return MembershipChanges()
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_EVALUATE_SECONDS * 1000)])
                found = memberships_evaluate(watched=watched, end_user_ids=people, now=now)
                cursor.execute("SET LOCAL statement_timeout = DEFAULT")
            return found
    except (DatabaseError, InvalidRules, TooLarge, LookupError):
        if not connection.is_usable():
            raise
        log.exception("segment_not_evaluated", segment=segment.pk, people=len(people))
        work_due(segment_id=segment.pk, kind=SegmentWork.Kind.SWEEP, at=now)
        return MembershipChanges()


def watching_forget_old(*, now: datetime) -> int:
    """Delete old membership changes and the rest of segments that are no longer watched; mend `Brand.noticed`.

    Returns how many rows went; at most some ten thousand of each at once.
    """
    rows = 0
    for model, old in (
        (MembershipChange, MembershipChange.objects.filter(at__lt=now - KEEP)),
        (SegmentMembership, SegmentMembership.objects.exclude(segment__in=Segment.objects.filter(watched=True))),
    ):
        ids = list(old.order_by("pk").values_list("pk", flat=True)[:_FORGET_AT_ONCE])
        rows += model._default_manager.filter(pk__in=ids).delete()[0] if ids else 0
    watching = Segment.objects.filter(watched=True).values_list("brand_id", flat=True)
    return rows + changes_queue_mend(watching=watching, most=_FORGET_AT_ONCE)
