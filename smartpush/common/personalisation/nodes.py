"""Liquid's tags with a meter: each node and iteration is counted, and what it evaluates is charged beforehand.

The library parses and renders; its extension points (`node_class`, a context and a template of our own) carry the
counting. What a template may be made of is closed: `prepare` refuses any node that is not counted here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from typing import Any, Final, TextIO

from liquid import BoundTemplate, Environment, Mode, RenderContext
from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.expressions import logical as comparisons
from liquid.builtin.expressions.arguments import PositionalArgument
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.assign_tag import AssignNode, AssignTag
from liquid.builtin.tags.capture_tag import CaptureNode, CaptureTag
from liquid.builtin.tags.case_tag import CaseNode, CaseTag, MultiExpressionBlockNode
from liquid.builtin.tags.comment_tag import CommentNode, CommentTag
from liquid.builtin.tags.for_tag import BreakNode, ContinueNode, ForLoop, ForNode, ForTag
from liquid.builtin.tags.if_tag import IfNode, IfTag
from liquid.builtin.tags.inline_comment_tag import InlineCommentNode, InlineCommentTag
from liquid.builtin.tags.unless_tag import UnlessNode, UnlessTag
from liquid.exceptions import BreakLoop, ContextDepthError, ContinueLoop, LoopIterationLimitError, UnknownFilterError
from liquid.expression import Expression
from liquid.stringify import to_liquid_string
from liquid.token import Token

from smartpush.common.personalisation.filters import TemplateFilter, call, filters_of
from smartpush.common.personalisation.limits import (
    EXPRESSION,
    LOOPS_WORDS,
    MAX_LOOPS,
    MAX_NAMES,
    MAX_OUTPUT,
    MAX_RANGE,
    RANGE_WORDS,
    Meter,
    TemplateLimit,
    TemplateTime,
    number_fits,
    range_size,
    size_of,
    text_size,
)

ROOTS: Final = ("user", "event", "brand")
_PSEUDO_TAGS: Final = ("content", "output", "illegal")
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
    """

    __slots__ = ("explores", "kept", "kept_size", "meter", "turn")
    env: "LimitedEnvironment"

    def __init__(self, template: BoundTemplate, *, meter: Meter | None = None, **options: Any) -> None:
        super().__init__(template, **options)
        self.meter = meter or Meter()
        self.explores = False
        self.turn = 0
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


class Template(BoundTemplate):
    """A parsed template."""

    context_class = Context

    def _get_buffer(self) -> StringIO:
        return Buffer(Meter())


class LimitedEnvironment(Environment):
    """Liquid as our templates have it; `guarded` are its filters."""

    context_depth_limit = 12
    loop_iteration_limit = MAX_LOOPS
    template_class = Template

    def __init__(self) -> None:
        super().__init__(tolerance=Mode.STRICT, strict_filters=True, autoescape=False)
        self.tags = {name: self.tags[name] for name in (*_PSEUDO_TAGS, "break", "continue")}
        for tag in _TAGS:
            self.add_tag(tag)
        self.guarded: dict[str, TemplateFilter] = filters_of(self)

    def from_string(self, source: str, *args: Any, **options: Any) -> BoundTemplate:
        """Parse a text and get it ready to be counted."""
        template = super().from_string(source, *args, **options)
        prepare(template)
        return template


# --- nodes ---
# `cost` is what the expressions of a node cost; `prepare` writes it once the template is parsed.
class _Content(ContentNode):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(0)
        return buffer.write(self.text)


@dataclass(frozen=True, slots=True)
class _Step:
    """One filter of a chain, looked up beforehand."""

    filter: TemplateFilter
    arguments: tuple[Expression, ...]


def _chain(expression: Any, environment: Any) -> tuple[_Step, ...] | None:
    """Return the filters of an expression; None where the library has to look: unknown ones, and named arguments."""
    if not isinstance(expression, FilteredExpression):
        return None
    steps = []
    for used in expression.filters or ():
        found = environment.guarded.get(used.name)
        if found is None or not all(type(argument) is PositionalArgument for argument in used.args):
            return None
        steps.append(_Step(found, tuple(argument.value for argument in used.args)))
    return tuple(steps)


