"""Liquid in titles, messages and addresses, rendered fast where it is sent and never beyond the limits.

Output is plain text (a push title is not HTML), so nothing is escaped. Templates come from staff and values
from anybody: both are bounded, so that no template can eat a worker.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from liquid import BoundTemplate
from liquid.builtin.expressions import tokenize
from liquid.exceptions import LiquidError
from liquid.token import TOKEN_EXPRESSION

from smartpush.common.personalisation.addresses import AddressBuffer, Place, value_encode
from smartpush.common.personalisation.context import Buffer, Context, Values
from smartpush.common.personalisation.environment import LimitedEnvironment
from smartpush.common.personalisation.limits import MAX_TEMPLATE, Meter, TemplateLimit, TemplateTime
from smartpush.common.personalisation.trees import literal_limits
from smartpush.common.personalisation.words import plain_words

RENDER_FAILED: Final = "render_failed"
TEMPLATE_LIMIT: Final = "template_limit"
TEMPLATE_TIME: Final = "template_time"
MAX_NESTED: Final = 40  # operators and brackets of one expression: each is a level of the parser's recursion
TEMPLATE_WORDS: Final = f"The text is longer than {MAX_TEMPLATE} characters."
NESTED_WORDS: Final = f"There are more than {MAX_NESTED} operators or brackets in one place."
_NESTING: Final = frozenset({"and", "or", "eq", "ne", "ltgt", "lt", "gt", "le", "ge", "contains", "lbracket",
                             "rangeexpression", "lparen"})  # fmt: skip
_LIQUID = LimitedEnvironment()
FILTERS = tuple(sorted(_LIQUID.guarded))


class CannotRender(Exception):
    """A template that failed for one end user; the delivery ends as failed with this code.

    `template_limit`: over a limit that is the same everywhere. `template_time`: it took too long this time.
    """

    def __init__(self, *, field: str, message: str, code: str = RENDER_FAILED) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.code = code
        self.field = field
        self.message = message


# What nearly every template is made of: text, {{ root.path }} and {{ root.path | default: "text" }}.
_PLAIN = re.compile(
    r"""\{\{\s*(?P<path>[a-z_]\w*(?:\.[A-Za-z_]\w*)+)\s*"""
    r"""(?:\|\s*default:\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*)?\}\}""",
    re.ASCII,
)
_SPECIAL_KEYS = frozenset({"size", "first", "last"})


@dataclass(frozen=True, slots=True)
class _Hole:
    path: tuple[str, ...]
    default: str


class _NotPlain(Exception):
    """A value whose text is Liquid's business."""


@dataclass(slots=True)
class _Compiled:
    """A parsed text; `problem` says why every message with it fails, as far as that is known."""

    plain: tuple[str | _Hole, ...] | None = None
    template: BoundTemplate | None = None
    problem: str = ""
    code: str = RENDER_FAILED


def _plain_parts(text: str) -> tuple[str | _Hole, ...] | None:
    """Text and holes of a simple template; None when it needs the whole of Liquid."""
    if "\r" in text:
        return None
    parts: list[str | _Hole] = []
    at = 0
    for match in _PLAIN.finditer(text):
        path = tuple(match["path"].split("."))
        default = match["double"] if match["double"] is not None else match["single"] or ""
        literal = text[at : match.start()]
        if not _SPECIAL_KEYS.isdisjoint(path) or "{{" in default or "{%" in default or "\\" in default:
            return None
        parts += [literal, _Hole(path, default)]
        at = match.end()
    parts.append(text[at:])
    literals = [part for part in parts if isinstance(part, str)]
    if any("{{" in part or "{%" in part or "}}" in part for part in literals):
        return None
    return tuple(part for part in parts if part)


def _fill(hole: _Hole, variables: Mapping[str, Any]) -> str:
    value: Any = variables
    for key in hole.path:
        if not isinstance(value, dict):
            if value is None:
                return hole.default
            raise _NotPlain
        value = value.get(key)
    if value is None or value == "":
        return hole.default
    kind = type(value)
    if kind is str and "\r" not in value:  # Liquid writes every line end as \n
        return str(value)
    if kind is int:
        return str(value)
    raise _NotPlain


