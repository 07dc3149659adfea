"""The rules of a segment."""

from segments.models import Segment
from segments.rules import VERSION, Condition, Rules, parse_rules


def segment_rules(*, segment: Segment) -> Rules:
    """The segment's rules, ready to compile; of an imported one: who is in its list. Raises InvalidRules."""
    if segment.kind == Segment.Kind.IMPORTED:
        return Rules(VERSION, Condition("segment", "in", segment.pk))
    return parse_rules(segment.rules)
