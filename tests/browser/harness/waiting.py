"""Waiting with a deadline, and a failure message that says what was missing."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.02
# What takes a moment here takes this long where every core is wanted by many. Who does not wait in vain loses nothing.
PATIENCE_SECONDS = 60.0

T = TypeVar("T")


def wait_until(
    probe: Callable[[], T], *, timeout: float = PATIENCE_SECONDS, what: str, detail: Callable[[], str] | None = None
) -> T:
    """Call `probe` until its answer is truthy and return it; fails after `timeout` seconds, naming `what`."""
    deadline = time.monotonic() + timeout
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            more = f"\n{detail()}" if detail else ""
            raise AssertionError(f"not within {timeout:g} s: {what} (last answer: {answer!r}){more}")
        time.sleep(POLL_SECONDS)
