"""Rate limits: fixed one-minute windows in the cache.

With REDIS_URL the counts are shared by all processes; without, each process counts for itself, so the effective limit
is the configured one times the number of web processes.
"""

import time
from dataclasses import dataclass

from django.core.cache import cache

WINDOW = 60


@dataclass(frozen=True, slots=True)
class LimitState:
    """One window as a caller is told of it; `reset` in seconds until it ends."""

    limit: int
    remaining: int
    reset: int
    exceeded: bool


def limit_count(*, scope: str, key: str, per_minute: int) -> LimitState:
    """Count one request and say how the window stands."""
    now = int(time.time())
    name = f"limit:{scope}:{key}:{now // WINDOW}"
    count = 1
    if not cache.add(name, 1, WINDOW + 5):
        try:
            count = cache.incr(name)
        except ValueError:  # the window ended between the two calls
            count = 1
    return LimitState(
        limit=per_minute,
        remaining=max(per_minute - count, 0),
        reset=WINDOW - now % WINDOW,
        exceeded=count > per_minute,
    )


def limit_exceeded(*, scope: str, key: str, per_minute: int) -> int | None:
    """Count one request; None while within the limit, else the seconds until the window ends."""
    state = limit_count(scope=scope, key=key, per_minute=per_minute)
    return state.reset if state.exceeded else None
