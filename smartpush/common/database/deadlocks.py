"""Transactions that lost a race with another, done again as a whole.

Deadlocks are rare, because people, devices and what hangs on them are locked in one order (ARCHITECTURE, invariants).
Where one happens all the same, PostgreSQL has undone the transaction whole: what was read in it is worth nothing, so
that only the whole of it may be done again, never a part.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, connection, transaction
from psycopg.errors import (
    DeadlockDetected,
    ForeignKeyViolation,
    LockNotAvailable,
    SerializationFailure,
    UniqueViolation,
)

T = TypeVar("T")
TRIES = 8
_JITTER_SECONDS = 0.05
_LOST = (DeadlockDetected, SerializationFailure, LockNotAvailable)
# Two calls made the same thing at once, or one refers to what the other has just removed: the next try sees it.
_OVERTAKEN = (UniqueViolation, ForeignKeyViolation)


class ChangedMeanwhile(Exception):
    """What was read before the locks were there is not so any more: the transaction begins anew."""


def is_contention(error: BaseException) -> bool:
    """Whether an error says that other transactions were quicker, not that something is broken."""
    return isinstance(error, ChangedMeanwhile) or isinstance(error.__cause__, _LOST)


def again_on_deadlock(work: Callable[[], T]) -> T:
    """Do a transaction's whole work, again when PostgreSQL ended it in favour of another; not inside a transaction."""
    return _again(work, passing=is_contention)


def transaction_again(work: Callable[[], T]) -> T:
    """Run `work` in one transaction, and all of it again where a race was lost: up to eight times, with jitter.

    Beside deadlocks those are rows that another call made or removed in the same moment, and `ChangedMeanwhile`.
    Nothing that `work` does may outlast a rollback. The last try's error reaches the caller. Inside a transaction
    (a test's, a bigger step's) `work` joins it, and whoever opened it has to do it again.
    """

    def run() -> T:
        with transaction.atomic():
            return work()

    return _again(run, passing=lambda error: is_contention(error) or isinstance(error.__cause__, _OVERTAKEN))


def _again(work: Callable[[], T], *, passing: Callable[[BaseException], bool]) -> T:
    for attempt in range(1, TRIES + 1):
        try:
            return work()
        except (Error, ChangedMeanwhile) as error:
            if not passing(error) or connection.in_atomic_block or attempt == TRIES:
                raise
            # So that the two do not meet again.
            time.sleep(random.uniform(0, _JITTER_SECONDS) * attempt)  # noqa: S311
    raise AssertionError("unreachable")
