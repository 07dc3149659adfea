"""The rules of a segment, and how many they select."""

from dataclasses import dataclass
from datetime import datetime

from devices.models import EndUser
from segments.models import Segment
from segments.rules import VERSION, Condition, Rules, parse_rules
from segments.selectors.matching import context_for, segment_queryset


@dataclass(frozen=True)
class SegmentCount:
    """`total` is everybody of the brand."""

    selected: int
    total: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.selected / self.total if self.total else 0.0


def segment_rules(*, segment: Segment) -> Rules:
    """The segment's rules, ready to compile; of an imported one: who is in its list. Raises InvalidRules."""
    if segment.kind == Segment.Kind.IMPORTED:
        return Rules(VERSION, Condition("segment", "in", segment.pk))
    return parse_rules(segment.rules)


def segment_count(*, rules: Rules, brand_id: int, now: datetime) -> SegmentCount:
    """How many end users the rules select, of how many."""
    context = context_for(rules=rules, brand_id=brand_id, now=now)
    return SegmentCount(
        selected=segment_queryset(rules=rules, context=context).count(),
        total=EndUser.objects.filter(brand_id=brand_id).count(),
    )
