"""The one typed registry of what a segment can ask about an end user; apps above register theirs in `ready()`.

A field says what its values are (its kind, and so its operators), which arguments it takes besides, and how a
condition on it is built. The parser, the compiler, the builder and the documents all read it from here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from segments.arguments import Param
from segments.conditions import Context, Node, Predicate, Related, Rows
from segments.operators import OPERATORS, Kind, Operator, Subject, operator_of
from segments.sql import Sql, fill


class Reads(StrEnum):
    """What a condition depends on: whose change can let somebody in or out."""

    PROFILE = "profile"  # the end user's own row
    DEVICES = "devices"  # their devices and push statuses
    EVENTS = "events"
    OTHER = "other"  # deliveries, campaigns, lists: not noticed as they change
    CLOCK = "clock"  # time alone


@dataclass(frozen=True)
class Asked:
    """One condition to be built: a positive operator with its cleaned value and arguments."""

    operator: Operator
    value: Any
    given: Mapping[str, Any]
    context: Context

    def holds(self, expression: Sql, zone: Sql | None = None) -> Sql:
        """The operator applied to an expression; `zone`: the time zone of the row's end user, where it is not u's."""
        assert self.operator.means is not None
        subject = Subject(expression, self.context) if zone is None else Subject(expression, self.context, zone)
        return self.operator.means(subject, self.value)


Build = Callable[[Asked], Node]


@dataclass(frozen=True)
class Suggestion:
    """A value to pick; `count`: how many of those looked at have it; `type` of a property."""

    value: str
    label: str
    count: int | None = None
    type: str = ""


@dataclass(frozen=True)
class Variant:
    """A field with some of its arguments set, as the builder lists it: one for each custom property."""

    given: Mapping[str, Any]
    label: str


# (brand_id, argument or "value", the arguments given so far, what was typed) -> values to pick
Suggest = Callable[[int, str, Mapping[str, str], str], Sequence[Suggestion]]


@dataclass(frozen=True)
class Field:
    """`kind` may depend on the arguments; `check` refuses values that the brand does not have, with a sentence."""

    name: str
    label: str
    kind: Kind | Callable[[Mapping[str, Any]], Kind]
    build: Build
    reads: frozenset[Reads]
    choices: tuple[tuple[str, str], ...] = ()
    group: str = "Core"
    help: str = ""
    words: str = ""  # what people type who look for it by another name
    params: tuple[Param, ...] = ()
    only: tuple[str, ...] = ()  # the operators that it has, where not all of its kind
    variants: Callable[[int], Sequence[Variant]] | None = None
    suggest: Suggest | None = None
    found_by: str = ""  # the argument (or "value") whose own values the field picker finds too
    check: Callable[[int, Any, Mapping[str, Any]], str | None] | None = None
    value_choices: Callable[[int], Sequence[tuple[str, str]]] | None = None

    def kind_of(self, given: Mapping[str, Any]) -> Kind:
        """What its values are, under these arguments."""
        return self.kind if isinstance(self.kind, Kind) else self.kind(given)

    def operators(self, given: Mapping[str, Any]) -> tuple[Operator, ...]:
        """What may be asked of it."""
        found = OPERATORS[self.kind_of(given)]
        return tuple(item for item in found if item.name in self.only) if self.only else found

    def operator(self, name: object, given: Mapping[str, Any]) -> Operator | None:
        """The operator of this name, if the field has it."""
        found = operator_of(self.kind_of(given), name)
        return found if found is not None and (not self.only or found.name in self.only) else None


_fields: dict[str, Field] = {}


def register(field: Field) -> None:
    """Add a field; a name can be taken once."""
    if field.name in _fields:
        raise ValueError(f"There is a segment field named {field.name} already.")
    _fields[field.name] = field


def get(name: object) -> Field | None:
    """The field of this name."""
    return _fields.get(name) if isinstance(name, str) else None


def all_fields() -> Sequence[Field]:
    """Every registered field, in order of registration."""
    return list(_fields.values())


def column(expression: str) -> Build:
    """A condition on a value of the end user's own row, `u`."""
    return lambda asked: Predicate(asked.holds(Sql(expression)))


def any_row(rows: Callable[[Asked], Sequence[Rows]], expression: str) -> Build:
    """A condition that some row of another table meets."""

    def build(asked: Asked) -> Node:
        met = asked.holds(Sql(expression))
        return Related(tuple(Rows(item.source, item.key, fill("{} AND ({})", item.where, met)) for item in rows(asked)))

    return build


def counted(rows: Callable[[Asked], Rows]) -> Build:
    """A condition on how many rows speak of the end user; one row is enough for at least one."""

    def build(asked: Asked) -> Node:
        found = rows(asked)
        if asked.operator.name == "happened" or (asked.operator.name == "at_least" and asked.value == 1):
            return Related((found,))
        return Related((Rows(found.source, found.key, found.where, asked.holds(Sql("count(*)"))),))

    return build
