"""Where a push category is used: by end users, popups, pushes and segments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assets.models import PopupResource, PushResource
from devices.models import PushCategory
from devices.people.selectors.categories import category_subscribers, category_was_chosen
from segments.models import Segment
from smartpush.common.numbers import counted


@dataclass(frozen=True)
class CategoryUses:
    """`fixed`: the marker means something to somebody, or did, and must stay."""

    subscribers: int
    popups: tuple[str, ...]
    pushes: tuple[str, ...]
    segments: tuple[str, ...]
    fixed: bool

    @property
    def sentence(self) -> str:
        """Where it is used, in words."""
        kinds = (("popup", self.popups), ("push", self.pushes), ("segment", self.segments))
        named = [f"the {kind} “{name}”" for kind, names in kinds for name in names]
        people = counted(number=self.subscribers, one="end user has", many="end users have")
        where = f"it is used in {', '.join(named)}" if named else "no popup, push or segment uses it"
        return f"{people} it now; {where}."


def category_uses(*, category: PushCategory) -> CategoryUses:
    """Who has the category and what names it."""
    popups = PopupResource.objects.filter(
        brand_id=category.brand_id, current_revision__categories__contains=[category.marker]
    )
    past = PopupResource.objects.filter(brand_id=category.brand_id, revisions__categories__contains=[category.marker])
    told = PushResource.objects.filter(brand_id=category.brand_id, revisions__category=category.marker)
    current = told.filter(archived_at=None, current_revision__category=category.marker).distinct()
    pushes = tuple(current.order_by("name").values_list("name", flat=True))
    segments = tuple(
        segment.name
        for segment in Segment.objects.filter(brand_id=category.brand_id).order_by("name")
        if _names(segment.rules, category.marker)
    )
    return CategoryUses(
        subscribers=category_subscribers(category=category),
        popups=tuple(popups.filter(archived_at=None).order_by("name").values_list("name", flat=True)),
        pushes=pushes,
        segments=segments,
        fixed=bool(segments or pushes) or past.exists() or told.exists() or category_was_chosen(category=category),
    )


def _names(rule: Any, marker: str) -> bool:
    """Whether a rule, or one inside it, asks about this JS marker or about pushes of the category."""
    if isinstance(rule, Mapping):
        if rule.get("field") == "push":
            given = rule.get("params")
            return isinstance(given, Mapping) and given.get("category") == marker
        if rule.get("field") == "js_markers":
            value = rule.get("value")
            return value == marker or (isinstance(value, list) and marker in value)
        return any(_names(part, marker) for part in rule.values())
    return isinstance(rule, list) and any(_names(part, marker) for part in rule)
