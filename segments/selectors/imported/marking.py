"""How far an imported list is marked *never contact*, and the ids of its files that nobody has."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from devices.models import Delivery, EndUser
from segments.models import ImportLine, ListEntry, Segment, SegmentImport, SegmentWork
from smartpush.common.database import statements

_NEXT = """
SELECT e.end_user_id FROM segments_listentry e JOIN devices_enduser u ON u.id = e.end_user_id AND NOT u.never_contact
WHERE e.segment_id = %s AND e.end_user_id > %s ORDER BY e.end_user_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Marking:
    """`marked` of the `people` in the list are marked; no end user has `unknown` of the ids that it was given.

    `waiting` messages of the others would be cancelled. `last_import` is the id of the last import into the list, or 0.
    """

    people: int
    marked: int
    unknown: int
    waiting: int
    last_import: int
    under_way: bool

    @property
    def left(self) -> int:
        """Number of people in the list who are not marked yet."""
        return self.people - self.marked

    @property
    def todo(self) -> int:
        """Number of people to mark, including those who become known by it."""
        return self.left + self.unknown


def marking(*, segment: Segment) -> Marking:
    """Count a list that is to be, or is being, marked."""
    entries = ListEntry.objects.filter(segment=segment)
    marked = entries.filter(end_user__never_contact=True).count()
    others = entries.filter(end_user__never_contact=False).values("end_user_id")
    return Marking(
        people=entries.count(),
        marked=marked,
        unknown=_unknown(segment).values("external_id").distinct().count(),
        waiting=Delivery.objects.filter(state=Delivery.State.READY, end_user_id__in=others).count(),
        last_import=_done(segment).aggregate(last=Max("pk"))["last"] or 0,
        under_way=SegmentWork.objects.filter(segment=segment, kind=SegmentWork.Kind.MARK).exists(),
    )


def _done(segment: Segment) -> QuerySet[SegmentImport]:
    return SegmentImport.objects.filter(segment=segment, state=SegmentImport.State.DONE)


def _unknown(segment: Segment) -> QuerySet[ImportLine]:
    """Find ids that would be in the list if an end user had them: given since its last replacement, not removed since.

    One import at a time is open for a list, so their ids are in the order in which they took place.
    """
    mode = SegmentImport.Mode
    replaced = _done(segment).filter(mode=mode.REPLACE).aggregate(last=Max("pk"))["last"] or 0
    given = _done(segment).filter(~Q(mode=mode.REMOVE), pk__gte=replaced)
    removals = _done(segment).filter(mode=mode.REMOVE, pk__gt=replaced)
    removed = ImportLine.objects.filter(job__in=removals, job__gt=OuterRef("job"), external_id=OuterRef("external_id"))
    known = EndUser.objects.filter(brand=segment.brand_id, external_id=OuterRef("external_id"))
    return ImportLine.objects.filter(~Exists(known), ~Exists(removed), job__in=given)


def unknown_ids(*, segment: Segment, after: str, limit: int) -> list[str]:
    """Return the next ids of its files that nobody had, in their order, without repetitions."""
    rows = _unknown(segment).filter(external_id__gt=after).order_by("external_id")
    return list(rows.values_list("external_id", flat=True).distinct()[:limit])


def unmarked(*, segment_id: int, after: int, limit: int) -> Sequence[int]:
    """Return the next end users of the list who are not marked, by their ids."""
    return statements.column(_NEXT, [segment_id, after, limit])
