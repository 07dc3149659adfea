"""Which programs a test may start by name: what README asks for, what Debian always has, what the set-up installs."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from smartpush.machine.bootstrap.debian import PROGRAMS

# Debian cannot be installed without these (packages dash, bash, coreutils, util-linux); README asks for make and git.
EVERYWHERE = {"sh", "bash", "cp", "env", "sleep", "true", "unshare", "make", "git"}
MAY_START = EVERYWHERE | set(PROGRAMS.values())


def refused(command: Any) -> str:
    """Return the name that a command begins with when no fresh machine knows it, else ''."""
    first = command[0] if isinstance(command, Sequence) and not isinstance(command, str | bytes) else command
    name = first.decode() if isinstance(first, bytes) else str(first)
    # A path was found by somebody: the set-up, the product, or the test itself in a folder of its own.
    return "" if Path(name).is_absolute() or name in MAY_START else name


def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test fail that starts a program which only its author's machine has."""
    start = subprocess.Popen.__init__

    def checked(self: Any, args: Any, *more: Any, **options: Any) -> None:
        if name := refused(args):
            raise AssertionError(
                f"A machine with what README asks for has no {name!r}. Let the set-up install it "
                "(smartpush/machine/bootstrap/debian.py), or use what it brings: "
                "tests.support.node.clone_node, sys.executable."
            )
        start(self, args, *more, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", checked)