def _filtered(node: Any, context: Any) -> Any:
    """Evaluate an expression with its filters, as the library does, without looking them up again each time."""
    if node.steps is None:
        return node.expression.evaluate(context)
    value = node.left.evaluate(context)
    for step in node.steps:
        value = call(step.filter, context.meter, value, *[one.evaluate(context) for one in step.arguments])
    return value


class _Output(OutputNode):
    __slots__ = ("cost", "left", "steps")
    cost: int
    left: Expression
    steps: tuple[_Step, ...] | None

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        value = _filtered(self, context)
        if type(value) is not str:
            if text_size(value) > MAX_OUTPUT:
                raise TemplateLimit(OUTPUT_WORDS)
            value = to_liquid_string(value, autoescape=False)
        return buffer.write(value)


class _If(IfNode):
    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        return _explore_if(self, context, buffer) if context.explores else super().render_to_output(context, buffer)


class _Unless(UnlessNode):
    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        return _explore_if(self, context, buffer) if context.explores else super().render_to_output(context, buffer)


class _Case(CaseNode):
    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        if not context.explores:
            return super().render_to_output(context, buffer)
        branches: list[list[Node]] = []
        for block in self.blocks:
            if isinstance(block, MultiExpressionBlockNode):  # rendered once for each value that matches
                matching: Any = explored(block.expression, context) or []
                branches.append(block.block.nodes * max(matching.count(True), 1))
            else:
                branches.append(block.nodes)
        return _explore(context, buffer, branches)


class _For(ForNode):
    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        self._check_range(context)
        if context.explores:
            return self._explore(context, buffer)
        iterator, length = self.expression.evaluate(context)
        if not length:
            return self.default.render(context, buffer) if self.default else 0
        written = 0
        for _ in self._iterations(context, iterator, length):
            try:
                written += self.block.render(context, buffer)
            except ContinueLoop:
                continue
            except BreakLoop:
                break
        return written

    def _check_range(self, context: Any) -> None:
        """Refuse a range that takes long to step through, or much memory to reverse, whatever `limit` says."""
        if isinstance(self.expression.iterable, RangeLiteral):
            size = range_size(self.expression.iterable.evaluate(context))
            if size > MAX_RANGE or (size > MAX_LOOPS and self.expression.limit is None):
                raise TemplateLimit(LOOPS_WORDS)
            context.meter.charge(size)

    def _iterations(self, context: Any, iterator: Iterator[Any], length: int) -> Iterator[None]:
        """Step through the items, each in the loop's scope; counts each iteration."""
        name = self.expression.identifier
        loop = ForLoop(f"{name}-{self.expression.iterable}", iterator, length, context.parentloop())
        scope: dict[str, object] = {"forloop": loop, name: None}
        try:
            with context.loop(scope, loop):
                for item in loop:
                    context.meter.visit(0)
                    scope[name] = item
                    yield
        except LoopIterationLimitError as error:
            raise TemplateLimit(LOOPS_WORDS) from error
        except ContextDepthError as error:
            raise TemplateLimit("Loops are nested too deeply.") from error

    def _explore(self, context: Any, buffer: TextIO) -> int:
        """Go through the items that there are, or through one that is unknown, and through the else-block."""
        found: Any = explored(self.expression, context)
        iterator, length = found or (iter(()), 0)

        def body() -> None:
            for _ in self._iterations(context, iterator if length else iter([None]), length or 1):
                explore_nodes(self.block.nodes, context, buffer)

        otherwise = partial(explore_nodes, self.default.nodes if self.default else [], context, buffer)
        return _explore_each(context, buffer, [body, otherwise])


class _Assign(AssignNode):
    __slots__ = ("cost", "left", "steps")
    cost: int
    left: Expression
    steps: tuple[_Step, ...] | None

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        context.assign(self.name, _filtered(self, context))
        return 0


class _Capture(CaptureNode):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(0)
        if not context.explores:
            return super().render_to_output(context, buffer)
        captured = context.get_buffer(buffer)
        explore_nodes(self.block.nodes, context, captured)
        self._assign(context, captured)
        return 0


class _Comment(CommentNode):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(0)
        return 0


class _InlineComment(InlineCommentNode):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(0)
        return 0


class _LiteralTag(Literal):
    node_class = _Content


class _OutputTag(Output):
    node_class = _Output


class _IfTag(IfTag):
    node_class = _If


