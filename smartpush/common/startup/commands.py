"""What manage.py calls, and what `make` asks first: wrong settings are told without a traceback."""

from collections.abc import Sequence

from django.conf import settings
from django.core.management import execute_from_command_line

from smartpush.common.startup.refusal import EXIT_CODE, StartRefused, command_begin, say


def command_run(argv: Sequence[str]) -> None:
    """Run a management command; with wrong settings say all of them and exit."""
    command_begin(argv)
    try:
        execute_from_command_line(list(argv))
    except StartRefused as refused:
        say(str(refused))
        raise SystemExit(EXIT_CODE) from None


def settings_load() -> None:
    """Load the settings and nothing more; with wrong ones say all of them and exit."""
    try:
        settings.INSTALLED_APPS  # noqa: B018 - asking for one loads them
    except StartRefused as refused:
        say(str(refused))
        raise SystemExit(EXIT_CODE) from None
