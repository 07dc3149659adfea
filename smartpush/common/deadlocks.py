"""Deadlocks are rare, because bulk statements lock rows in the order of their ids; where one happens, try again."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected, SerializationFailure

T = TypeVar("T")
TRIES = 5


def again_on_deadlock(work: Callable[[], T]) -> T:
    """Do a transaction's whole work, again when PostgreSQL ended it in favour of another; not inside a transaction."""
    for attempt in range(1, TRIES + 1):
        try:
            return work()
        except OperationalError as error:
            passing = isinstance(error.__cause__, DeadlockDetected | SerializationFailure)
            if not passing or connection.in_atomic_block or attempt == TRIES:
                raise
            time.sleep(random.uniform(0, 0.05) * attempt)  # noqa: S311  so that the two do not meet again
    raise AssertionError("unreachable")
