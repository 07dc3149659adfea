"""How fast a push service that limits us is sent to: what was seen goes in, what to do comes out.

A push service says *later* (429, or 401 and 403 to our credentials) and at best for how long. Nothing goes before that.
Then one message tries, and when it is accepted the rest follow, at the rate that the service took between two
refusals, spread evenly. The rate rises slowly until the next refusal, so that a limit that was lifted is noticed.

A first refusal may be about one device alone. So as long as no limit is known and only one device was refused, a
message to another device tries at once: when it is accepted, the hold is over.

Times are Unix seconds, rates messages a second.
"""

from dataclasses import dataclass, replace
from typing import Final

THROTTLED: Final = "throttled"
BREAKER: Final = "breaker"

LONGEST_HOLD: Final = 86_400.0
FIRST_BREAKER: Final = 60.0
LONGEST_BREAKER: Final = 3_600.0
FIRST_GUESS: Final = 0.5
"""Seconds to wait after a refusal that did not say for how long; doubled with each one that follows."""
LONGEST_GUESS: Final = 60.0
TRY_SECONDS: Final = 40.0
"""For how long a message that tries may be under way before another may."""
SPREAD_SECONDS: Final = 0.5
"""A grant covers the messages of so many seconds at most."""
CATCH_UP_SECONDS: Final = 1.0
"""What was not used in the last second may be made up for."""

