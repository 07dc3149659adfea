"""`manage.py dev` (by `make dev`): everything that runs, started anew when a file changes; until Ctrl-C."""

import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from campaigns.management.commands.worker import worker_commands
from smartpush.demo.running import ports_free, push_process, web_process
from smartpush.demo.watching import Watcher, asks_for_building, asks_for_workers
from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.frontend import frontend_ensure
from smartpush.machine.bootstrap.static import static_ensure
from smartpush.machine.processes import Supervisor

_LOOK_SECONDS = 0.5
_ADDRESSES = ("SMARTPUSH_PUBLIC_URL", "SMARTPUSH_LOCAL_PUSH_URL")


class Command(BaseCommand):
    help = "Start web, worker and a local push service, and start them anew when a file changes. For development."

    def handle(self, *args: Any, **options: Any) -> None:
        ports_free(names=_ADDRESSES, command="demo or a dev")
        watcher = Watcher(root=settings.BASE_DIR)
        try:
            self._build()
        except SetupStopped as stopped:
            raise CommandError(str(stopped)) from None
        except KeyboardInterrupt:
            return
        self._say(
            f"\n  Back office   {settings.SMARTPUSH_PUBLIC_URL}/admin/\n"
            f"  API           {settings.SMARTPUSH_PUBLIC_URL}/api/docs/\n"
            f"  Push service  {settings.SMARTPUSH_LOCAL_PUSH_URL}/\n"
            f"  A log-in of your own: {sys.executable} manage.py createsuperuser\n"
            "  Python, templates and bundles are taken up when you save them. Ctrl-C ends everything.\n"
        )
        commands = [push_process(), web_process(workers=1), *worker_commands()]
        supervisor = Supervisor(
            commands=commands, pid_file=settings.BASE_DIR / "var" / "run" / "dev.pid", grace_seconds=8.0
        )
        ended = threading.Event()
        watching = threading.Thread(target=self._watch, args=(watcher, supervisor, ended), daemon=True)
        watching.start()
        supervisor.run()
        ended.set()
        watching.join(timeout=30)
        self._say("Everything has ended.")

    def _watch(self, watcher: Watcher, supervisor: Supervisor, ended: threading.Event) -> None:
        names = [command.name for command in worker_commands()]
        while not ended.wait(_LOOK_SECONDS):
            changed = watcher.changed()
            # An editor or a checkout writes several files: wait until it has done so.
            while changed and not ended.wait(_LOOK_SECONDS) and (more := watcher.changed()):
                changed |= more
            if not changed or ended.is_set():
                continue
            shown = sorted(changed)
            self._say(f"dev | changed: {', '.join(shown[:3])}{' and more' if len(shown) > 3 else ''}")
            if asks_for_building(changed):
                try:
                    self._build()
                except SetupStopped as stopped:
                    # Pages keep the bundle that they have; the next save tries again.
                    self._say(f"dev | {stopped}")
            supervisor.restart(names=["web", "push", *names] if asks_for_workers(changed) else ["web"])

    def _build(self) -> None:
        frontend_ensure(repository=settings.BASE_DIR, purpose="run")
        static_ensure(repository=settings.BASE_DIR)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
