"""Imported segments themselves: made, renamed, deleted. Their lists come in by segments.services.imports."""

from collections.abc import Sequence

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from devices.brands.services.deleting import row_delete
from devices.models import Brand
from segments.models import ListEntry, Segment
from segments.services.segments import CannotSaveSegment, naming_faults, segment_write
from segments.services.sizes import size_soon
from smartpush.common.time.clock import utc_now


@transaction.atomic
def list_save(
    *,
    brand: Brand,
    name: str,
    description: str = "",
    by: AbstractBaseUser | None = None,
    segment: Segment | None = None,
) -> Segment:
    """Make an empty imported segment, or rename the given one; raises CannotSaveSegment with every fault named."""
    name, description = name.strip(), description.strip()
    faults = naming_faults(name=name, description=description)
    if segment is not None and (segment.brand_id != brand.pk or segment.kind != Segment.Kind.IMPORTED):
        faults["name"] = ["That is no imported segment of this brand."]
    if faults:
        raise CannotSaveSegment(fields=faults)
    if segment is None:
        segment = Segment(brand=brand, kind=Segment.Kind.IMPORTED, created_by_id=by.pk if by is not None else None)
    segment.name, segment.description = name, description
    segment_write(segment=segment)
    size_soon(segment_id=segment.pk, now=utc_now())
    return segment


def list_delete(*, segment: Segment) -> None:
    """Delete an imported segment with its list and its imports, after a change of it that is just being written."""
    row_delete(row=segment)


def list_extend(*, segment: Segment, end_user_ids: Sequence[int]) -> None:
    """Add end users to an imported segment; those who are in it stay."""
    entries = [ListEntry(segment=segment, end_user_id=person) for person in end_user_ids]
    ListEntry.objects.bulk_create(entries, ignore_conflicts=True)
