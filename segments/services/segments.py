"""Saving segments."""

from contextlib import suppress
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction

from devices.models import Brand
from segments.models import Segment
from segments.references import TooLarge, inlined, leads_to
from segments.rules import InvalidRules, RuleProblem, Rules, parse_rules, rules_json
from segments.selectors.checking import context_checked
from segments.services.locks import segments_lock
from segments.services.memberships import brand_lock
from segments.services.sizes import size_soon
from segments.services.watching import rebaseline
from smartpush.common.time.clock import utc_now


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

    Where it is watched, or a watched one names it, other rules let nobody in or out: who is in is taken anew. Its size
    is computed soon, and with other rules also that of those that name it.

    Of an imported one the name and description change: it has a list, and `rules` says nothing. Rules that are as they
    were are not looked at again, so that a segment can be renamed whatever became of what it names.
    """
    segments_lock(brand_id=brand.pk)
    name, description = name.strip(), description.strip()
    faults = naming_faults(name=name, description=description)
    if segment is not None and segment.brand_id != brand.pk:
        faults["brand"] = ["The segment belongs to another brand."]
    stored: dict[str, Any] = {}
    if segment is not None and segment.kind == Segment.Kind.IMPORTED:
        stored = segment.rules
    else:
        try:
            stored = rules_check(rules=rules, brand=brand, segment=segment)
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
    segment_write(segment=segment)
    if changed:
        rebaseline(segment=segment, now=utc_now())
    else:
        size_soon(segment_id=segment.pk, now=utc_now())
    return segment


def naming_faults(*, name: str, description: str) -> dict[str, list[str]]:
    """What is wrong with them, as CannotSaveSegment says it; empty where nothing is."""
    faults: dict[str, list[str]] = {}
    if not name:
        faults["name"] = ["Give the segment a name."]
    elif len(name) > 120:
        faults["name"] = ["The name has 120 characters at most."]
    if len(description) > 300:
        faults["description"] = ["The description has 300 characters at most."]
    for field, text in (("name", name), ("description", description)):
        if "\x00" in text:
            faults[field] = ["It holds a character that cannot be stored."]
    return faults


def segment_write(*, segment: Segment) -> None:
    """Write what staff says of it; raises CannotSaveSegment where the name is taken.

    Of one that is there nothing else is written: whether it is watched, its size and the like may have changed since
    the segment was read.
    """
    said = ["name", "description", "updated_at"]
    if segment.kind == Segment.Kind.DYNAMIC:
        said.append("rules")
    try:
        with transaction.atomic():
            segment.save(update_fields=said if segment.pk else None)
    except IntegrityError as error:
        if "segments_segment_name" not in str(error):
            raise
        raise CannotSaveSegment(fields={"name": ["The brand has a segment of this name."]}) from error


def rules_check(*, rules: object, brand: Brand, segment: Segment | None) -> dict[str, Any]:
    """The stored form of rules that this segment (None: a new one) may have; raises InvalidRules with every fault."""
    parsed = parse_rules(rules)
    if segment is not None:
        stored = rules_json(parsed)
        if stored == _kept(segment):
            return stored
        _refuse_with_others(parsed, brand, segment)
    context_checked(rules=parsed, brand_id=brand.pk, now=utc_now())
    return rules_json(parsed)


def _kept(segment: Segment) -> dict[str, Any]:
    """The rules as they are in the database: those of `segment` may be what somebody has typed."""
    return dict(Segment.objects.values_list("rules", flat=True).get(pk=segment.pk))


def _refuse_with_others(rules: Rules, brand: Brand, segment: Segment) -> None:
    """A circle, or segments that name this one and would have too many rules with it."""
    dynamic = Segment.objects.filter(brand=brand, kind=Segment.Kind.DYNAMIC).exclude(pk=segment.pk)
    names = dict(dynamic.values_list("pk", "name")) | {segment.pk: segment.name}
    known = {segment.pk: rules}
    for key, stored in dynamic.values_list("pk", "rules"):
        with suppress(InvalidRules):  # one that cannot be read is said to be so, where it is named
            known[key] = parse_rules(stored)
    way = leads_to(segment.pk, rules, known)
    if way:
        words = " -> ".join(names[key] for key in [segment.pk, *way])
        message = f"The segments lead round in a circle: {words}. Take one of the steps out."
        raise InvalidRules([RuleProblem("", message)])
    for key, other in known.items():
        if key == segment.pk or not leads_to(segment.pk, other, known):
            continue
        try:
            inlined(other, known)
        except TooLarge as error:
            message = f"{names[key]} names this segment and would have too many rules with these: use fewer."
            raise InvalidRules([RuleProblem("", message)]) from error
