"""Pieces of SQL with their values beside them; a value never stands in the text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_PLACE = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True, slots=True)
class Sql:
    """`text` has a %s for each of `params`, in order; other per cent signs are doubled."""

    text: str
    params: tuple[Any, ...] = ()

    def __and__(self, other: "Sql") -> "Sql":
        return Sql(f"{self.text} AND {other.text}", self.params + other.params)


TRUE = Sql("true")
FALSE = Sql("false")


def fill(template: str, *parts: object, **named: object) -> Sql:
    """The template with each {} or {name} replaced by a piece of SQL, or by a placeholder for any other value."""
    remaining = iter(parts)
    params: list[Any] = []

    def place(match: re.Match[str]) -> str:
        part = named[match[1]] if match[1] else next(remaining)
        if isinstance(part, Sql):
            params.extend(part.params)
            return part.text
        params.append(part)
        return "%s"

    text = _PLACE.sub(place, template)
    return Sql(text, tuple(params))


def joined(word: str, parts: Iterable[Sql]) -> Sql:
    """The parts in brackets with a word between them, such as " AND "."""
    listed = list(parts)
    return Sql(word.join(f"({part.text})" for part in listed), tuple(p for part in listed for p in part.params))
