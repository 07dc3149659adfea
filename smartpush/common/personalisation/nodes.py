"""Liquid's tags with a meter: each node and iteration is counted, and what it evaluates is charged beforehand.

The library parses and renders; its extension points (`node_class`, a context and a template of our own) carry the
counting. What a template may be made of is closed: `prepare` (trees.py) refuses any node that is not counted here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TextIO

from liquid.ast import BlockNode, ConditionalBlockNode, Node
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.arguments import PositionalArgument
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
from liquid.exceptions import BreakLoop, ContextDepthError, ContinueLoop, LoopIterationLimitError
from liquid.expression import Expression
from liquid.stringify import to_liquid_string

from smartpush.common.personalisation.addresses import AddressBuffer, Place, is_ready, value_encode
from smartpush.common.personalisation.context import OUTPUT_WORDS, Buffer
from smartpush.common.personalisation.exploring import (
    explore_branches,
    explore_each,
    explore_if,
    explore_nodes,
    explored,
)
from smartpush.common.personalisation.filters import TemplateFilter, call
from smartpush.common.personalisation.limits import (
    LOOPS_WORDS,
    MAX_LOOPS,
    MAX_OUTPUT,
    MAX_RANGE,
    TemplateLimit,
    range_size,
    text_size,
)


# `cost` is what the expressions of a node cost; `prepare` writes it once the template is parsed.
class _Content(ContentNode):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(0)
        return buffer.write(self.text)


@dataclass(frozen=True, slots=True)
class Step:
    """One filter of a chain, looked up beforehand."""

    filter: TemplateFilter
    arguments: tuple[Expression, ...]


def chain_of(expression: Any, environment: Any) -> tuple[Step, ...] | None:
    """Return the filters of an expression; None where the library has to look: unknown ones, and named arguments."""
    if not isinstance(expression, FilteredExpression):
        return None
    steps = []
    for used in expression.filters or ():
        found = environment.guarded.get(used.name)
        if found is None or not all(type(argument) is PositionalArgument for argument in used.args):
            return None
        steps.append(Step(found, tuple(argument.value for argument in used.args)))
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
    steps: tuple[Step, ...] | None

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        value = _filtered(self, context)
        if type(value) is not str:
            if text_size(value) > MAX_OUTPUT:
                raise TemplateLimit(OUTPUT_WORDS)
            value = to_liquid_string(value, autoescape=False)
        if isinstance(buffer, AddressBuffer) and not is_ready(self, context.ready):
            value = value_encode(value, buffer.place)
        return buffer.write(value)


class _If(IfNode):
    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        return explore_if(self, context, buffer) if context.explores else super().render_to_output(context, buffer)


class _Unless(UnlessNode):
    __slots__ = ("cost",)
    cost: int

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        return explore_if(self, context, buffer) if context.explores else super().render_to_output(context, buffer)


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
        return explore_branches(context, buffer, branches)


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
        return explore_each(context, buffer, [body, otherwise])


class _Assign(AssignNode):
    __slots__ = ("cost", "left", "steps")
    cost: int
    left: Expression
    steps: tuple[Step, ...] | None

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(self.cost)
        context.assign(self.name, _filtered(self, context))
        if context.ready is not None:
            (context.ready.add if is_ready(self, context.ready) else context.ready.discard)(str(self.name))
        return 0


class _Capture(CaptureNode):
    __slots__ = ()

    def render_to_output(self, context: Any, buffer: TextIO) -> int:
        context.meter.visit(0)
        if context.ready is not None and isinstance(buffer, Buffer):
            piece = AddressBuffer(context.meter, buffer.size, Place.PIECE)
            self.block.render(context, piece)
            self._assign(context, piece)
            context.ready.add(str(self.name))
            return 0
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


TAGS: Final = (
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
COSTED: Final = (_Output, _If, _Unless, _Case, _For, _Assign)
FREE: Final = (_Content, _Capture, _Comment, _InlineComment, BreakNode, ContinueNode)
CHAINED: Final = (_Output, _Assign)
CONDITIONAL: Final = (_If, _Unless)
BLOCKS: Final = (BlockNode, ConditionalBlockNode, MultiExpressionBlockNode)
