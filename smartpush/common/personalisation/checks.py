"""What is wrong with a text, found where it is written: in every branch, whether the sample values enter it or not."""

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from liquid import BoundTemplate
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.exceptions import LiquidError

from smartpush.common.personalisation.addresses import doubtful_outputs
from smartpush.common.personalisation.context import ROOTS, Buffer, Context, Values
from smartpush.common.personalisation.exploring import explore_nodes
from smartpush.common.personalisation.filters import arguments_words
from smartpush.common.personalisation.limits import (
    EXPRESSION,
    MAX_TEMPLATE,
    MAX_VISITS,
    MAX_WORK,
    MOST_SPENT,
    VISITS_WORDS,
    WORK_WORDS,
    Meter,
    TemplateLimit,
    TemplateTime,
)
from smartpush.common.personalisation.nodes import CHAINED
from smartpush.common.personalisation.rendering import (
    _LIQUID,
    TEMPLATE_WORDS,
    CannotRender,
    is_template,
    parse,
    render,
)
from smartpush.common.personalisation.trees import branches_of, expressions_of, filters_used, literal_limits, nodes_of
from smartpush.common.personalisation.words import plain_words

_LIKELY: Final[tuple[Any, ...]] = (1, "2026-01-01", [])  # a property may be any of these
_EXPLORED: Final[tuple[Any, ...]] = (1, "2026-01-01", None)
_MOST_TURNS: Final = 8
_MOST_EXPLORED: Final = 2 * MOST_SPENT  # units of one text, all branches and samples together
_BRANCHES_WORDS: Final = "There are too many branches and loops to check: use fewer."


