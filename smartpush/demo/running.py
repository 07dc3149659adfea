"""The processes that `make demo` and `make dev` start on this machine, at the addresses that the settings name."""

import socket
import sys
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError

from smartpush.machine.processes import Command as Process


def ports_free(*, names: Iterable[str], command: str) -> None:
    """Raise CommandError when something listens already where one of the settings' addresses is."""
    for name in names:
        parts = urlsplit(getattr(settings, name))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((parts.hostname or "127.0.0.1", parts.port or 80))
            except OSError:
                raise CommandError(
                    f"{parts.hostname}:{parts.port} is taken. If a {command} still runs here: `make stop`."
                    f" Otherwise set {name} to another port."
                ) from None


def web_process(*, workers: int, env: Mapping[str, str] | None = None) -> Process:
    """Return the web server at SMARTPUSH_PUBLIC_URL."""
    public = urlsplit(settings.SMARTPUSH_PUBLIC_URL)
    argv = [
        *(sys.executable, "-m", "gunicorn", "smartpush.wsgi:application", "--chdir", str(settings.BASE_DIR)),
        *("--bind", f"{public.hostname}:{public.port}", "--workers", str(workers)),
        *("--worker-class", "gthread", "--threads", "8", "--no-control-socket", "--forwarder-headers", ""),
    ]
    return Process(name="web", argv=argv, env=env or {})


def push_process(*, env: Mapping[str, str] | None = None) -> Process:
    """Return the local push service at SMARTPUSH_LOCAL_PUSH_URL."""
    push = urlsplit(settings.SMARTPUSH_LOCAL_PUSH_URL)
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "pushservice"]
    return Process(name="push", argv=[*argv, "--host", str(push.hostname), "--port", str(push.port)], env=env or {})
