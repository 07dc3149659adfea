"""`manage.py ticker`: the one-second tick, started by `manage.py worker`."""

import os
import signal
import threading
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from campaigns.ticker import Ticker, lock_take
from smartpush.common.time.clock import utc_now
from smartpush.machine.processes import set_parent_death_signal

log = structlog.get_logger(__name__)

PERIOD = 1.0
_BUSY_PERIOD = 0.2
_FULL = 1000  # a tick that did this much has more waiting


class Command(BaseCommand):
    help = "Move on what is due, once a second. Any number may run; one at a time is at work."

    def handle(self, *args: Any, **options: Any) -> None:
        set_parent_death_signal(parent=os.getppid())
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        ticker = Ticker()
        holding = False
        while not stop.is_set():
            done = 0
            try:
                holding = holding or lock_take()
                if holding:
                    done = ticker.tick(now=utc_now())
            except DatabaseError as error:
                log.warning("ticker_lost_its_database", error=str(error))
                holding = False
                connection.close()
            stop.wait(0 if done >= _FULL else _BUSY_PERIOD if done else PERIOD)
