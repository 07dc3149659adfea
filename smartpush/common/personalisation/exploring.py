"""Entering every branch of a text for its limits alone, wherever the sample values would lead."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TextIO

from liquid.ast import Node
from liquid.expression import Expression

from smartpush.common.personalisation.limits import (
    Meter,
    TemplateLimit,
    TemplateTime,
)


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


def explore_branches(context: Any, buffer: TextIO, branches: Sequence[Iterable[Node]]) -> int:
    return explore_each(context, buffer, [partial(explore_nodes, nodes, context, buffer) for nodes in branches])


def explore_each(context: Any, buffer: Any, branches: Sequence[Callable[[], None]]) -> int:
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


def explore_if(node: Any, context: Any, buffer: TextIO) -> int:
    for condition in (node.condition, *(one.expression for one in node.alternatives)):
        explored(condition, context)
    blocks = [node.consequence, *(one.block for one in node.alternatives), *([node.default] if node.default else [])]
    return explore_branches(context, buffer, [block.nodes for block in blocks])
