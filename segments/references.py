"""What rules name of their brand: other segments, put in their place and kept free of circles; apps, campaigns, ..."""

from collections.abc import Iterator, Mapping

from segments import fields
from segments.arguments import ParamKind
from segments.operators import Kind
from segments.rules import (
    MAX_INLINED,
    MAX_INLINED_DEPTH,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Rule,
    RuleProblem,
    Rules,
    conditions_of,
    segments_of,
)


class TooLarge(Exception):
    """The rules with those of all segments that they name are too many, or nested too deep."""


def rules_problems(rules: Rules, brand_id: int) -> list[RuleProblem]:
    """What the rules name and the brand does not have, each with its path; empty when they may be saved there."""
    return [problem for path, rule in conditions_of(rules) for problem in _foreign(path, rule, brand_id)]


def _foreign(path: str, rule: Condition, brand_id: int) -> Iterator[RuleProblem]:
    field = fields.get(rule.field)
    if field is None:
        return
    message = field.check(brand_id, rule.value, rule.given) if field.check is not None else None
    if message is not None:
        yield RuleProblem(f"{path}.value", f"{field.label}: {message}")
    for param in field.params:
        if param.kind is not ParamKind.REFERENCE or param.brand_choices is None or param.name not in rule.given:
            continue
        if rule.given[param.name] not in {number for number, _ in param.brand_choices(brand_id)}:
            message = "The brand does not have this one (any more): choose another."
            yield RuleProblem(f"{path}.params.{param.name}", f"{field.label}: {message}")


def inlined(rules: Rules, segments: Mapping[int, Rules]) -> Rules:
    """The rules with each dynamic segment replaced by its own; imported lists stay as they are. Raises TooLarge."""
    return Rules(rules.version, inlined_rule(rules.rule, segments))


def inlined_rule(rule: Rule, segments: Mapping[int, Rules]) -> Rule:
    """The same of one rule; circles are too large."""
    return _Inliner(segments).rule(rule, 1)


class _Inliner:
    def __init__(self, segments: Mapping[int, Rules]) -> None:
        self.segments = segments
        self.count = 0

    def rule(self, rule: Rule, depth: int) -> Rule:
        self.count += 1
        if self.count > MAX_INLINED or depth > MAX_INLINED_DEPTH:
            raise TooLarge("With the rules of the segments that they name, the rules are too many.")
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
