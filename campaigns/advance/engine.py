"""Which statements to run: one pass over the kinds that have something due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from campaigns.activities import registry
from campaigns.activities.popup import answers
from campaigns.activities.shapes import Write, shape_advance
from campaigns.activities.statements import Pass, Stepped, run

# For each kind, whether enrolments are due at it, and whether some have waited there long enough for an answer: those
# wait for something of the kind's own name.
_WHAT = """
SELECT kind, awaited, EXISTS (SELECT 1 FROM campaigns_enrolment e
                              WHERE e.state = 'active' AND e.at_kind = kind AND e.wake_at <= %(now)s
                                AND (e.waiting_for = kind) = awaited
                                AND (%(ids)s::bigint[] IS NULL OR e.id = ANY(%(ids)s::bigint[]))) AS due
FROM unnest(%(kinds)s::text[], %(waits)s::boolean[]) AS asked(kind, awaited)
"""
_TIMEOUT = "timeout"


class _Asked(NamedTuple):
    kind: str
    awaited: bool
    due: bool


@dataclass(frozen=True, slots=True)
class AdvanceResult:
    """`counts`: enrolments that took a step, by kind, and `timeout` for those that no answer came for.

    `dispatch_ids`: those with new deliveries, to be cut and sent.
    """

    counts: dict[str, int]
    dispatch_ids: tuple[int, ...] = ()

    @property
    def moved(self) -> int:
        """How many steps were taken; 0 when there was nothing due."""
        return sum(self.counts.values())


def advance_due(*, now: datetime, limit: int = 5000) -> AdvanceResult:
    """One pass: up to `limit` due enrolments of each kind take one step. Call again while `moved` is not 0."""
    return _pass(_of(now=now, limit=limit, ids=None))


def advance_enrolments(*, ids: Sequence[int], now: datetime, max_rounds: int = 4) -> AdvanceResult:
    """Advance these enrolments at once, as far as they go without waiting and within `max_rounds` passes."""
    counts: dict[str, int] = {}
    dispatch_ids: set[int] = set()
    for _ in range(max_rounds if ids else 0):
        result = _pass(_of(now=now, limit=max(len(ids), 1), ids=ids))
        if not result.moved:
            break
        for kind, count in result.counts.items():
            counts[kind] = counts.get(kind, 0) + count
        dispatch_ids.update(result.dispatch_ids)
    return AdvanceResult(counts, tuple(sorted(dispatch_ids)))


def popup_answers_apply(*, now: datetime, offer_ids: Sequence[int] | None = None, limit: int = 5000) -> list[int]:
    """Move on the enrolments whose popup has ended and return their ids.

    Call it with the offer's id in the transaction that recorded the answer. The ticker calls it without.
    """
    return answers.answers_apply(_of(now=now, limit=limit, ids=None), offer_ids=offer_ids)


def _of(*, now: datetime, limit: int, ids: Sequence[int] | None) -> Pass:
    return Pass(now=now, limit=limit, ids=ids, wakes=registry.wake_sql())


def _pass(step: Pass) -> AdvanceResult:
    giving_up = {
        plugin.kind.name: plugin.shape.give_up
        for plugin in registry.PLUGINS
        if isinstance(plugin.shape, Write) and plugin.shape.give_up is not None
    }
    asked = [(name, False) for name in registry.plugins()] + [(name, True) for name in giving_up]
    found = run(_Asked, _WHAT, step, kinds=[name for name, _ in asked], waits=[awaited for _, awaited in asked])
    due = {(one.kind, one.awaited) for one in found if one.due}
    counts: dict[str, int] = {}
    dispatch_ids: set[int] = set()

    def add(name: str, stepped: Stepped) -> None:
        if stepped.steps:
            counts[name] = counts.get(name, 0) + stepped.steps
            dispatch_ids.update(stepped.dispatch_ids)

    for name, give_up in giving_up.items():
        if (name, True) in due:
            add(_TIMEOUT, give_up(step))
    # Only an empty pass asks for nothing: a step taken here may make the next kind due at once.
    for plugin in registry.PLUGINS if due else ():
        add(plugin.kind.name, shape_advance(kind=plugin.kind.name, shape=plugin.shape, step=step))
    return AdvanceResult(counts, tuple(sorted(dispatch_ids)))
