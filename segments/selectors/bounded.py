"""Statements that may be slow: each runs for so long at most, and is cancelled by PostgreSQL when its time is up."""

import time
from collections.abc import Sequence
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

# A hash join of a million ids stays in memory; compiling a plan to machine code costs more than such a plan gains.
# Without parallel workers: each of them would make the whole set of an event rule for itself.
_SET = """
SELECT set_config('statement_timeout', %s, true), set_config('work_mem', '64MB', true), set_config('jit', 'off', true),
  set_config('max_parallel_workers_per_gather', '0', true)
"""


class TooSlow(Exception):
    """The statement was cancelled; the connection and the transaction around it stay usable."""


class Superseded(TooSlow):
    """Cancelled before its time was up: a newer question took its place."""


def rows_within(*, text: str, params: Sequence[Any], milliseconds: int) -> list[tuple[Any, ...]]:
    """The rows of a statement that reads; raises TooSlow when it takes longer."""
    if milliseconds <= 0:  # which PostgreSQL would read as for ever
        raise TooSlow
    inside = connection.in_atomic_block
    started = time.monotonic()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SET, [str(milliseconds)])
            cursor.execute(text, params)
            rows = cursor.fetchall()
            if inside:  # a savepoint that ends well would leave them to the transaction around it
                cursor.execute(
                    "SET LOCAL statement_timeout = DEFAULT; SET LOCAL work_mem = DEFAULT; SET LOCAL jit = DEFAULT;"
                    " SET LOCAL max_parallel_workers_per_gather = DEFAULT"
                )
            return rows
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            early = (time.monotonic() - started) * 1000 < milliseconds
            raise (Superseded if early else TooSlow) from error
        raise
