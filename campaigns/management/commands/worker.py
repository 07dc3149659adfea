"""`manage.py worker`: the urgent and the bulk cluster and the ticker, supervised together."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from smartpush.machine.processes import Command as Process
from smartpush.machine.processes import Supervisor

PARTS = ("urgent", "bulk", "ticker")


def worker_commands(*, only: list[str] | None = None) -> list[Process]:
    """The processes of one worker machine: a job cluster a lane, and the ticker."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    return [
        Process(name="ticker", argv=[*manage, "ticker"])
        if name == "ticker"
        else Process(name=name, argv=[*manage, "cluster", name], env={"Q_CLUSTER_NAME": name})
        for name in only or PARTS
    ]


class Command(BaseCommand):
    help = "Run everything that works in the background on this machine. Start one a machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=PARTS, action="append", help="Run only this part (repeatable).")
        parser.add_argument("--pid-file", type=Path, default=settings.BASE_DIR / "var" / "run" / "worker.pid")

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = Supervisor(commands=worker_commands(only=options["only"]), pid_file=options["pid_file"])
        raise SystemExit(supervisor.run())
