"""What can be asked of a value of each kind. A new operator is one entry in OPERATORS.

An operator says how its value is checked (its shape) and what it means in SQL; one that is the opposite of another
names it, and is compiled as its complement: an end user without a value is not equal to anything.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from segments import windows
from segments.conditions import Context
from segments.sql import Sql, fill
from segments.values import BadValue
from smartpush.common.language.languages import wanted_range

MAX_VALUES = 100
MAX_MARKER = 64
MAX_TEXT = 255
MAX_NUMBER = 10**15
MAX_COUNT = 1_000_000


class Kind(StrEnum):
    """What a field's values are."""

    CHOICE = "choice"
    BOOLEAN = "boolean"
    MARKERS = "markers"
    LANGUAGE = "language"
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    COUNT = "count"
    VERSION = "version"
    SEGMENT = "segment"


class Shape(StrEnum):
    """What an operator takes, and so how it is written."""

    ONE = "one"
    MANY = "many"
    NONE = "none"
    NUMBER = "number"
    COUNT = "count"
    RANGE = "range"
    FLAG = "flag"
    PERIOD_BACK = "period_back"
    PERIOD_CURRENT = "period_current"
    DAY = "day"
    DAYS = "days"
    SEGMENT = "segment"


@dataclass(frozen=True)
class Subject:
    """What an operator is applied to: an expression over the row, and the row's own time zone ('' when unknown).

    `stored`: a date that is text in JSON, the expression its jsonb.
    """

    expression: Sql
    context: Context
    zone: Sql = field(default_factory=lambda: Sql("u.time_zone"))
    stored: bool = False


Meaning = Callable[[Subject, Any], Sql]


@dataclass(frozen=True)
class Operator:
    """`means` gives a boolean over the subject (null counts as false); `drifts`: its truth changes with the clock."""

    name: str
    label: str
    shape: Shape = Shape.ONE
    means: Meaning | None = None
    complement_of: str = ""
    drifts: bool = False

    @property
    def many(self) -> bool:
        """Whether it takes a list of values."""
        return self.shape is Shape.MANY


def _compare(sign: str) -> Meaning:
    return lambda subject, value: fill(f"{{}} {sign} {{}}", subject.expression, value)


def _any_of(subject: Subject, value: Any) -> Sql:
    return fill("{} = ANY({})", subject.expression, list(value))


def _is_set(subject: Subject, value: Any) -> Sql:
    return fill("{} IS NOT NULL", subject.expression)


def _between(subject: Subject, value: Any) -> Sql:
    return fill("{} BETWEEN {} AND {}", subject.expression, _exactly(value[0]), _exactly(value[1]))


def _exactly(value: int | float) -> Decimal:
    """As it was written: 0.1 is a tenth."""
    return Decimal(str(value))


def _number_compare(sign: str) -> Meaning:
    return lambda subject, value: fill(f"{{}} {sign} {{}}", subject.expression, _exactly(value))


def _in_window(subject: Subject, value: windows.Moment) -> Sql:
    read = windows.stored_within if subject.stored else windows.within
    return read(subject.expression, value, subject.context, subject.zone)


def _date_known(subject: Subject, value: Any) -> Sql:
    return windows.stored_known(subject.expression) if subject.stored else _is_set(subject, value)


# The numbers that a version begins with. Whatever else stands in the column is no version; a zero at the end says
# nothing. Digits are listed, since a class of them knows those of other scripts, which no cast reads.
_VERSION_OF = (
    "string_to_array(regexp_replace(substring({} from '^ *[vV]?([0-9]+(?:[.][0-9]+)*)'), '([.]0+)+$', ''), '.')"
    "::numeric[]"
)


def _version_compare(sign: str) -> Meaning:
    def means(subject: Subject, value: str) -> Sql:
        wanted = [int(part) for part in value.split(".")]
        while len(wanted) > 1 and wanted[-1] == 0:
            wanted.pop()
        return fill(f"{{}} {sign} {{}}::numeric[]", fill(_VERSION_OF, subject.expression), wanted)

    return means


def _version_known(subject: Subject, value: Any) -> Sql:
    return fill("{} IS NOT NULL", fill(_VERSION_OF, subject.expression))


_EQUAL = (
    Operator("is", "is", means=_compare("=")),
    Operator("is_not", "is not", complement_of="is"),
    Operator("is_any_of", "is any of", Shape.MANY, _any_of),
    Operator("is_none_of", "is none of", Shape.MANY, complement_of="is_any_of"),
)
_KNOWN = (
    Operator("is_set", "is known", Shape.NONE, _is_set),
    Operator("is_not_set", "is not known", Shape.NONE, complement_of="is_set"),
)


