"""Decide whether a process may start, and say in plain words why not.

Settings call `start_permit` as they load, so that no process gets past them: not a web server, not a worker, not a
script that a cron job runs. A few commands help to put wrong settings right; those are told, and go on.
"""

import sys
from collections.abc import Mapping, Sequence

from django.core.exceptions import ImproperlyConfigured

from smartpush.common.numbers import noun
from smartpush.common.startup.environment import Problem

# What a process ends with that was not started; gunicorn's master takes it for "the application cannot be loaded"
# and ends too, instead of starting the next worker.
EXIT_CODE = 4

_DATABASE = frozenset({"DATABASE_URL", "SMARTPUSH_ENV"})
# Commands that help to repair an installation, each with the settings that it cannot do without.
REPAIRS: Mapping[str, frozenset[str]] = {
    "check": frozenset(),
    "collectstatic": frozenset(),
    "migrate": _DATABASE,
    "reencrypt": _DATABASE | {"SMARTPUSH_ENCRYPTION_KEYS"},
    "showmigrations": _DATABASE,
}
_PRODUCTION = """\
Set them in the environment of every process; docs/configuration.md lists all variables.
To try smartpush out or to work on it, leave SMARTPUSH_ENV unset and type `make demo` or
`make setup`, which write a development .env."""
_DEVELOPMENT = """\
docs/configuration.md lists all variables. Where there is no .env, `make setup` writes one
for development."""
_HELP = frozenset({"", "help", "version", "-h", "--help", "--version"})


class StartRefused(ImproperlyConfigured):
    """Something that a process needs is wrong. The text is for the person at the terminal, and names all of it."""

    def __init__(self, problems: Sequence[Problem], *, heading: str, closing: str = "") -> None:
        self.problems = tuple(problems)
        lines = [heading, ""]
        for problem in problems:
            lines.append(f"  {problem.text} [{problem.id}]")
            if problem.advice:
                lines.append(f"      {problem.advice}")
        super().__init__("\n".join([*lines, "", closing] if closing else lines))


class _Running:
    """The management command of this process, and whether it has been told what is wrong."""

    command: str | None = None
    told = False


def command_begin(argv: Sequence[str]) -> None:
    """Note which management command this process runs, before settings are loaded."""
    asks = any(argument in {"-h", "--help"} for argument in argv[2:])
    _Running.command = "help" if asks else (argv[1] if len(argv) > 1 else "")


def start_permit(problems: Sequence[Problem], *, environment: str, stated: bool) -> None:
    """Return when nothing is wrong or this command helps to repair it; raise StartRefused otherwise.

    `stated` is whether somebody chose the environment, which is production by default.
    """
    command = _Running.command
    if not problems or command in _HELP:
        return
    needs = REPAIRS.get(command or "")
    goes_on = needs is not None and not any(problem.name in needs for problem in problems)
    count = noun(number=len(problems), one="one setting is", many=f"{len(problems)} settings are")
    chosen = f"SMARTPUSH_ENV is {environment}" if stated else f"SMARTPUSH_ENV is unset, which means {environment}"
    verdict = f"`{command}` goes on, but smartpush would not start" if goes_on else "smartpush does not start"
    refused = StartRefused(
        problems,
        heading=f"{verdict}: {count} wrong ({chosen}).",
        closing=_PRODUCTION if environment == "production" else _DEVELOPMENT,
    )
    if not goes_on:
        raise refused
    if command != "check":  # it lists them as system checks
        _Running.told = True
        say(str(refused))


def already_told() -> bool:
    """Return whether this command has said what is wrong and goes on nevertheless."""
    return _Running.told


def say(text: str) -> None:
    """Write to standard error in one piece, so that two workers that say the same do not mix their lines."""
    sys.stderr.write(f"\n{text}\n")
    sys.stderr.flush()
