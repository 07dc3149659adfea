"""One asyncio loop in one thread for everything asynchronous, so that tests stay plain functions."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from .waiting import PATIENCE_SECONDS

T = TypeVar("T")


class BackgroundLoop:
    """An event loop in a daemon thread; `run` hands it a coroutine and waits for the result."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="harness-loop", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, T], *, timeout: float = PATIENCE_SECONDS) -> T:
        """Run a coroutine in the loop and return its result; TimeoutError after `timeout` seconds."""
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise


background = BackgroundLoop()
