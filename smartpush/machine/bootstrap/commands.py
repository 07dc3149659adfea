"""The set-up's commands, as `make` calls them."""

import argparse
import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from smartpush.machine.bootstrap.debian import packages_ensure
from smartpush.machine.bootstrap.dotenv import configuration_required, dotenv_ensure
from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.frontend import WITH_DEVELOPMENT, frontend_ensure, package_pack
from smartpush.machine.bootstrap.node import node_ensure
from smartpush.machine.bootstrap.notices import document, notices, summary
from smartpush.machine.bootstrap.pinning import requirements_write
from smartpush.machine.bootstrap.static import static_ensure
from smartpush.machine.bootstrap.stopping import stop_everything
from smartpush.machine.bootstrap.venv import venv_ensure

REPOSITORY = Path(__file__).resolve().parents[3]
PURPOSES = ("run", "pack", "dev", "test", "bench")
# Production runs on requirements.txt alone, and so does the demo.
WITH_DEVELOPMENT_PACKAGES = ("dev", "test", "bench")


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code, with the reason on stderr when it is not 0."""
    parser = argparse.ArgumentParser(prog="python3 -m smartpush.machine.bootstrap")
    commands = parser.add_subparsers(dest="command", required=True)
    setup = commands.add_parser("setup", help="the virtual environment, Debian packages and a development .env")
    setup.add_argument("--for", dest="purpose", choices=PURPOSES, default="run")
    commands.add_parser("install", help="what a configured clone needs to run; writes no .env")
    frontend = commands.add_parser("frontend", help="the bundles made with npm, when they have changed")
    frontend.add_argument("--for", dest="purpose", choices=PURPOSES, default="run")
    commands.add_parser("pack", help="the tarball of the npm package")
    commands.add_parser("static", help="collect the static files when they have changed")
    pins = commands.add_parser("requirements", help="resolve requirements.txt and requirements-dev.txt anew")
    pins.add_argument("--upgrade", default="", help="packages to bring to their newest version, or `all`")
    licences = commands.add_parser("notices", help="the licences of what production carries")
    licences.add_argument("--into", type=Path, help="write them with their texts into a file")
    commands.add_parser("stop", help="stop what this clone has started")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "setup":
            _setup(repository=REPOSITORY, purpose=chosen.purpose, dotenv=chosen.purpose != "pack")
        elif chosen.command == "install":
            configuration_required(repository=REPOSITORY)
            _setup(repository=REPOSITORY, purpose="run", dotenv=False)
        elif chosen.command == "frontend":
            with _only_one(repository=REPOSITORY):
                _frontend(repository=REPOSITORY, purpose=chosen.purpose)
        elif chosen.command == "pack":
            packed = package_pack(repository=REPOSITORY, into=REPOSITORY / "var" / "npm")
            sys.stdout.write(f"{packed.relative_to(REPOSITORY)}\n")
        elif chosen.command == "static":
            static_ensure(repository=REPOSITORY)
        elif chosen.command == "notices":
            _notices(into=chosen.into)
        elif chosen.command == "requirements":
            changed = requirements_write(repository=REPOSITORY, upgrade=chosen.upgrade)
            sys.stdout.write(f"{', '.join(changed) or 'No pin'} changed\n")
        else:
            stop_everything(repository=REPOSITORY)
    except SetupStopped as stopped:
        sys.stderr.write(f"\n{stopped}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _setup(*, repository: Path, purpose: str, dotenv: bool) -> None:
    if not os.access(repository, os.W_OK):
        raise SetupStopped(
            f"{repository} cannot be written to by this user. Clone into a folder of your own, or run as its owner."
        )
    # What needs root is settled first: nothing has been changed when the person has to type a line.
    packages_ensure(purpose=purpose)
    with _only_one(repository=repository):
        venv_ensure(repository=repository, development=purpose in WITH_DEVELOPMENT_PACKAGES)
        if dotenv:
            dotenv_ensure(repository=repository)
        _frontend(repository=repository, purpose=purpose)


def _notices(*, into: Path | None) -> None:
    found = notices(repository=REPOSITORY)
    sys.stdout.write(summary(found))
    if into is not None:
        into.write_text(document(found))
        sys.stdout.write(f"\nWritten with the texts of the licences: {into}\n")


def _frontend(*, repository: Path, purpose: str) -> None:
    # Whoever works on the code sees the bundles that a running system has.
    purpose = "run" if purpose == "dev" else purpose
    frontend_ensure(repository=repository, purpose=purpose)
    if purpose in WITH_DEVELOPMENT:
        # Tests and benchmarks run Node themselves, also where nothing had to be built.
        node_ensure(repository=repository)


@contextlib.contextmanager
def _only_one(*, repository: Path) -> Iterator[None]:
    """Make a second set-up of this clone wait for the first; the lock goes with its process."""
    folder = repository / "var"
    folder.mkdir(mode=0o755, exist_ok=True)
    with (folder / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
