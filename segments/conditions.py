"""What a condition becomes before it is SQL: a predicate on the end user, or rows elsewhere that speak of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from segments.sql import Sql

if TYPE_CHECKING:
    from segments.rules import Rules


@dataclass(frozen=True)
class Context:
    """What rules are compiled for.

    `time_zone` is the brand's. `segments` has the rules of each dynamic segment that is referred to, whatever the
    depth; a segment that is not in it is an imported list.
    """

    brand_id: int
    now: datetime
    time_zone: str = "UTC"
    segments: "Mapping[int, Rules]" = field(default_factory=dict)


@dataclass(frozen=True)
class Predicate:
    """A boolean over `devices_enduser u`; null counts as false."""

    sql: Sql


@dataclass(frozen=True)
class Rows:
    """Rows whose `key` names an end user of the brand.

    With `having` the rows of one end user are taken together; it is only asked of those who have a row.
    """

    source: Sql
    key: str
    where: Sql
    having: Sql | None = None


@dataclass(frozen=True)
class Related:
    """True of an end user who is in any of these sets."""

    rows: tuple[Rows, ...]


@dataclass(frozen=True)
class Opposite:
    """True where the condition is not."""

    condition: "Predicate | Related"


@dataclass(frozen=True)
class Group:
    """All of the parts, or any of them; without parts everybody, or nobody."""

    every: bool
    parts: "tuple[Node, ...]"


Node = Predicate | Related | Opposite | Group


def group(every: bool, parts: Iterable[Node]) -> Node:
    """All of the parts or any of them, without groups that say nothing: a group of one, or one in another of its kind.

    What is left becomes joins, and each group too many a join of all end users with themselves.
    """
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, Group) and part.every is every else [part]
    return flat[0] if len(flat) == 1 else Group(every, tuple(flat))


def opposite(node: Node) -> Node:
    """The node negated, with the negation moved down to the conditions: none of them is ever null."""
    if isinstance(node, Group):
        return Group(every=not node.every, parts=tuple(opposite(part) for part in node.parts))
    return node.condition if isinstance(node, Opposite) else Opposite(node)
