"""Values in addresses: each is encoded for the part of the address that it stands in.

A value is data: its `&` opens no further parameter and its `#` no fragment. What a marketer has encoded (`url_encode`),
marked as a part of an address (`safe`) or put together with `capture` is laid into place as it is.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final
from urllib.parse import quote

from liquid.ast import Node
from liquid.builtin.expressions import Path
from liquid.builtin.expressions.primitive import StringLiteral

from smartpush.common.personalisation.context import OUTPUT_WORDS, Buffer
from smartpush.common.personalisation.limits import MAX_OUTPUT, Meter, TemplateLimit

READY_FILTERS: Final = frozenset({"url_encode", "safe"})
_TEXT_OF_ITS_OWN: Final = frozenset({"default", "date"})  # their arguments are values or formats, not parts
_PARTS: Final = re.compile(r"[?&=#]")
_WHOLE_PAIR: Final = re.compile(r"[?&](\{\{(?:(?!\}\}).)*\}\})(?=[&#]|\Z)", re.DOTALL)


class Place(Enum):
    """A part of an address; the value is the characters besides letters and digits that are left as they are in it.

    PIECE is what `capture` keeps: it may be laid anywhere.
    """

    PATH = "/"
    QUERY = ""
    FRAGMENT = "/?"
    PIECE = "\0"

    def after(self, text: str) -> "Place":
        """Return the part that follows, once this text has been written."""
        if self is Place.FRAGMENT or "#" in text:
            return Place.FRAGMENT
        return Place.QUERY if "?" in text else self


def value_encode(value: str, place: Place) -> str:
    """Return a value as it is written in this part of an address (RFC 3986, percent-encoded UTF-8)."""
    if len(value) > MAX_OUTPUT:
        raise TemplateLimit(OUTPUT_WORDS)
    return quote(value, safe=place.value.strip("\0"), errors="replace")


class AddressBuffer(Buffer):
    """Keeps an address as it is written, and knows which part of it comes next."""

    def __init__(self, meter: Meter, size: int = 0, place: Place = Place.PATH) -> None:
        super().__init__(meter, size)
        self.place = place

    def write(self, text: str) -> int:
        """Add a text, or a value that is encoded already; raises TemplateLimit."""
        self.place = self.place.after(text)
        return super().write(text)


def name_of(node: Any) -> str:
    """Return the variable that a node reads, or nothing."""
    left = getattr(node.expression, "left", node.expression)
    return str(left.path[0]) if isinstance(left, Path) and left.path else ""


def is_ready(node: Any, ready: set[str]) -> bool:
    """Return whether what a node evaluates is a part of an address already; `ready` are the variables that are."""
    filters = {used.name for used in getattr(node.expression, "filters", None) or ()}
    return not filters.isdisjoint(READY_FILTERS) or (not filters and name_of(node) in ready)


def doubtful_outputs(text: str, chained: Iterator[Node]) -> Iterator[str]:
    """Return what a text prints that may be a value or a part of an address, as it is written there.

    `chained`: the nodes of the text that evaluate an expression with filters, in the order of the source.
    """
    for match in _WHOLE_PAIR.finditer(text):
        if not any(re.search(rf"\|\s*{name}\b", match[1]) for name in READY_FILTERS):
            yield match[1]
    mixed: set[str] = set()
    for node in chained:
        if is_ready(node, set()):
            continue
        if _holds_parts(node):
            if hasattr(node, "name"):
                mixed.add(str(node.name))
            else:
                yield f"{{{{ {node.expression} }}}}"  # type: ignore[attr-defined]
        elif not hasattr(node, "name") and name_of(node) in mixed:
            yield f"{{{{ {node.expression} }}}}"  # type: ignore[attr-defined]


def _holds_parts(node: Any) -> bool:
    """Return whether an expression joins a value with text such as `?city=`."""
    expression = node.expression
    literals = [getattr(expression, "left", expression)]
    for used in getattr(expression, "filters", None) or ():
        if used.name not in _TEXT_OF_ITS_OWN:
            literals += [argument.value for argument in used.args if hasattr(argument, "value")]
    return any(isinstance(one, StringLiteral) and _PARTS.search(one.value) for one in literals)