@dataclass(frozen=True)
class TemplateProblem:
    """What is wrong with a template and where; line and column count from 1."""

    line: int
    column: int
    message: str
    over_limit: bool = False  # found by filling it in, so that it is not wrong in its form

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The problems of a text, and the most that filling it in is known to take."""

    problems: tuple[TemplateProblem, ...] = ()
    visits: int = 0
    work: int = 0


class _Explorer(Meter):
    """A meter that also counts what is explored in all branches together."""

    __slots__ = ("explored", "most")

    def __init__(self) -> None:
        super().__init__()
        self.explored = 0
        self.most = 0

    def visit(self, work: int) -> None:
        """Count a node in its branch, and in the whole."""
        self.explored += 2 * EXPRESSION + work
        self._stop()
        super().visit(work)

    def charge(self, work: int) -> None:
        """Count work in its branch, and in the whole."""
        self.explored += work
        self._stop()
        super().charge(work)

    def _stop(self) -> None:
        if self.explored > _MOST_EXPLORED:
            raise TemplateLimit(_BRANCHES_WORDS)

    def again(self) -> None:
        """Begin another rendering."""
        self.visits = self.work = self.look_at = 0


def check_template(text: str) -> list[TemplateProblem]:
    """Return everything wrong with a template, pointed at; an empty list means that it can be saved."""
    if len(text) > MAX_TEMPLATE:
        return [TemplateProblem(1, 1, TEMPLATE_WORDS)]
    return list(_verdict(text).problems) if is_template(text) else []


def check_message(texts: Mapping[str, str]) -> tuple[str, str] | None:
    """Return which field of a message, and why, takes it over the limits that its texts share; None: it does not."""
    verdicts = {field: _verdict(text) for field, text in texts.items() if is_template(text)}
    for name, most, words in (("visits", MAX_VISITS, VISITS_WORDS), ("work", MAX_WORK, WORK_WORDS)):
        if sum(getattr(verdict, name) for verdict in verdicts.values()) > most:
            return max(verdicts, key=lambda field: getattr(verdicts[field], name)), words
    return None


def check_rendering(text: str) -> str | None:
    """Return why a template fails for everybody, or for everybody without properties; None when it renders.

    The values of an event are taken as given: what lets end users into a campaign brings them.
    """
    if not is_template(text):
        return None
    paths = _paths(parse(text))
    filled = [_values(paths, value) for value in _LIKELY]
    failure = _failure(text, filled)
    if failure is not None:
        return f"This can never be shown. {failure}"
    failure = _failure(text, [{**variables, "user": {}} for variables in filled])
    if failure is not None:
        return f"This fails for everybody without these properties: give a default or ask with {{% if %}}. {failure}"
    return None


def address_samples(text: str) -> Iterator[str]:
    """Return a personalised address as it comes out with likely values, and for people without properties."""
    paths = _paths(parse(text))
    filled = [_values(paths, value) for value in _LIKELY]
    for variables in [*filled, {**filled[0], "user": {}}]:
        try:
            yield render(text, variables, address=True)
        except CannotRender:
            continue


def address_doubts(text: str) -> list[str]:
    """Return what an address prints that may be a value or a part of the address, as it is written there."""
    if not is_template(text) or check_template(text):
        return []
    nodes = (node for node in nodes_of(parse(text).nodes) if isinstance(node, CHAINED))
    return list(dict.fromkeys(doubtful_outputs(text, nodes)))


@functools.lru_cache(maxsize=1024)
def names_used(text: str) -> tuple[tuple[str, str], ...]:
    """Return the values that a template names as (root, name), such as (user, first_name); none where it is broken."""
    if not is_template(text):
        return ()
    try:
        paths = _paths(parse(text))
    except (LiquidError, TemplateLimit):
        return ()
    return tuple(dict.fromkeys((path[0], path[1]) for path in paths if len(path) > 1 and path[0] in ROOTS))


@functools.lru_cache(maxsize=1024)
def names_guarded(text: str) -> frozenset[tuple[str, str]]:
    """Return those of `names_used` that have a default wherever the text names them."""
    used = names_used(text)
    if not used:
        return frozenset()
    template = parse(text)
    guarded: Counter[tuple[str, ...]] = Counter()
    for node in nodes_of(template.nodes):
        for expression in expressions_of(node):
            filters = getattr(expression, "filters", None) or ()
            if isinstance(expression, FilteredExpression) and any(item.name == "default" for item in filters):
                left = expression.left
                guarded[tuple(str(part) for part in left.path[:2]) if isinstance(left, Path) else ()] += 1
    named = Counter(tuple(path[:2]) for path in _paths(template))
    return frozenset(name for name in used if guarded[name] >= named[name])


@functools.lru_cache(maxsize=1024)
def _verdict(text: str) -> _Verdict:
    """Check a text; the same text gets the same verdict everywhere, so that each process checks it once."""
    try:
        template = parse(text)
    except TemplateLimit as limit:
        return _Verdict((_at(text, limit.index, limit.message),))
    except LiquidError as error:
        return _Verdict((_syntax_problem(text, error),))
    found = sorted(_static_problems(text, template), key=lambda problem: (problem.line, problem.column))
    return _Verdict(tuple(found)) if found else _explored(text, template)


def _static_problems(text: str, template: BoundTemplate) -> Iterator[TemplateProblem]:
    for limit in literal_limits(template):
        yield _at(text, limit.index, limit.message)
    for node in nodes_of(template.nodes):
        for used in filters_used(node):
            index = used.token.start_index
            known = _LIQUID.guarded.get(used.name)
            named = [arg for arg in used.args if getattr(arg, "name", "")]
            given = len(used.args) - len(named)
            if known is None:
                yield _at(text, index, f"There is no filter called {used.name}.")
            elif named and used.name != "default":
                yield _at(text, index, f"{used.name} takes no named arguments.")
            elif not known.least <= given <= known.most:
                yield _at(text, index, f"{arguments_words(known, given)}.")
    for root, uses in template.analyze().globals.items():
        for use in uses:
            if root not in ROOTS:
                names = ", ".join(f"{name}.…" for name in ROOTS)
                yield _at(text, use.span.index, f"{root} is not known here; begin with {names}.")
            elif len(use.segments) < 2:
                yield _at(text, use.span.index, f"Say which value of {root}, such as {root}.first_name.")


def _explored(text: str, template: BoundTemplate) -> _Verdict:
    """Enter every branch with several values, under the limits of sending.

    A branch counts as what its costliest alternative takes. Which branch comes last changes from turn to turn, so
    that what any of them assigns meets what follows.
    """
    paths = _paths(template)
    turns = min(max((branches_of(node) for node in nodes_of(template.nodes)), default=1), _MOST_TURNS)
    meter = _Explorer()
    visits = work = 0
    for turn in range(max(turns, 1)):
        for value in _EXPLORED:
            first = not (turn or visits)
            meter.again()
            variables = _values(paths, value)
            context = Context(template, globals=Values(variables, meter, {}), meter=meter)
            context.explores, context.turn = True, turn
            try:
                explore_nodes(template.nodes, context, Buffer(meter))
            except TemplateLimit as limit:
                if limit.message == _BRANCHES_WORDS and not first:
                    return _Verdict((), visits, work)  # one whole pass is what a save waits for
                return _Verdict((_at(text, limit.index, limit.message, over_limit=True),))
            except TemplateTime:
                return _Verdict((_at(text, 0, WORK_WORDS, over_limit=True),))
            visits, work = max(visits, meter.visits), max(work, meter.work)
    return _Verdict((), visits, work)


def _paths(template: BoundTemplate) -> list[list[str]]:
    return [
        [part for part in use.segments if isinstance(part, str)]
        for uses in template.analyze().globals.values()
        for use in uses
    ]


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


def _at(text: str, index: int, message: str, *, over_limit: bool = False) -> TemplateProblem:
    index = max(0, min(index, len(text)))
    before = text[:index]
    return TemplateProblem(before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1, message, over_limit)


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
    return _at(text, index if index >= 0 else len(text), plain_words(raw))