_LOWER: Final = 0.985
_RISE: Final = 0.02
_RISE_FAST: Final = 0.5
_LEAST_CYCLE: Final = 0.1
_LEAST_RATE: Final = 1 / 60
_FIRST_RATE: Final = 2.0  # little was sent before the first refusal: that says nothing of how much may be


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of one limit; the fields are those of SendBudget."""

    kind: str = ""
    held_until: float = 0.0
    held_at: float = 0.0
    refusals: int = 0
    suspect: int | None = None
    trying_until: float = 0.0
    rate: float | None = None
    cycle: float = 0.0
    rising: bool = False
    cycle_began: float = 0.0
    cycle_taken: int = 0
    raised_at: float = 0.0
    next_slot: float = 0.0


@dataclass(frozen=True, slots=True)
class Grant:
    """So many messages may go, each `spacing` seconds after the one before.

    The first goes after `delay` seconds, at once where that is negative. A grant that only tries is of one message, to
    another device than `not_to`.
    """

    count: int
    delay: float = 0.0
    spacing: float = 0.0
    tries: bool = False
    not_to: int | None = None


NONE: Final = Grant(0)


@dataclass(frozen=True, slots=True)
class Recent:
    """What was accepted without a known limit until the first refusal: how many messages since when."""

    taken: int
    began: float


def hold_seconds(*, kind: str, refusals: int, retry_after: float | None) -> float:
    """Return for how long nothing goes after this many refusals in a row."""
    if kind == BREAKER:
        return min(max(FIRST_BREAKER * 2.0 ** min(refusals - 1, 10), retry_after or 0.0), LONGEST_BREAKER)
    if retry_after is not None:
        return min(max(retry_after, FIRST_GUESS), LONGEST_HOLD)
    return min(FIRST_GUESS * 2.0 ** min(refusals - 1, 10), LONGEST_GUESS)


def refused(
    pace: Pace,
    *,
    kind: str,
    device: int,
    at: float,
    tried: bool,
    retry_after: float | None,
    recent: Recent | None = None,
) -> Pace:
    """Return what is known after a refusal.

    `tried`: the message went under a grant that tries. `recent`: what was accepted before, where no limit was known.
    """
    if pace.suspect == device and not pace.kind:
        return pace  # it alone is refused, others are accepted: that holds nobody else
    if pace.kind and not tried:  # it was under way before we knew
        if pace.suspect is None or pace.suspect == device:
            return pace
        confirmed = replace(pace, suspect=None, trying_until=0.0)
        return _learned(confirmed, recent=recent) if kind == THROTTLED else confirmed
    refusals = pace.refusals + 1
    seconds = hold_seconds(kind=kind, refusals=refusals, retry_after=retry_after)
    alone = pace.rate is None and not pace.kind
    held = replace(
        pace, kind=kind, held_at=at, held_until=at + seconds, refusals=refusals, trying_until=0.0,
        suspect=device if alone else None,
    )  # fmt: skip
    if alone or kind == BREAKER:
        return held
    if pace.rate is None:
        return _learned(held, recent=recent)
    if refusals > 1:  # the message that tried: the same window is still shut
        return replace(held, cycle_began=held.held_until, cycle_taken=0, next_slot=held.held_until)
    return _lowered(held, seconds=_likely(seconds, retry_after))


def _likely(seconds: float, retry_after: float | None) -> float:
    """Return the likely seconds behind a Retry-After: whole seconds are rounded up."""
    return (
        seconds - 0.5 if retry_after is not None and retry_after >= 1 and retry_after == int(retry_after) else seconds
    )


def _learned(pace: Pace, *, recent: Recent | None) -> Pace:
    taken, began = (recent.taken, recent.began) if recent is not None else (pace.cycle_taken, pace.cycle_began)
    seconds = pace.held_until - pace.held_at
    cycle = max(pace.held_at - began + _likely(seconds, seconds), _LEAST_CYCLE)
    return _resumed(replace(pace, rate=max(taken / cycle, _FIRST_RATE), cycle=cycle, rising=True), seconds=seconds)


def _lowered(pace: Pace, *, seconds: float) -> Pace:
    assert pace.rate is not None
    took = pace.cycle_taken / max(pace.held_at - pace.cycle_began + seconds, _LEAST_CYCLE)
    rate = pace.rate * _LOWER
    if took < rate * 0.9:  # far from it: what was really accepted says more
        rate = took
    return _resumed(replace(pace, rate=max(rate, _LEAST_RATE), rising=False), seconds=pace.held_until - pace.held_at)


def _resumed(pace: Pace, *, seconds: float) -> Pace:
    return replace(
        pace,
        cycle_began=pace.held_until,
        cycle_taken=0,
        raised_at=pace.held_until,
        next_slot=pace.held_until - min(seconds, CATCH_UP_SECONDS) / 2,
    )


def accepted(pace: Pace, *, count: int, tried: bool) -> Pace:
    """Return what is known after messages were accepted; `tried` as in `refused`, of any of them."""
    counted = replace(pace, cycle_taken=pace.cycle_taken + count)
    if not pace.kind or not tried:
        return counted
    # A suspect stays known after its hold: when it is refused again, that is about it alone.
    return replace(counted, kind="", held_until=0.0, refusals=0, trying_until=0.0)


def granted(pace: Pace, *, want: int, at: float) -> tuple[Grant, Pace]:
    """Return how many of `want` messages may go now, and what is known then."""
    if want < 1:
        return NONE, pace
    if pace.kind:
        return _tried(pace, at=at)
    if pace.rate is None:
        return Grant(want), pace
    rate, raised_at = pace.rate, pace.raised_at
    if at - raised_at > pace.cycle:
        rate, raised_at = rate * (1 + (_RISE_FAST if pace.rising else _RISE)), at
    first = max(pace.next_slot, at - min(pace.cycle, CATCH_UP_SECONDS))
    if first > at + SPREAD_SECONDS / 2:  # enough has been handed out; a few large grants cost less than many small
        return NONE, pace
    count = min(want, max(1, int((at + SPREAD_SECONDS - first) * rate)))
    known = replace(pace, rate=rate, raised_at=raised_at, next_slot=first + count / rate)
    return Grant(count, delay=first - at, spacing=1 / rate), known


def _tried(pace: Pace, *, at: float) -> tuple[Grant, Pace]:
    if at < pace.trying_until:
        return NONE, pace
    if at < pace.held_until:
        if pace.suspect is None:
            return NONE, pace
        return Grant(1, tries=True, not_to=pace.suspect), replace(pace, trying_until=at + TRY_SECONDS)
    return Grant(1, tries=True), replace(pace, trying_until=at + TRY_SECONDS)
