"""A parsed text: what it is made of, what each node costs, and how it is got ready to be rendered."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, LoopExpression, Path
from liquid.builtin.expressions import logical as comparisons
from liquid.builtin.expressions.filtered import Filter
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.case_tag import MultiExpressionBlockNode
from liquid.expression import Expression

from smartpush.common.personalisation.context import ROOTS
from smartpush.common.personalisation.limits import (
    EXPRESSION,
    MAX_LOOPS,
    RANGE_WORDS,
    TemplateLimit,
    number_fits,
    range_size,
    size_of,
)
from smartpush.common.personalisation.nodes import BLOCKS, CHAINED, CONDITIONAL, COSTED, FREE, chain_of


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
    return sum(isinstance(child, BLOCKS) for child in node.children(None))  # type: ignore[arg-type]


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
        if isinstance(node, BLOCKS + FREE):
            for expression in expressions_of(node):
                _weigh(expression)
            continue
        if not isinstance(node, COSTED):
            raise TemplateLimit("This cannot be used here.", index=node.token.start_index)
        conditions = [node, *(child for child in node.children(None) if isinstance(child, BLOCKS))]  # type: ignore[arg-type]
        expressions = [expression for one in conditions for expression in expressions_of(one)]
        for expression in expressions:
            _weigh(expression)
        if isinstance(node, CHAINED):
            node.steps = chain_of(node.expression, template.env)
            node.left = _quick(getattr(node.expression, "left", node.expression))
        if isinstance(node, CONDITIONAL):
            condition: Any = node.condition
            condition.expression = _quick(condition.expression)
        node.cost = sum(map(_units, expressions)) + EXPRESSION * sum(1 for _ in filters_used(node))
