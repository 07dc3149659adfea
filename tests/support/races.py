"""Run work at the same moment in connections of its own, or while a statement holds its locks."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

ROUNDS = 5

PATIENCE_SECONDS = 120.0


def together(*works: Callable[[], Any]) -> list[Any]:
    """Run each in its own thread and connection, begun at one moment."""
    gate = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)
    errors: list[BaseException] = []

    def go(place: int, work: Callable[[], Any]) -> None:
        try:
            gate.wait(PATIENCE_SECONDS)
            results[place] = work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(place, work)) for place, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    if errors:
        raise errors[0]
    return results


class Held:
    """A transaction of another connection, held open until it is told to end."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.inside, self.end = threading.Event(), threading.Event()
        self.result: Any = None
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self.inside.wait(PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            with transaction.atomic():
                self.result = self._work()
                self.inside.set()
                self.end.wait(PATIENCE_SECONDS)
        finally:
            self.inside.set()
            connection.close()

    def finish(self) -> Any:
        self.end.set()
        self._thread.join(PATIENCE_SECONDS)
        return self.result


def wait_until_blocked(pid: int) -> None:
    deadline = time.monotonic() + 120
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
            if cursor.fetchone()[0]:
                return
    raise AssertionError("the statement never came to wait for the locked row")


# --- at the same moment ---
def blocked(work: Callable[[], Any], count: int = 1) -> None:
    """Wait until that many other connections of this database wait for a lock."""
    deadline = time.monotonic() + 120
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND cardinality(pg_blocking_pids(pid)) > 0"
            )
            if cursor.fetchone()[0] >= count:
                return
    raise AssertionError("nobody came to wait for the lock")
