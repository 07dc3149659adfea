"""Async work in synchronous tests, whatever loop the test's own thread already runs (Playwright leaves one there)."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_scene(scene: Coroutine[Any, Any, T]) -> T:
    """Run it to its end on a loop of its own, in a thread of its own."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, scene).result()
