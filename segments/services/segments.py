"""Saving segments."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction

from devices.models import Brand
from segments.models import Segment
from segments.references import leads_to
from segments.rules import InvalidRules, RuleProblem, Rules, parse_rules, rules_json
from segments.selectors.checking import context_checked
from segments.selectors.matching import context_for
from segments.services.locks import segments_lock
from segments.services.presences import brand_lock
from segments.services.watching import rebaseline
from smartpush.common.clock import utc_now


class CannotSaveSegment(Exception):
    """A refusal; `fields` maps name, description or a path such as rules.rule.all[1].value to what to do."""

    def __init__(self, *, fields: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{path}: {text}" for path, texts in fields.items() for text in texts))
        self.fields = fields


@transaction.atomic
def segment_save(
    *,
    brand: Brand,
    name: str,
    rules: object,
    description: str = "",
    by: AbstractBaseUser | None = None,
    segment: Segment | None = None,
) -> Segment:
    """Create a segment, or change the given one; raises CannotSaveSegment with every fault named.

    Where it is watched, or a watched one names it, other rules let nobody in or out: who is in is taken anew.

    Of an imported one the name and description change: it has a list, and `rules` says nothing. Rules that are as they
    were are not looked at again, so that a segment can be renamed whatever became of what it names.
    """
    segments_lock(brand_id=brand.pk)
    name, description = name.strip(), description.strip()
    faults: dict[str, list[str]] = {}
    if not name:
        faults["name"] = ["Give the segment a name."]
    elif len(name) > 120:
        faults["name"] = ["The name has 120 characters at most."]
    if len(description) > 300:
        faults["description"] = ["The description has 300 characters at most."]
    if segment is not None and segment.brand_id != brand.pk:
        faults["brand"] = ["The segment belongs to another brand."]
    stored: dict[str, Any] = {}
    if segment is not None and segment.kind == Segment.Kind.IMPORTED:
        stored = segment.rules
    else:
        try:
            stored = _checked(rules, brand, segment)
        except InvalidRules as error:
            for problem in error.problems:
                path = f"rules.{problem.path}" if problem.path else "rules"
                faults.setdefault(path, []).append(problem.message)
    if faults:
        raise CannotSaveSegment(fields=faults)
    changed = segment is not None and stored != _kept(segment)
    if changed:
        brand_lock(brand_id=brand.pk)  # before the row: whoever begins to watch takes them in this order
    if segment is None:
        segment = Segment(brand=brand, created_by_id=by.pk if by is not None else None)
    segment.name, segment.description, segment.rules = name, description, stored
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        if "segments_segment_name" not in str(error):
            raise
        raise CannotSaveSegment(fields={"name": ["The brand has a segment of this name."]}) from error
    if changed:
        rebaseline(segment=segment, now=utc_now())
    return segment


def _checked(rules: object, brand: Brand, segment: Segment | None) -> dict[str, Any]:
    if segment is not None:
        kept = _kept(segment)
        if rules_json(parse_rules(rules)) == kept:
            return kept
    parsed = parse_rules(rules)
    if segment is not None:
        _refuse_circles(parsed, brand, segment)
    context_checked(rules=parsed, brand_id=brand.pk, now=utc_now())
    return rules_json(parsed)


def _kept(segment: Segment) -> dict[str, Any]:
    """The rules as they are in the database: those of `segment` may be what somebody has typed."""
    return dict(Segment.objects.values_list("rules", flat=True).get(pk=segment.pk))


def _refuse_circles(rules: Rules, brand: Brand, segment: Segment) -> None:
    try:
        context = context_for(rules=rules, brand_id=brand.pk, now=utc_now())
    except InvalidRules:
        return  # a segment that is named cannot be read: it is said as such
    way = leads_to(segment.pk, rules, context.segments)
    if way:
        names = Segment.objects.in_bulk(way)
        words = " -> ".join(names[key].name for key in [segment.pk, *way])
        raise InvalidRules(
            [RuleProblem("", f"The segments lead round in a circle: {words}. Take one of the steps out.")]
        )