def _language_is(subject: Subject, value: str) -> Sql:
    """Match the beginning of a column of canonical tags: `en` is also en-GB, `zh-TW` is zh-Hant-TW."""
    begins = wanted_range(value)
    tags = subject.expression
    return fill("({} = {} OR starts_with({}, {}))", tags, begins, tags, f"{begins}-")


def _language_any(subject: Subject, value: tuple[str, ...]) -> Sql:
    parts = [_language_is(subject, one) for one in value]
    return Sql(" OR ".join(part.text for part in parts), tuple(p for part in parts for p in part.params))


OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    Kind.CHOICE: (*_EQUAL, *_KNOWN),
    Kind.BOOLEAN: (Operator("is", "=", Shape.FLAG, _compare("=")), *_KNOWN),
    Kind.MARKERS: (
        Operator("has", "has", means=lambda subject, value: fill("{} @> {}::varchar[]", subject.expression, [value])),
        Operator("has_not", "does not have", complement_of="has"),
        Operator(
            "has_any",
            "has any of",
            Shape.MANY,
            lambda subject, value: fill("{} && {}::varchar[]", subject.expression, list(value)),
        ),
        Operator(
            "has_all",
            "has all of",
            Shape.MANY,
            lambda subject, value: fill("{} @> {}::varchar[]", subject.expression, list(value)),
        ),
        Operator("has_none", "has none of", Shape.MANY, complement_of="has_any"),
    ),
    Kind.LANGUAGE: (
        Operator("is", "is", means=_language_is),
        Operator("is_not", "is not", complement_of="is"),
        Operator("is_any_of", "is any of", Shape.MANY, _language_any),
        Operator("is_none_of", "is none of", Shape.MANY, complement_of="is_any_of"),
        Operator("is_set", "is known", Shape.NONE, lambda subject, value: fill("{} <> ''", subject.expression)),
        Operator("is_not_set", "is not known", Shape.NONE, complement_of="is_set"),
    ),
    Kind.TEXT: (
        *_EQUAL,
        Operator(
            "contains",
            "contains",
            means=lambda subject, value: fill("strpos({}, {}) > 0", subject.expression, value),
        ),
        Operator("not_contains", "does not contain", complement_of="contains"),
        Operator(
            "starts_with",
            "begins with",
            means=lambda subject, value: fill("starts_with({}, {})", subject.expression, value),
        ),
        Operator(
            "ends_with",
            "ends with",
            means=lambda subject, value: fill("right({}, {}) = {}", subject.expression, len(value), value),
        ),
        *_KNOWN,
    ),
    Kind.NUMBER: (
        Operator("is", "is", Shape.NUMBER, _number_compare("=")),
        Operator("is_not", "is not", Shape.NUMBER, complement_of="is"),
        Operator("more_than", "is more than", Shape.NUMBER, _number_compare(">")),
        Operator("at_least", "is at least", Shape.NUMBER, _number_compare(">=")),
        Operator("less_than", "is less than", Shape.NUMBER, _number_compare("<")),
        Operator("at_most", "is at most", Shape.NUMBER, _number_compare("<=")),
        Operator("between", "is between", Shape.RANGE, _between),
        *_KNOWN,
    ),
    Kind.DATE: (
        Operator("in_the_last", "in the last", Shape.PERIOD_BACK, _in_window, drifts=True),
        Operator("not_in_the_last", "not in the last", Shape.PERIOD_BACK, complement_of="in_the_last", drifts=True),
        Operator("before_the_last", "more than this long ago", Shape.PERIOD_BACK, _in_window, drifts=True),
        Operator("in_the_next", "in the next", Shape.PERIOD_BACK, _in_window, drifts=True),
        Operator("in_current", "in the current", Shape.PERIOD_CURRENT, _in_window, drifts=True),
        Operator("on", "on", Shape.DAY, _in_window),
        Operator("before", "before", Shape.DAY, _in_window),
        Operator("after", "after", Shape.DAY, _in_window),
        Operator("between_days", "between", Shape.DAYS, _in_window),
        Operator("is_set", "is known", Shape.NONE, _date_known),
        Operator("is_not_set", "is not known", Shape.NONE, complement_of="is_set"),
    ),
    # Of those who have at least one: "never" and "at most" are opposites, so that those who have none are in them.
    Kind.COUNT: (
        Operator("at_least", "at least", Shape.COUNT, _compare(">=")),
        Operator("less_than", "fewer than", Shape.COUNT, complement_of="at_least"),
        Operator("more_than", "more than", Shape.COUNT, _compare(">")),
        Operator("at_most", "at most", Shape.COUNT, complement_of="more_than"),
        Operator("happened", "happened", Shape.NONE, lambda subject, value: fill("{} >= 1", subject.expression)),
        Operator("never", "did not happen", Shape.NONE, complement_of="happened"),
    ),
    Kind.VERSION: (
        Operator("is", "is", means=_version_compare("=")),
        Operator("is_not", "is not", complement_of="is"),
        Operator("at_least", "is at least", means=_version_compare(">=")),
        Operator("more_than", "is above", means=_version_compare(">")),
        Operator("at_most", "is at most", means=_version_compare("<=")),
        Operator("less_than", "is below", means=_version_compare("<")),
        Operator("is_set", "is known", Shape.NONE, _version_known),
        Operator("is_not_set", "is not known", Shape.NONE, complement_of="is_set"),
    ),
    Kind.SEGMENT: (
        Operator("in", "is in", Shape.SEGMENT),
        Operator("not_in", "is not in", Shape.SEGMENT, complement_of="in"),
    ),
}

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}\Z")
_VERSION = re.compile(r"\d{1,9}(\.\d{1,9}){0,5}\Z", re.ASCII)


