"""What manage.py calls, and what `make` asks first: wrong settings are told without a traceback."""

from collections.abc import Sequence
from contextlib import suppress

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.management.base import CommandError, CommandParser, handle_default_options

from smartpush.common.startup.refusal import EXIT_CODE, StartRefused, command_begin, say


def command_run(argv: Sequence[str]) -> None:
    """Run a management command; with wrong settings say all of them and exit."""
    command_begin(argv)
    # Here as Django does it later, because it goes on without settings where they cannot be loaded: `shell` would run.
    parser = CommandParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--settings")
    parser.add_argument("--pythonpath")
    with suppress(CommandError):
        handle_default_options(parser.parse_known_args(argv[2:])[0])
    settings_load()
    execute_from_command_line(list(argv))


def settings_load() -> None:
    """Load the settings and nothing more; with wrong ones say all of them and exit."""
    try:
        settings.INSTALLED_APPS  # noqa: B018 - asking for one loads them
    except StartRefused as refused:
        say(str(refused))
        raise SystemExit(EXIT_CODE) from None