def _address(parts: tuple[str | _Hole, ...], variables: Mapping[str, Any]) -> str:
    written, place = [], Place.PATH
    for part in parts:
        if isinstance(part, str):
            place = place.after(part)
            written.append(part)
        else:
            written.append(value_encode(_fill(part, variables), place))
    return "".join(written)


def parse(text: str) -> BoundTemplate:
    """Return the parsed text; raises LiquidError, and TemplateLimit for what no machine should try to read."""
    if len(text) > MAX_TEMPLATE:
        raise TemplateLimit(TEMPLATE_WORDS, index=0)
    for token in _LIQUID.tokenizer()(text):
        if token.kind == TOKEN_EXPRESSION:
            nested = sum(one.kind in _NESTING for one in tokenize(token.value, token))
            if nested > MAX_NESTED:
                raise TemplateLimit(NESTED_WORDS, index=token.start_index)
    return _LIQUID.from_string(text)


@functools.lru_cache(maxsize=1024)
def _compile(text: str) -> _Compiled:
    """Parse once a process. What cannot be parsed is remembered as well: trying again costs as much each time."""
    try:
        template = parse(text)
        for problem in literal_limits(template):
            raise problem
    except TemplateLimit as limit:
        return _Compiled(problem=limit.message, code=TEMPLATE_LIMIT)
    except LiquidError as error:
        return _Compiled(problem=plain_words(str(error.message)))
    except Exception as error:
        return _Compiled(problem=str(error) or type(error).__name__)
    return _Compiled(_plain_parts(text), template)


def is_template(text: str) -> bool:
    """Return whether the text has anything to render."""
    return "{{" in text or "{%" in text


def is_metered(text: str) -> bool:
    """Return whether filling in the text takes more than laying values into place."""
    return is_template(text) and _compile(text).plain is None


def render(
    text: str, variables: Mapping[str, Any], *, field: str = "", meter: Meter | None = None, address: bool = False
) -> str:
    """Return the text for one end user (variables: user, event, brand); missing values are empty.

    The texts of one message share a `meter`, so that the limits are a message's. In an `address` each value is encoded
    for where it stands. Raises CannotRender.
    """
    if not is_template(text):
        return text
    compiled = _compile(text)
    plain = compiled.plain
    if plain is not None:
        try:
            if address:
                return _address(plain, variables)
            return "".join([part if isinstance(part, str) else _fill(part, variables) for part in plain])
        except (_NotPlain, ValueError):  # ValueError: a number of thousands of digits
            pass
    if compiled.problem or compiled.template is None:
        raise CannotRender(field=field, message=compiled.problem, code=compiled.code)
    meter = meter or Meter()
    fresh = not meter.visits
    try:
        return _run(compiled.template, variables, meter, address=address)
    except TemplateLimit as limit:
        if fresh and not meter.read:  # it failed before it looked at anybody: so it fails for everybody
            compiled.problem, compiled.code = limit.message, TEMPLATE_LIMIT
        raise CannotRender(field=field, message=limit.message, code=TEMPLATE_LIMIT) from limit
    except TemplateTime as late:
        raise CannotRender(field=field, message="It took too long this time.", code=TEMPLATE_TIME) from late
    except LiquidError as error:
        raise CannotRender(field=field, message=plain_words(str(error.message))) from error
    except Exception as error:  # a filter met a value it cannot take: one failed delivery, not a failed chunk
        raise CannotRender(field=field, message=str(error) or type(error).__name__) from error


def _run(template: BoundTemplate, variables: Mapping[str, Any], meter: Meter, *, address: bool) -> str:
    context = Context(template, globals=Values(variables, meter), meter=meter)
    context.ready = set() if address else None
    buffer = AddressBuffer(meter) if address else Buffer(meter)
    template.render_with_context(context, buffer)
    return buffer.getvalue()
