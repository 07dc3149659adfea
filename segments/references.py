"""Segments that are named by the rules of other segments: put in their place, and kept free of circles."""

from collections.abc import Mapping

from segments import fields
from segments.operators import Kind
from segments.rules import MAX_INLINED, MAX_INLINED_DEPTH, AllOf, AnyOf, Condition, Not, Rule, Rules, segments_of


class TooLarge(Exception):
    """The rules with those of all segments that they name are too many, or nested too deep."""


def inlined(rules: Rules, segments: Mapping[int, Rules]) -> Rules:
    """The rules with each dynamic segment replaced by its own; imported lists stay as they are. Raises TooLarge."""
    return Rules(rules.version, _Inliner(segments).rule(rules.rule, 1))


class _Inliner:
    def __init__(self, segments: Mapping[int, Rules]) -> None:
        self.segments = segments
        self.count = 0

    def rule(self, rule: Rule, depth: int) -> Rule:
        self.count += 1
        if self.count > MAX_INLINED or depth > MAX_INLINED_DEPTH:
            raise TooLarge
        if isinstance(rule, Not):
            return Not(self.rule(rule.rule, depth + 1))
        if isinstance(rule, AllOf):
            return AllOf(tuple(self.rule(item, depth + 1) for item in rule.rules))
        if isinstance(rule, AnyOf):
            return AnyOf(tuple(self.rule(item, depth + 1) for item in rule.rules))
        return self.condition(rule, depth)

    def condition(self, rule: Condition, depth: int) -> Rule:
        field = fields.get(rule.field)
        if field is None or field.kind is not Kind.SEGMENT or rule.value not in self.segments:
            return rule
        found = self.rule(self.segments[rule.value].rule, depth + 1)
        return Not(found) if rule.operator == "not_in" else found


def leads_to(start: int, rules: Rules, segments: Mapping[int, Rules]) -> list[int]:
    """The way by which these rules of segment `start` come back to it, as ids from it on; empty when they do not."""
    stack = [(key, [key]) for key in sorted(segments_of(rules), reverse=True)]
    seen: set[int] = set()
    while stack:
        key, way = stack.pop()
        if key == start:
            return way
        if key in seen or key not in segments:
            continue
        seen.add(key)
        stack += [(follower, [*way, follower]) for follower in sorted(segments_of(segments[key]), reverse=True)]
    return []
