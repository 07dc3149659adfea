"""Rules as marketers made them: JSON in, frozen dataclasses out, every fault pointed at by its path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from segments import fields
from segments.arguments import Period, PropertyTest
from segments.fields import Field, Reads
from segments.operators import Kind, clean_value, dump_value, operator_of
from segments.values import BadValue

VERSION = 1
MAX_DEPTH = 20
MAX_RULES = 200
# With the rules of the segments that they name, in their place.
MAX_INLINED = 2000
MAX_INLINED_DEPTH = 100


@dataclass(frozen=True)
class Condition:
    """One question; `params` are the field's arguments, cleaned, in the field's order."""

    field: str
    operator: str
    value: Any
    params: tuple[tuple[str, Any], ...] = ()

    @cached_property
    def given(self) -> Mapping[str, Any]:
        """The arguments by name."""
        return dict(self.params)


@dataclass(frozen=True)
class AllOf:
    rules: "tuple[Rule, ...]"


@dataclass(frozen=True)
class AnyOf:
    rules: "tuple[Rule, ...]"


@dataclass(frozen=True)
class Not:
    rule: "Rule"


Rule = Condition | AllOf | AnyOf | Not


@dataclass(frozen=True)
class Rules:
    version: int
    rule: Rule


@dataclass(frozen=True)
class RuleProblem:
    """`path` names the offending place, such as rule.all[1].value; empty for the whole."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidRules(Exception):
    """Rules that cannot be saved; `problems` has every fault."""

    def __init__(self, problems: list[RuleProblem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


EVERYONE = Rules(VERSION, AllOf(()))


class _Parser:
    def __init__(self, most: int, deepest: int) -> None:
        self.most = most
        self.deepest = deepest
        self.problems: list[RuleProblem] = []
        self.count = 0
        self.full = False

    def refuse(self, path: str, message: str) -> None:
        self.problems.append(RuleProblem(path, message))

    def rule(self, data: object, path: str, depth: int) -> Rule | None:
        if self.full:
            return None
        self.count += 1
        if self.count > self.most:
            self.full = True
            self.refuse(path, f"There are more than {self.most} rules and groups.")
            return None
        if depth > self.deepest:
            self.refuse(path, f"Groups are nested more than {self.deepest} deep.")
            return None
        if not isinstance(data, Mapping):
            self.refuse(path, "This is not a rule.")
            return None
        keys = set(data)
        if keys == {"all"} or keys == {"any"}:
            return self.group(data, "all" if "all" in data else "any", path, depth)
        if keys == {"not"}:
            inner = self.rule(data["not"], f"{path}.not", depth + 1)
            return Not(inner) if inner is not None else None
        if {"field", "operator"} <= keys <= {"field", "operator", "value", "params"}:
            return self.condition(data, path)
        self.refuse(path, "A rule is a condition (field, operator, value) or a group: all, any or not.")
        return None

    def group(self, data: Mapping[str, Any], kind: str, path: str, depth: int) -> Rule | None:
        items = data[kind]
        if not isinstance(items, list):
            self.refuse(f"{path}.{kind}", "A group holds a list of rules.")
            return None
        if not items and (kind == "any" or depth > 1):
            self.refuse(path, "This group is empty: add a rule or remove the group.")
            return None
        found = [self.rule(item, f"{path}.{kind}[{n}]", depth + 1) for n, item in enumerate(items)]
        rules = tuple(rule for rule in found if rule is not None)
        return AllOf(rules) if kind == "all" else AnyOf(rules)

    def condition(self, data: Mapping[str, Any], path: str) -> Rule | None:
        field = fields.get(data["field"])
        if field is None:
            self.refuse(f"{path}.field", "Choose what the rule is about.")
            return None
        given = self.params(field, data.get("params", {}), f"{path}.params")
        if given is None:
            return None
        operator = field.operator(data["operator"], given)
        if operator is None:
            self.refuse(f"{path}.operator", f"Choose how {field.label} is compared.")
            return None
        try:
            value = clean_value(field.kind_of(given), operator, data.get("value"), dict(field.choices))
        except BadValue as error:
            self.refuse(f"{path}.value{error.path}", f"{field.label}: {error.message}")
            return None
        return Condition(field.name, operator.name, value, tuple(given.items()))

    def params(self, field: Field, data: object, path: str) -> dict[str, Any] | None:
        if not isinstance(data, Mapping) or not set(data) <= {param.name for param in field.params}:
            self.refuse(path, f"{field.label}: these are not its arguments.")
            return None
        given: dict[str, Any] = {}
        known = len(self.problems)
        for param in field.params:
            value = data.get(param.name)
            if value is None or value == []:
                if param.required:
                    self.refuse(f"{path}.{param.name}", f"{field.label}: say {param.label.lower()}.")
                continue
            try:
                given[param.name] = param.clean(value)
            except BadValue as error:
                self.refuse(f"{path}.{param.name}{error.path}", f"{field.label}: {error.message}")
        return given if len(self.problems) == known else None


def parse_rules(data: object, *, most: int = MAX_RULES, deepest: int = MAX_DEPTH) -> Rules:
    """Validated rules from their JSON; raises InvalidRules with every problem.

    Rules that a published version keeps have those of other segments in them and may be larger: read_published.
    """
    if not isinstance(data, Mapping):
        raise InvalidRules([RuleProblem("", "The rules are not an object.")])
    if data.get("version") != VERSION or isinstance(data.get("version"), bool):
        raise InvalidRules([RuleProblem("version", f"The version of the rules must be {VERSION}.")])
    if set(data) != {"version", "rule"}:
        raise InvalidRules([RuleProblem("", "The rules hold a version and one rule.")])
    parser = _Parser(most, deepest)
    rule = parser.rule(data["rule"], "rule", 1)
    if parser.problems or rule is None:
        raise InvalidRules(parser.problems)
    return Rules(VERSION, rule)


def read_published(data: object) -> Rules:
    """The audience that a published version keeps."""
    return parse_rules(data, most=MAX_INLINED, deepest=MAX_INLINED_DEPTH)


def rules_json(rules: Rules) -> dict[str, Any]:
    """The stored form of rules; parse_rules reads it back to the same value."""
    return {"version": rules.version, "rule": _json(rules.rule)}


def _json(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, Condition):
        field = fields.get(rule.field)
        dumps = {param.name: param.dump for param in field.params} if field is not None else {}
        params = {name: dumps[name](value) for name, value in rule.params}
        found = {"field": rule.field, "operator": rule.operator, "value": dump_value(rule.value)}
        return {**found, "params": params} if params else found
    if isinstance(rule, Not):
        return {"not": _json(rule.rule)}
    return {"all" if isinstance(rule, AllOf) else "any": [_json(item) for item in rule.rules]}


def parts_of(rules: Rules) -> Iterator[tuple[str, Rule]]:
    """(path, rule) of the whole and of each group and condition in it, outer ones first."""
    stack: list[tuple[str, Rule]] = [("rule", rules.rule)]
    while stack:
        path, rule = stack.pop()
        yield path, rule
        if isinstance(rule, Not):
            stack.append((f"{path}.not", rule.rule))
        elif isinstance(rule, AllOf | AnyOf):
            kind = "all" if isinstance(rule, AllOf) else "any"
            stack += [(f"{path}.{kind}[{n}]", item) for n, item in reversed(list(enumerate(rule.rules)))]


def conditions_of(rules: Rules) -> Iterator[tuple[str, Condition]]:
    """(path, condition) of each condition."""
    return ((path, rule) for path, rule in parts_of(rules) if isinstance(rule, Condition))


def segments_of(rules: Rules) -> set[int]:
    """The segments that the rules name themselves."""
    return {
        rule.value
        for _, rule in conditions_of(rules)
        if (field := fields.get(rule.field)) is not None and field.kind is Kind.SEGMENT
    }


def reads_of(rules: Rules) -> frozenset[Reads]:
    """What the answer depends on; of the segments that are named only that they are."""
    found: set[Reads] = set()
    for _, rule in conditions_of(rules):
        field = fields.get(rule.field)
        if field is None:
            continue
        found |= field.reads
        operator = field.operator(rule.operator, rule.given)
        tests = rule.given.get("where", ())
        periods = (value for value in rule.given.values() if isinstance(value, Period))
        if (
            (operator is not None and operator.drifts)
            or any(_drifts(period.moment.operator) for period in periods)
            or any(isinstance(test, PropertyTest) and test.type == "date" and _drifts(test.operator) for test in tests)
        ):
            found.add(Reads.CLOCK)
    return frozenset(found)


def _drifts(name: str) -> bool:
    operator = operator_of(Kind.DATE, name)
    return operator is not None and operator.drifts
