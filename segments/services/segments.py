"""Saving segments, and the ones that every brand begins with."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction

from devices.models import Brand
from segments.models import Segment
from segments.rules import InvalidRules, parse_rules, rules_json


class CannotSaveSegment(Exception):
    """A refusal; `fields` maps name, description or a path such as rules.rule.all[1].value to what to do."""

    def __init__(self, *, fields: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{path}: {text}" for path, texts in fields.items() for text in texts))
        self.fields = fields


READY_SEGMENTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        "Push enabled",
        "End users whom a push reaches now.",
        {"field": "push_enabled", "operator": "is", "value": True},
    ),
    (
        "To be asked",
        "Push status of the last session is Ask: they can still be asked for permission.",
        {"field": "push_status_last_session", "operator": "is", "value": "ask"},
    ),
    (
        "Blocked",
        "Push status of the last session is Blocked.",
        {"field": "push_status_last_session", "operator": "is", "value": "blocked"},
    ),
    (
        "Suspended",
        "Push status of the last session is Suspended: somebody else logged in on their device.",
        {"field": "push_status_last_session", "operator": "is", "value": "suspended"},
    ),
)


def segment_save(
    *,
    brand: Brand,
    name: str,
    rules: object,
    description: str = "",
    by: AbstractBaseUser | None = None,
    segment: Segment | None = None,
) -> Segment:
    """Create a segment, or change the given one; raises CannotSaveSegment with every fault named."""
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
    try:
        stored = rules_json(parse_rules(rules))
    except InvalidRules as error:
        for problem in error.problems:
            path = f"rules.{problem.path}" if problem.path else "rules"
            faults.setdefault(path, []).append(problem.message)
    if faults:
        raise CannotSaveSegment(fields=faults)
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
    return segment


def segments_make_ready(*, brand: Brand) -> Sequence[Segment]:
    """The segments that a brand begins with; those that exist by name are left as they are."""
    return [
        Segment.objects.get_or_create(
            brand=brand,
            name=name,
            defaults={"description": description, "rules": rules_json(parse_rules({"version": 1, "rule": rule}))},
        )[0]
        for name, description, rule in READY_SEGMENTS
    ]
