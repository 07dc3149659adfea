"""A copy of a segment with rules, to be changed into another one."""

from django.contrib.auth.base_user import AbstractBaseUser

from segments.models import Segment
from segments.services.segments import CannotSaveSegment, segment_save
from smartpush.common.database.free_names import free_name

_LONGEST = 120


def segment_copy(*, segment: Segment, by: AbstractBaseUser | None = None) -> Segment:
    """*Copy of ...*, with the same rules; raises CannotSaveSegment."""
    if segment.kind != Segment.Kind.DYNAMIC:
        raise CannotSaveSegment(fields={"name": ["A list is not copied: export it and import the file."]})
    wanted = f"Copy of {segment.name}"[: _LONGEST - 5]
    name = free_name(rows=Segment.objects.filter(brand_id=segment.brand_id), wanted=wanted)
    return segment_save(brand=segment.brand, name=name, description=segment.description, rules=segment.rules, by=by)
