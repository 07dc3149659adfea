"""Which statements to run: one pass over the kinds that have something due."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.advance import answers, delay, popup, push, stop
from campaigns.advance.statements import Stepped, parameters, run

# In this order a delay's end sends within the same pass, and an enrolment that has sent its last message ends in it.
_KINDS: dict[str, Callable[..., Stepped]] = {
    "delay": delay.advance,
    "popup": popup.advance,
    "push": push.advance,
    "stop": stop.advance,
}
_WHAT = """
SELECT kind, EXISTS (SELECT 1 FROM campaigns_enrolment e
                     WHERE e.state = 'active' AND e.at_kind = kind AND e.wake_at <= %(now)s AND e.waiting_for <> 'popup'
                       AND (%(ids)s::bigint[] IS NULL OR e.id = ANY(%(ids)s::bigint[])))
FROM unnest(%(kinds)s::text[]) AS kind
UNION ALL
SELECT 'timeout', EXISTS (SELECT 1 FROM campaigns_enrolment e
                          WHERE e.state = 'active' AND e.at_kind = 'popup' AND e.wake_at <= %(now)s
                            AND e.waiting_for = 'popup'
                            AND (%(ids)s::bigint[] IS NULL OR e.id = ANY(%(ids)s::bigint[])))
"""


@dataclass(frozen=True, slots=True)
class AdvanceResult:
    """`counts`: enrolments that took a step, by kind. `dispatch_ids`: those with new deliveries, to be cut and sent."""

    counts: dict[str, int]
    dispatch_ids: tuple[int, ...] = ()

    @property
    def moved(self) -> int:
        """How many steps were taken; 0 when there was nothing due."""
        return sum(self.counts.values())


def advance_due(*, now: datetime, limit: int = 5000) -> AdvanceResult:
    """One pass: up to `limit` due enrolments of each kind take one step. Call again while `moved` is not 0."""
    return _pass(now=now, limit=limit, ids=None)


def advance_enrolments(*, ids: Sequence[int], now: datetime, max_rounds: int = 4) -> AdvanceResult:
    """Advance these enrolments at once, as far as they go without waiting and within `max_rounds` passes."""
    counts: dict[str, int] = {}
    dispatch_ids: set[int] = set()
    for _ in range(max_rounds if ids else 0):
        result = _pass(now=now, limit=max(len(ids), 1), ids=ids)
        if not result.moved:
            break
        for kind, count in result.counts.items():
            counts[kind] = counts.get(kind, 0) + count
        dispatch_ids.update(result.dispatch_ids)
    return AdvanceResult(counts, tuple(sorted(dispatch_ids)))


def _pass(*, now: datetime, limit: int, ids: Sequence[int] | None) -> AdvanceResult:
    found = dict(run(_WHAT, {**parameters(now=now, limit=limit, ids=ids), "kinds": list(_KINDS)}))
    counts: dict[str, int] = {}
    dispatch_ids: set[int] = set()
    if found["timeout"]:
        counts["timeout"] = answers.time_out(now=now, limit=limit, ids=ids).steps
    # Only an empty pass asks for nothing: a step taken here may make the next kind due at once.
    anything = any(found.values())
    for kind, advance in _KINDS.items():
        if not anything:
            break
        stepped = advance(now=now, limit=limit, ids=ids)
        if stepped.steps:
            counts[kind] = stepped.steps
            dispatch_ids.update(stepped.dispatch_ids)
    return AdvanceResult(counts, tuple(sorted(dispatch_ids)))
