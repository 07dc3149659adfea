"""Liquid in titles, messages and addresses: checked where it is written, rendered fast where it is sent.

Output is plain text (a push title is not HTML), so nothing is escaped. Templates come from staff and values
from anybody: both are bounded, so that no template can eat a worker.
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from liquid import BoundTemplate, Environment, Mode
from liquid.exceptions import LiquidError

ROOTS = ("user", "event", "brand")
MAX_TEMPLATE = 5_000  # characters
MAX_OUTPUT = 20_000  # bytes
MAX_LOOPS = 200
_TAGS = frozenset({"if", "unless", "case", "for", "break", "continue", "assign", "capture", "comment", "raw", "#"})
_INNER_TAGS = frozenset({"else", "elsif", "when"})
_STATEMENT, _CONTENT, _ILLEGAL = "output", "content", "illegal"


@dataclass(frozen=True)
class TemplateProblem:
    """What is wrong with a template and where; line and column count from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.message}"


class CannotRender(Exception):
    """A template that failed for one end user; the delivery ends as failed with this code."""

    def __init__(self, *, field: str, message: str, code: str = "render_failed") -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.code = code
        self.field = field
        self.message = message


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that refuses what would grow without bound, such as a chain of `replace`."""

    @functools.wraps(function)
    def guard(value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, range) and len(value) > MAX_LOOPS:
            raise ValueError(f"the range given to {name} is longer than {MAX_LOOPS}")
        result = function(value, *args, **kwargs)
        if isinstance(result, str) and len(result) > MAX_OUTPUT:
            raise ValueError(f"{name} made more than {MAX_OUTPUT} characters")
        return result

    return guard


class _Environment(Environment):
    context_depth_limit = 12
    loop_iteration_limit = MAX_LOOPS
    local_namespace_limit = 100_000
    output_stream_limit = MAX_OUTPUT


def _environment() -> Environment:
    environment = _Environment(tolerance=Mode.STRICT, strict_filters=True, autoescape=False)
    for name in set(environment.tags) - _TAGS - {_STATEMENT, _CONTENT, _ILLEGAL}:
        del environment.tags[name]
    environment.filters = {name: _guarded(name, f) for name, f in environment.filters.items()}
    return environment


_LIQUID = _environment()
FILTERS = tuple(sorted(_LIQUID.filters))

# What nearly every template is made of: text, {{ root.path }} and {{ root.path | default: "text" }}.
_PLAIN = re.compile(
    r"""\{\{\s*(?P<path>[a-z_]\w*(?:\.[A-Za-z_]\w*)+)\s*"""
    r"""(?:\|\s*default:\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*)?\}\}""",
    re.ASCII,
)
_LIKELY: tuple[Any, ...] = (1, "2026-01-01", [])  # a property may be any of these
_SPECIAL_KEYS = frozenset({"size", "first", "last"})


@dataclass(frozen=True, slots=True)
class _Hole:
    path: tuple[str, ...]
    default: str


class _NotPlain(Exception):
    """A value whose text is Liquid's business."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    plain: tuple[str | _Hole, ...] | None
    template: BoundTemplate


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


@functools.lru_cache(maxsize=4096)
def _compile(text: str) -> _Compiled:
    if len(text) > MAX_TEMPLATE:
        raise ValueError(f"the template is longer than {MAX_TEMPLATE} characters")
    return _Compiled(_plain_parts(text), _LIQUID.from_string(text))


def is_template(text: str) -> bool:
    """Whether the text has anything to render."""
    return "{{" in text or "{%" in text


def render(text: str, variables: Mapping[str, Any], *, field: str = "") -> str:
    """The text for one end user (variables: user, event, brand); missing values are empty; raises CannotRender."""
    if not is_template(text):
        return text
    try:
        compiled = _compile(text)
        if compiled.plain is not None:
            try:
                return "".join([part if isinstance(part, str) else _fill(part, variables) for part in compiled.plain])
            except _NotPlain:
                pass
        return str(compiled.template.render(**{root: variables.get(root) for root in ROOTS}))
    except LiquidError as error:
        raise CannotRender(field=field, message=_plain_words(str(error.message))) from error
    except Exception as error:  # a filter met a value it cannot take: one failed delivery, not a failed chunk
        raise CannotRender(field=field, message=str(error) or type(error).__name__) from error


