"""Rules as marketers made them: JSON in, frozen dataclasses out, every fault pointed at by its path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from segments import fields

VERSION = 1
MAX_DEPTH = 20
MAX_RULES = 200


@dataclass(frozen=True)
class Condition:
    field: str
    operator: str
    value: Any


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
    def __init__(self) -> None:
        self.problems: list[RuleProblem] = []
        self.count = 0
        self.full = False

    def refuse(self, path: str, message: str) -> None:
        self.problems.append(RuleProblem(path, message))

    def rule(self, data: object, path: str, depth: int) -> Rule | None:
        if self.full:
            return None
        self.count += 1
        if self.count > MAX_RULES:
            self.full = True
            self.refuse(path, f"There are more than {MAX_RULES} rules and groups.")
            return None
        if depth > MAX_DEPTH:
            self.refuse(path, f"Groups are nested more than {MAX_DEPTH} deep.")
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
        if keys == {"field", "operator", "value"}:
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
        operator = field.operator(data["operator"])
        if operator is None:
            self.refuse(f"{path}.operator", f"Choose how {field.label} is compared.")
            return None
        try:
            value = fields.clean_value(field, operator, data["value"])
        except ValueError as error:
            self.refuse(f"{path}.value", f"{field.label}: {error}")
            return None
        return Condition(field.name, operator.name, value)


def parse_rules(data: object) -> Rules:
    """Validated rules from their JSON; raises InvalidRules with every problem."""
    if not isinstance(data, Mapping):
        raise InvalidRules([RuleProblem("", "The rules are not an object.")])
    if data.get("version") != VERSION or isinstance(data.get("version"), bool):
        raise InvalidRules([RuleProblem("version", f"The version of the rules must be {VERSION}.")])
    if set(data) != {"version", "rule"}:
        raise InvalidRules([RuleProblem("", "The rules hold a version and one rule.")])
    parser = _Parser()
    rule = parser.rule(data["rule"], "rule", 1)
    if parser.problems or rule is None:
        raise InvalidRules(parser.problems)
    return Rules(VERSION, rule)


def rules_json(rules: Rules) -> dict[str, Any]:
    """The stored form of rules; parse_rules reads it back to the same value."""
    return {"version": rules.version, "rule": _json(rules.rule)}


def _json(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, Condition):
        value = list(rule.value) if isinstance(rule.value, tuple) else rule.value
        return {"field": rule.field, "operator": rule.operator, "value": value}
    if isinstance(rule, Not):
        return {"not": _json(rule.rule)}
    return {"all" if isinstance(rule, AllOf) else "any": [_json(item) for item in rule.rules]}
