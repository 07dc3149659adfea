"""`manage.py demo` (by `make demo`): everything at once, with a report; until Ctrl-C, or DEMO_EXIT=1."""

import os
import secrets
import sys
import threading
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from campaigns.management.commands.worker import worker_commands
from smartpush.demo.running import ports_free, push_process, web_process
from smartpush.demo.scenario import BRAND, DemoFailed, Report, Scenario
from smartpush.machine.processes import Command as Process
from smartpush.machine.processes import Supervisor

_STAFF = "demo"
_ADDRESSES = ("SMARTPUSH_PUBLIC_URL", "SMARTPUSH_LOCAL_PUSH_URL", "SMARTPUSH_DEMO_SITE_URL")


class Command(BaseCommand):
    help = "Start web, worker, a local push service and a demo shop; run the main job; print what happened."

    def handle(self, *args: Any, **options: Any) -> None:
        leave = os.environ.get("DEMO_EXIT") == "1"
        ports_free(names=_ADDRESSES, command="demo")
        log_path = settings.BASE_DIR / "var" / "run" / "demo.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        failed: list[str] = []
        with log_path.open("wb") as log:
            supervisor = Supervisor(commands=self._commands(), pid_file=log_path.with_name("demo.pid"), output=log)
            player = threading.Thread(target=self._play, args=(supervisor, leave, failed), daemon=True)
            player.start()
            supervisor.run()
        if failed:
            raise CommandError(failed[0])

    def _commands(self) -> list[Process]:
        # All visitors come from one address.
        env = {"SMARTPUSH_LIMIT_SDK_PER_ADDRESS": "1000000", "SMARTPUSH_LIMIT_REPORTS_PER_ADDRESS": "1000000"}
        shop = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demosite"]
        return [
            push_process(env=env),
            web_process(workers=2, env=env),
            Process(name="shop", argv=shop),
            *worker_commands(),
        ]

    def _play(self, supervisor: Supervisor, leave: bool, failed: list[str]) -> None:
        try:
            password = self._staff()
            report = Scenario(say=lambda text: self._say(f"  {text}")).run()
            self._print(report)
            if not report.right:
                failed.append("The numbers are not right; see the report.")
            if not leave:
                self._invite(password)
        except Exception as error:
            failed.append(str(error) if isinstance(error, DemoFailed) else f"{type(error).__name__}: {error}")
        finally:
            connection.close()
            if leave or failed:
                supervisor.stop()

    def _invite(self, password: str) -> None:
        self._say(
            f"\n  Back office  {settings.SMARTPUSH_PUBLIC_URL}/admin/   {_STAFF} / {password}\n"
            f"  Demo shop    {settings.SMARTPUSH_DEMO_SITE_URL}/\n"
            "  Open the shop in your own browser, wait for the popup and subscribe; then look at yourself under\n"
            "  End users in the back office. Ctrl-C ends everything; the data stays until the next demo."
        )

    def _staff(self) -> str:
        password = secrets.token_urlsafe(9)
        user, _ = get_user_model().objects.get_or_create(
            username=_STAFF, defaults={"is_staff": True, "is_superuser": True}
        )
        user.set_password(password)
        user.save()
        return password

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _print(self, report: Report) -> None:
        width = max(len(line.name) for line in report.lines)
        self._say(f"\n  {BRAND}: what happened, in {report.seconds:.1f} s")
        for line in report.lines:
            mark = "" if line.right else f"   expected {line.expected}"
            self._say(f"  {line.name:<{width}}  {line.value:>6}{mark}")
        for reason, count in sorted(report.failed.items()):
            self._say(f"    {reason:<{width - 2}}  {count:>6}")
