"""How an activity is executed: one of these shapes. Each is a set statement; none talks to a network.

A kind with an outbox of its own that a job empties (a webhook) will be a fourth shape, with the first such kind.
"""

from collections.abc import Callable
from dataclasses import dataclass

from campaigns.activities.statements import Pass, Stepped, outcome_sql, run_count


@dataclass(frozen=True, slots=True)
class Choose:
    """Goes on at once. `outcome` is an SQL expression over the due enrolment `d` and its step `s`, never input."""

    outcome: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Goes on when a time has come. `until` is an SQL expression over the step `n` that is reached at %(now)s."""

    until: str


@dataclass(frozen=True, slots=True)
class Write:
    """Writes messages by a statement of its own, beside the step.

    `give_up` moves on those whose answer has not come in time, for a kind that waits for one: its enrolments then wait
    for something that has the kind's own name.
    """

    advance: Callable[[Pass], Stepped]
    give_up: Callable[[Pass], Stepped] | None = None


Shape = Choose | Wait | Write


def shape_advance(*, kind: str, shape: Shape, step: Pass) -> Stepped:
    """Let up to `limit` due enrolments of this kind take their step."""
    match shape:
        case Write(advance=advance):
            return advance(step)
        case Choose(outcome=outcome):
            return Stepped(run_count(outcome_sql(kind=kind, outcome=outcome), step))
        case Wait():
            return Stepped(run_count(outcome_sql(kind=kind, outcome="'done'"), step))
