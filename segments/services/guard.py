"""What a segment's users must be told before it changes, and why it cannot be deleted under them."""

from django.db import transaction
from django.db.models import ProtectedError

from devices.brands.services.deleting import Numbers, row_delete
from segments.models import Segment
from segments.rules import InvalidRules, parse_rules, rules_json
from segments.selectors.uses import Uses, segment_uses
from segments.services.locks import segments_lock


class CannotDeleteSegment(Exception):
    """Something uses the segment; `uses` has what."""

    def __init__(self, uses: Uses) -> None:
        names = [use.name for use in uses.segments] + [use.name for use in uses.campaigns]
        super().__init__(f"It is used by {', '.join(names)}.")
        self.uses = uses


def change_touches(*, segment: Segment, rules: object) -> Uses | None:
    """Whom other rules would touch; None where they mean what the segment means now, or where nothing uses it."""
    kept = Segment.objects.values_list("rules", flat=True).get(pk=segment.pk)
    try:
        if rules_json(parse_rules(rules)) == kept:
            return None
    except InvalidRules:
        return None  # it will be refused
    uses = segment_uses(segment=segment)
    open_uses = Uses(tuple(use for use in uses.campaigns if not use.archived), uses.segments)
    return open_uses or None


@transaction.atomic
def segment_delete(*, segment: Segment, agreed: Numbers | None = None) -> Numbers:
    """Delete a segment that nothing uses, a list after a change of it that is just being written; return what went.

    Raises CannotDeleteSegment, and NumbersChanged where more or less would go than was agreed to.
    """
    segments_lock(brand_id=segment.brand_id)
    Segment.objects.select_for_update().filter(pk=segment.pk).first()
    uses = segment_uses(segment=segment).holding
    if uses:
        raise CannotDeleteSegment(uses)
    try:
        return row_delete(row=segment, agreed=agreed)
    except ProtectedError as error:  # a campaign took it a moment ago
        raise CannotDeleteSegment(segment_uses(segment=segment).holding) from error