def operator_of(kind: Kind, name: object) -> Operator | None:
    """The operator of this name, if values of the kind have it."""
    return next((item for item in OPERATORS[kind] if item.name == name), None)


def clean_value(kind: Kind, operator: Operator, value: object, choices: Mapping[str, str]) -> Any:
    """The value in its frozen form; raises BadValue with what to do instead."""
    match operator.shape:
        case Shape.NONE:
            if value is not None:
                raise BadValue("Leave the value out.")
            return None
        case Shape.MANY:
            if not isinstance(value, list | tuple) or not value:
                raise BadValue("Give at least one value.")
            if len(value) > MAX_VALUES:
                raise BadValue(f"Give {MAX_VALUES} values at most.")
            return tuple(dict.fromkeys(_one(kind, item, choices) for item in value))
        case Shape.ONE:
            return _one(kind, value, choices)
        case Shape.FLAG:
            if not isinstance(value, bool):
                raise BadValue("Choose true or false.")
            return value
        case Shape.NUMBER:
            return _number(value)
        case Shape.COUNT:
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_COUNT:
                raise BadValue(f"Give a whole number from 1 to {MAX_COUNT:,}.")
            return value
        case Shape.RANGE:
            if not isinstance(value, list | tuple) or len(value) != 2:
                raise BadValue("Give the least and the greatest value.")
            low, high = _number(value[0]), _number(value[1])
            if low > high:
                raise BadValue("The first value must not be above the second.")
            return low, high
        case Shape.SEGMENT:
            if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
                raise BadValue("Choose a segment.")
            return value
    return windows.clean(operator.complement_of or operator.name, value)


def dump_value(value: Any) -> Any:
    """The JSON form of a cleaned value; clean_value reads it back to the same."""
    if isinstance(value, tuple):
        return list(value)
    return value.as_json() if isinstance(value, windows.Moment) else value


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        raise BadValue("Give a number.")
    return value


def clean_text(value: object, most: int = MAX_TEXT) -> str:
    """Text that the database can hold, as written; raises BadValue."""
    if not isinstance(value, str) or not value.strip():
        raise BadValue("Give a value.")
    if len(value) > most:
        raise BadValue(f"Give {most} characters at most.")
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise BadValue("The value has characters that cannot be stored.")
    return value


def _one(kind: Kind, value: object, choices: Mapping[str, str]) -> str:
    text = clean_text(value)
    if kind is Kind.TEXT:
        return text
    text = text.strip()
    if kind is Kind.CHOICE:
        if choices and text not in choices:
            raise BadValue(f"{text} is not one of the choices.")
        return text
    if kind is Kind.LANGUAGE:
        if not _LANGUAGE.match(text):
            raise BadValue(f"{text} is not a language such as en or pt-BR.")
        return text.lower()
    if kind is Kind.VERSION:
        if not _VERSION.match(text):
            raise BadValue(f"{text} is not a version such as 2.10.1.")
        return text
    text = text.upper()
    if len(text) > MAX_MARKER:
        raise BadValue(f"A marker has {MAX_MARKER} characters at most.")
    return text