class _UnlessTag(UnlessTag):
    node_class = _Unless


class _CaseTag(CaseTag):
    node_class = _Case


class _ForTag(ForTag):
    node_class = _For


class _AssignTag(AssignTag):
    node_class = _Assign


class _CaptureTag(CaptureTag):
    node_class = _Capture


class _CommentTag(CommentTag):
    node_class = _Comment


class _InlineCommentTag(InlineCommentTag):
    node_class = _InlineComment


_TAGS: Final = (
    _LiteralTag,
    _OutputTag,
    _IfTag,
    _UnlessTag,
    _CaseTag,
    _ForTag,
    _AssignTag,
    _CaptureTag,
    _CommentTag,
    _InlineCommentTag,
)
_COSTED: Final = (_Output, _If, _Unless, _Case, _For, _Assign)
_FREE: Final = (_Content, _Capture, _Comment, _InlineComment, BreakNode, ContinueNode)
_BLOCKS: Final = (BlockNode, ConditionalBlockNode, MultiExpressionBlockNode)


# --- every branch ---
def explore_nodes(nodes: Iterable[Node], context: Any, buffer: TextIO) -> None:
    """Render nodes one by one for their limits alone: one that fails otherwise does not hide the next."""
    for node in nodes:
        try:
            node.render_to_output(context, buffer)
        except TemplateLimit as limit:
            if limit.index < 0:
                limit.index = node.token.start_index
            raise
        except TemplateTime:
            raise
        except Exception:  # noqa: S112  only limits count; what comes after a break is explored as well
            continue


def explored(expression: Expression, context: Any) -> object:
    """Return the value of an expression; None where it has none with this sample."""
    try:
        return expression.evaluate(context)
    except (TemplateLimit, TemplateTime):
        raise
    except Exception:
        return None


def _explore(context: Any, buffer: TextIO, branches: Sequence[Iterable[Node]]) -> int:
    return _explore_each(context, buffer, [partial(explore_nodes, nodes, context, buffer) for nodes in branches])


def _explore_each(context: Any, buffer: Any, branches: Sequence[Callable[[], None]]) -> int:
    """Enter each branch from the same state of the meter and the buffer, and go on from the most that one took."""
    meter: Meter = context.meter
    before = (meter.visits, meter.work, buffer.size)
    most = before
    kept = len(buffer.parts)
    for number in range(len(branches)):
        meter.visits, meter.work, buffer.size = before
        del buffer.parts[kept:]
        branches[(number + 1 + context.turn) % len(branches)]()
        after = (meter.visits, meter.work, buffer.size)
        most = tuple(map(max, zip(most, after, strict=True)))
    meter.visits, meter.work, buffer.size = most
    return 0


def _explore_if(node: Any, context: Any, buffer: TextIO) -> int:
    for condition in (node.condition, *(one.expression for one in node.alternatives)):
        explored(condition, context)
    blocks = [node.consequence, *(one.block for one in node.alternatives), *([node.default] if node.default else [])]
    return _explore(context, buffer, [block.nodes for block in blocks])


# --- after parsing ---
def nodes_of(nodes: Iterable[Node]) -> Iterator[Node]:
    """Return every node of a template, in the order of the source."""
    for node in nodes:
        yield node
        yield from nodes_of(node.children(None))  # type: ignore[arg-type]


def expressions_of(node: Node) -> Iterator[Expression]:
    """Return every expression of one node, those of its conditions too, without its children's."""
    for expression in node.expressions():
        yield from _with_children(expression)


def filters_used(node: Node) -> Iterator[Filter]:
    """Return the filters of one node."""
    for expression in node.expressions():
        if isinstance(expression, FilteredExpression):
            yield from expression.filters or ()


def _with_children(expression: Expression) -> Iterator[Expression]:
    yield expression
    for child in expression.children():
        yield from _with_children(child)


def branches_of(node: Node) -> int:
    """Return how many branches a node has."""
    return sum(isinstance(child, _BLOCKS) for child in node.children(None))  # type: ignore[arg-type]