def check_template(text: str) -> list[TemplateProblem]:
    """Everything wrong with a template, pointed at; an empty list means that it can be saved."""
    if len(text) > MAX_TEMPLATE:
        return [TemplateProblem(1, 1, f"The text is longer than {MAX_TEMPLATE} characters.")]
    if not is_template(text):
        return []
    try:
        template = _LIQUID.from_string(text)
    except LiquidError as error:
        return [_syntax_problem(text, error)]
    found: list[TemplateProblem] = []
    analysis = template.analyze()
    for name, spans in analysis.filters.items():
        if name not in _LIQUID.filters:
            found += [_at(text, span.index, f"There is no filter called {name}.") for span in spans]
    for root, uses in analysis.globals.items():
        for use in uses:
            if root not in ROOTS:
                known = ", ".join(f"{name}.…" for name in ROOTS)
                found.append(_at(text, use.span.index, f"{root} is not known here; begin with {known}."))
            elif len(use.segments) < 2:
                found.append(_at(text, use.span.index, f"Say which value of {root}, such as {root}.first_name."))
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def check_rendering(text: str) -> str | None:
    """Why a template that can be read fails for everybody, or for everybody without properties; None: it renders.

    The values of an event are taken as given: what lets end users into a campaign brings them.
    """
    if not is_template(text):
        return None
    paths = [
        [part for part in use.segments if isinstance(part, str)]
        for uses in _LIQUID.from_string(text).analyze().globals.values()
        for use in uses
    ]
    filled = [_values(paths, value) for value in _LIKELY]
    failure = _failure(text, filled)
    if failure is not None:
        return f"This can never be shown. {failure}"
    failure = _failure(text, [{**variables, "user": {}} for variables in filled])
    if failure is not None:
        return f"This fails for everybody without these properties: give a default or ask with {{% if %}}. {failure}"
    return None


def _values(paths: list[list[str]], value: Any) -> dict[str, Any]:
    """Variables in which every path has this value."""
    found: dict[str, Any] = {}
    for *above, last in sorted(paths, key=len, reverse=True):
        level = found
        for key in above:
            level = level.setdefault(key, {})
        level.setdefault(last, value)
    return found


def _failure(text: str, samples: list[dict[str, Any]]) -> str | None:
    """What went wrong if all of the samples fail."""
    failure = None
    for variables in samples:
        try:
            render(text, variables)
        except CannotRender as problem:
            failure = problem.message
        else:
            return None
    return failure


def _at(text: str, index: int, message: str) -> TemplateProblem:
    index = max(0, min(index, len(text)))
    before = text[:index]
    return TemplateProblem(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1, message)


def _syntax_problem(text: str, error: LiquidError) -> TemplateProblem:
    index = error.token.start_index if error.token is not None else -1
    raw = str(error.message)
    unclosed = re.search(r"expected tag end(\w+), found end", raw)
    if unclosed:
        opened = [m.start() for m in re.finditer(r"\{%-?\s*" + unclosed[1] + r"\b", text)]
        tag = unclosed[1]
        return _at(
            text,
            opened[-1] if opened else len(text),
            f"{{% {tag} %}} is not closed: add {{% end{tag} %}}.",
        )
    return _at(text, index if index >= 0 else len(text), _plain_words(raw))


def _plain_words(raw: str) -> str:
    """Liquid's own messages in words for people who write messages."""
    tag = re.search(r"unexpected tag '(\w+)'", raw)
    if tag:
        name = tag[1]
        if name in _INNER_TAGS or name.startswith("end"):
            return f"{{% {name} %}} has nothing that it belongs to."
        return f"There is no tag called {name} here."
    if "found end of file" in raw and "}}" in raw:
        return "{{ is not closed: add }}."
    if "found end of file" in raw and "%}" in raw:
        return "{% is not closed: add %}."
    if "loop iteration limit" in raw:
        return f"The loops run more than {MAX_LOOPS} times."
    if "output stream limit" in raw or "local namespace limit" in raw:
        return "The result is too long."
    return f"This is not understood: {raw}."
