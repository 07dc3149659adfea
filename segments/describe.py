"""Rules in words, for lists and for those who only read."""

from collections.abc import Mapping
from typing import Any

from segments import fields, windows
from segments.arguments import PROPERTY_KINDS, Param, ParamKind, Period, PropertyTest
from segments.fields import Field
from segments.operators import Kind, Operator, Shape, operator_of
from segments.rules import AllOf, Condition, Not, Rule, Rules
from segments.windows import Moment
from smartpush.common.language.languages import language_label
from smartpush.common.numbers import counted

# What brands call what rules name by number: (argument's name, or "segment"; number) -> name.
Names = Mapping[tuple[str, int], str]


def describe(rules: Rules, names: Names | None = None) -> str:
    """One sentence without a full stop, such as "JS markers has NEWS and Language is en"."""
    if isinstance(rules.rule, AllOf) and not rules.rule.rules:
        return "Everybody"
    return _Words(names or {}).rule(rules.rule, outer=True)


class _LanguageNames(dict[str, str]):
    """Tags of languages and their names."""

    def get(self, tag: str, default: Any = None) -> Any:
        return language_label(tag)


class _Words:
    def __init__(self, names: Names) -> None:
        self.names = names

    def rule(self, rule: Rule, *, outer: bool = False) -> str:
        if isinstance(rule, Condition):
            return self.condition(rule)
        if isinstance(rule, Not):
            return f"not ({self.rule(rule.rule, outer=True)})"
        text = (" and " if isinstance(rule, AllOf) else " or ").join(self.rule(item) for item in rule.rules)
        return text if outer or len(rule.rules) == 1 else f"({text})"

    def condition(self, rule: Condition) -> str:
        field = fields.get(rule.field)
        if field is None:
            return rule.field
        operator = field.operator(rule.operator, rule.given)
        if operator is None:
            return field.label
        more = [self.argument(param, rule.given[param.name]) for param in field.params if param.name in rule.given]
        return " ".join(
            word for word in (_subject(field, rule.given), self.question(field, operator, rule), *more) if word
        )

    def question(self, field: Field, operator: Operator, rule: Condition) -> str:
        kind = field.kind_of(rule.given)
        if kind is Kind.SEGMENT:
            return f"{operator.label} {self.named('segment', rule.value)}"
        if kind is Kind.COUNT and operator.shape is Shape.COUNT:
            return f"{operator.label} {counted(number=rule.value, one='time')}"
        if kind is Kind.LANGUAGE:
            return _asked(operator, rule.value, _LanguageNames())
        return _asked(operator, rule.value, dict(field.choices))

    def argument(self, param: Param, value: Any) -> str:
        match param.kind:
            case ParamKind.PERIOD if isinstance(value, Period):
                operator = operator_of(Kind.DATE, value.moment.operator)
                return _moment(operator, value.moment) if operator is not None else ""
            case ParamKind.WHERE:
                return "with " + " and ".join(_test(test) for test in value)
            case ParamKind.REFERENCE:
                return f"{_preposition(param)} {self.named(param.name, value)}"
            case ParamKind.NAME | ParamKind.CHOICE if not param.required:
                return f"{_preposition(param)} {dict(param.choices).get(value, value)}"
        return ""

    def named(self, what: str, number: int) -> str:
        return self.names.get((what, number), f"number {number}")


def _subject(field: Field, given: Mapping[str, Any]) -> str:
    """What is asked about: an event or a property by its name, else the field with what it needs besides."""
    needed = [param for param in field.params if param.required and param.kind is not ParamKind.TYPE]
    words = [str(dict(param.choices).get(given[param.name], given[param.name])) for param in needed]
    if field.name in ("event", "property"):
        return " ".join(words)
    return " ".join([field.label, *words])


def _preposition(param: Param) -> str:
    return param.label.lower().replace("which ", "")


def _asked(operator: Operator, value: Any, labels: Mapping[str, str]) -> str:
    if operator.shape is Shape.FLAG:
        return f"{operator.label} {'true' if value else 'false'}"
    if isinstance(value, Moment):
        return _moment(operator, value)
    if value is None:
        return operator.label
    if operator.shape is Shape.RANGE:
        return f"{operator.label} {_plain(value[0])} and {_plain(value[1])}"
    values = value if isinstance(value, tuple) else (value,)
    return f"{operator.label} {', '.join(labels.get(item) or _plain(item) for item in values)}"


def _plain(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _moment(operator: Operator, value: Moment) -> str:
    zone = f" ({windows.ZONES[value.zone]})" if value.zone != "brand" else ""
    if value.last is not None:
        return f"{operator.label} {value.first} and {value.last}{zone}"
    if value.first is not None:
        return f"{operator.label} {value.first}{zone}"
    if not value.count:
        return f"{operator.label} {value.unit}{zone}"
    length = counted(number=value.count, one=value.unit, many=windows.UNITS[value.unit])
    if operator.name == "before_the_last":
        return f"more than {length} ago{zone}"
    return f"{operator.label} {length}{zone}"


def _test(test: PropertyTest) -> str:
    operator = operator_of(PROPERTY_KINDS[test.type], test.operator)
    return f"{test.name} {_asked(operator, test.value, {})}" if operator is not None else test.name