def literal_limits(template: BoundTemplate) -> Iterator[TemplateLimit]:
    """Return what is wrong with the numbers that stand in a text: those that 64 bits do not hold."""
    for node in nodes_of(template.nodes):
        for expression in expressions_of(node):
            numbers = expression.path if isinstance(expression, Path) else [getattr(expression, "value", None)]
            for number in numbers:
                if isinstance(number, int | float):
                    try:
                        number_fits(number)
                    except TemplateLimit as limit:
                        yield TemplateLimit(limit.message, index=expression.token.start_index)


class _Quick(Expression):
    """A path such as user.first_name, through dictionaries alone; the library's own takes three times as long."""

    __slots__ = ("inner", "rest", "root")

    def __init__(self, inner: Path) -> None:
        super().__init__(inner.token)
        self.inner = inner
        self.root, *self.rest = inner.path

    def evaluate(self, context: Any) -> object:
        try:
            if self.root in ROOTS and not context.loops and self.root not in context.locals:
                value = context.globals[self.root]
            else:
                value = context.scope[self.root]
            for key in self.rest:
                if type(value) is not dict:
                    return self.inner.evaluate(context)
                value = value[key]
        except KeyError:
            return self.inner.evaluate(context)
        return value

    def children(self) -> Iterable[Expression]:
        return [self.inner]

    def __str__(self) -> str:
        return str(self.inner)


def _quick(expression: Expression) -> Expression:
    if isinstance(expression, Path) and all(type(key) is str for key in expression.path):
        return _Quick(expression)
    return expression


class _Weighed(Expression):
    """What is compared: charged by its size, because comparing long texts and lists takes long."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def evaluate(self, context: Any) -> object:
        value = self.inner.evaluate(context)
        if isinstance(value, range):
            if range_size(value) > MAX_LOOPS:
                raise TemplateLimit(RANGE_WORDS)
            context.meter.charge(MAX_LOOPS)
        else:
            context.meter.charge(size_of(value) >> 3)
        return value

    def children(self) -> Iterable[Expression]:
        return [self.inner]

    def __str__(self) -> str:
        return str(self.inner)


_COMPARED: Final = (
    comparisons.EqExpression,
    comparisons.NeExpression,
    comparisons.LtExpression,
    comparisons.GtExpression,
    comparisons.LeExpression,
    comparisons.GeExpression,
    comparisons.ContainsExpression,
)


def _weigh(expression: Any) -> None:
    """Charge the operands of a comparison when they are evaluated."""
    if isinstance(expression, _COMPARED):
        for side in ("left", "right"):
            operand = getattr(expression, side)
            if isinstance(operand, Path | RangeLiteral):
                setattr(expression, side, _Weighed(operand))


def _weigh_when(expression: Any) -> None:
    """Do the same for `case` and `when`."""
    if isinstance(expression.left, Path | RangeLiteral):
        expression.left = _Weighed(expression.left)
    expression.expressions = [
        _Weighed(one) if isinstance(one, Path | RangeLiteral) else one for one in expression.expressions
    ]


def _units(expression: Expression) -> int:
    """Return what evaluating one expression costs, without its children."""
    if isinstance(expression, Path):
        return EXPRESSION * (1 + len(expression.path))
    if isinstance(expression, LoopExpression):
        return 4 * EXPRESSION
    return EXPRESSION


def prepare(template: BoundTemplate) -> None:
    """Write the cost of each node, and let comparisons be charged; raises TemplateLimit for a node that is not ours."""
    for node in nodes_of(template.nodes):
        if isinstance(node, MultiExpressionBlockNode):
            _weigh_when(node.expression)
        if isinstance(node, _BLOCKS + _FREE):
            for expression in expressions_of(node):
                _weigh(expression)
            continue
        if not isinstance(node, _COSTED):
            raise TemplateLimit("This cannot be used here.", index=node.token.start_index)
        conditions = [node, *(child for child in node.children(None) if isinstance(child, _BLOCKS))]  # type: ignore[arg-type]
        expressions = [expression for one in conditions for expression in expressions_of(one)]
        for expression in expressions:
            _weigh(expression)
        if isinstance(node, _Output | _Assign):
            node.steps = _chain(node.expression, template.env)
            node.left = _quick(getattr(node.expression, "left", node.expression))
        if isinstance(node, _If | _Unless):
            condition: Any = node.condition
            condition.expression = _quick(condition.expression)
        node.cost = sum(map(_units, expressions)) + EXPRESSION * sum(1 for _ in filters_used(node))
