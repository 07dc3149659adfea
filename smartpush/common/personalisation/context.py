"""What a rendering keeps: its meter, what it may name, and what it has written."""

from collections.abc import Callable, Mapping
from functools import partial
from io import StringIO
from typing import Any, Final, TextIO

from liquid import BoundTemplate, RenderContext
from liquid.exceptions import UnknownFilterError
from liquid.token import Token

from smartpush.common.personalisation.filters import call
from smartpush.common.personalisation.limits import (
    MAX_LOOPS,
    MAX_NAMES,
    MAX_OUTPUT,
    RANGE_WORDS,
    Meter,
    TemplateLimit,
    range_size,
    size_of,
)

ROOTS: Final = ("user", "event", "brand")
OUTPUT_WORDS: Final = "The result is too long."


class Buffer(StringIO):
    """Keeps what is written, and stops at MAX_OUTPUT bytes."""

    def __init__(self, meter: Meter, size: int = 0) -> None:
        super().__init__()
        self.meter = meter
        self.size = size
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        """Add a text; raises TemplateLimit."""
        size = len(text) if text.isascii() else len(text.encode())
        self.size += size
        if self.size > MAX_OUTPUT:
            raise TemplateLimit(OUTPUT_WORDS)
        self.meter.work += size >> 3
        self.parts.append(text)
        return size

    def getvalue(self) -> str:
        """Return everything that was written, with \\n at each line's end."""
        text = "".join(self.parts)
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


class Values(dict[str, object]):
    """What a text may name; remembers that a value of somebody was looked at."""

    def __init__(self, values: Mapping[str, Any], meter: Meter, missing: Any = None) -> None:
        super().__init__({root: values.get(root, missing) for root in ROOTS})
        self.meter = meter

    def __getitem__(self, root: str) -> object:
        self.meter.read = self.meter.read or root in self
        return super().__getitem__(root)


class Context(RenderContext):
    """The state of one rendering, with its meter.

    While `explores` is set, every branch is entered and a branch's own failures are passed over: only limits count.
    `turn` says which branch is explored last, so that what it assigns is what the rest of the text sees.
    `ready` is set for an address: the variables that hold parts of it, not values.
    """

    __slots__ = ("explores", "kept", "kept_size", "meter", "ready", "turn")
    env: Any

    def __init__(self, template: BoundTemplate, *, meter: Meter | None = None, **options: Any) -> None:
        super().__init__(template, **options)
        self.meter = meter or Meter()
        self.explores = False
        self.turn = 0
        self.ready: set[str] | None = None
        self.kept: dict[str, int] = {}
        self.kept_size = 0

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """Return a guarded filter."""
        found = self.env.guarded.get(name)
        if found is None:
            raise UnknownFilterError(f"unknown filter '{name}'", token=token)
        return partial(call, found, self.meter)

    def assign(self, key: str, val: Any) -> None:
        """Keep a value under a name; raises TemplateLimit when all names together keep too much."""
        if isinstance(val, range) and range_size(val) > MAX_LOOPS:
            raise TemplateLimit(RANGE_WORDS)
        size = size_of(val)
        self.meter.charge(size >> 3)
        self.kept_size += size - self.kept.get(key, 0)
        self.kept[key] = size
        if self.kept_size > MAX_NAMES:
            raise TemplateLimit(OUTPUT_WORDS)
        self.locals[key] = val

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """Return a buffer for `capture`; what is written around it counts in its limit too."""
        return Buffer(self.meter, buf.size if isinstance(buf, Buffer) else 0)
