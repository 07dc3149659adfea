"""What a field takes besides operator and value: the event's name, within which time, which properties it had."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from segments.conditions import Context
from segments.operators import Kind, clean_text, clean_value, dump_value, operator_of
from segments.sql import Sql
from segments.values import BadValue
from segments.windows import Moment, within

MAX_WHERE = 20
MAX_NAME = 64
PROPERTY_KINDS: Mapping[str, Kind] = {
    "text": Kind.TEXT,
    "number": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
}


class ParamKind(StrEnum):
    NAME = "name"
    TYPE = "type"
    CHOICE = "choice"
    REFERENCE = "reference"
    PERIOD = "period"
    WHERE = "where"


@dataclass(frozen=True)
class Period:
    """Within which time: one of the date operators."""

    moment: Moment

    def holds(self, expression: Sql, context: Context, zone: Sql) -> Sql:
        """Whether the instant lies in it."""
        return within(expression, self.moment, context, zone)


@dataclass(frozen=True)
class PropertyTest:
    """One condition on a property of an event."""

    name: str
    type: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Param:
    """One argument; `choices` of a CHOICE are fixed, those of a REFERENCE are the brand's own (by number)."""

    name: str
    label: str
    kind: ParamKind
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    brand_choices: Callable[[int], Sequence[tuple[int, str]]] | None = None
    help: str = ""

    def clean(self, value: object) -> Any:
        """The argument in its frozen form; raises BadValue with the place at fault."""
        match self.kind:
            case ParamKind.NAME:
                return clean_text(value, MAX_NAME)
            case ParamKind.TYPE:
                if not isinstance(value, str) or value not in PROPERTY_KINDS:
                    raise BadValue("Say whether it is text, a number, true or false, or a date.")
                return value
            case ParamKind.CHOICE:
                if not isinstance(value, str) or value not in dict(self.choices):
                    raise BadValue("Choose one of the choices.")
                return value
            case ParamKind.REFERENCE:
                if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
                    raise BadValue("Choose one.")
                return value
            case ParamKind.PERIOD:
                return _period(value)
        return _where(value)

    def dump(self, value: Any) -> Any:
        """The JSON form of a cleaned argument."""
        if isinstance(value, Period):
            return {"operator": value.moment.operator, "value": value.moment.as_json()}
        if self.kind is not ParamKind.WHERE:
            return value
        return [
            {"name": test.name, "type": test.type, "operator": test.operator, "value": dump_value(test.value)}
            for test in value
        ]


def _period(value: object) -> Period:
    if not isinstance(value, Mapping) or set(value) != {"operator", "value"}:
        raise BadValue("Say within which time.")
    operator = operator_of(Kind.DATE, value["operator"])
    if operator is None or operator.complement_of or operator.name == "is_set":
        raise BadValue("Choose how the time is given.", ".operator")
    try:
        return Period(clean_value(Kind.DATE, operator, value["value"], {}))
    except BadValue as error:
        raise BadValue(error.message, f".value{error.path}") from None


def _where(value: object) -> tuple[PropertyTest, ...]:
    if not isinstance(value, list):
        raise BadValue("Give a list of conditions on properties.")
    if len(value) > MAX_WHERE:
        raise BadValue(f"Give {MAX_WHERE} conditions on properties at most.")
    return tuple(_test(item, f"[{number}]") for number, item in enumerate(value))


def _test(item: object, path: str) -> PropertyTest:
    wanted = {"name", "type", "operator"}
    if not isinstance(item, Mapping) or not wanted <= set(item) <= {*wanted, "value"}:
        raise BadValue("A condition on a property has name, type, operator and value.", path)
    place = ".name"
    try:
        name = clean_text(item["name"], MAX_NAME)
        place = ".type"
        if not isinstance(item["type"], str) or item["type"] not in PROPERTY_KINDS:
            raise BadValue("Say whether it is text, a number, true or false, or a date.")
        kind = PROPERTY_KINDS[item["type"]]
        place = ".operator"
        operator = operator_of(kind, item["operator"])
        if operator is None:
            raise BadValue("Choose how the property is compared.")
        place = ".value"
        return PropertyTest(name, item["type"], operator.name, clean_value(kind, operator, item.get("value"), {}))
    except BadValue as error:
        raise BadValue(error.message, f"{path}{place}{error.path}") from None
