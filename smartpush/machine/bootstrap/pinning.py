"""`make requirements`: both files of pins, resolved anew from the short lists in pyproject.toml."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.venv import DEVELOPMENT, PRODUCTION, venv_python

WHEEL = "uv==0.13.9"
# The oldest Python that we support: it needs whatever a younger one needs, and a few backports.
PYTHON = "3.11"
PRODUCTION_HEAD = """\
# What the processes need at run time, pinned by `make requirements` from `dependencies` in pyproject.toml.
# http-ece ships no wheel: never install with --only-binary=:all:.
"""
DEVELOPMENT_HEAD = """\
# What tests, checks and benchmarks add, pinned by `make requirements` from `dependency-groups` in pyproject.toml.
-r requirements.txt
"""


def requirements_write(*, repository: Path, upgrade: str = "") -> list[str]:
    """Resolve both files and write those that change; returns their names. Raises SetupStopped.

    Present pins are kept where they still fit. `upgrade` names packages to bring to their newest version,
    parted by spaces; `all` means every package.
    """
    uv = _uv(repository=repository)
    present = "".join((repository / name).read_text() for name in (PRODUCTION, DEVELOPMENT))
    production = _resolved(uv, repository=repository, present=present, upgrade=upgrade, groups=())
    # Resolved again with the production pins as they are now, so that the two files can never disagree.
    whole = _resolved(uv, repository=repository, present=present, upgrade=upgrade, groups=("dev",), held=production)
    texts = {
        PRODUCTION: PRODUCTION_HEAD + "".join(production),
        DEVELOPMENT: DEVELOPMENT_HEAD + "".join(added(whole=whole, production=production)),
    }
    changed = [name for name, text in texts.items() if (repository / name).read_text() != text]
    for name in changed:
        draft = repository / "var" / f"{name}.draft"
        draft.write_text(texts[name])
        draft.replace(repository / name)
    return changed


def added(*, whole: list[str], production: list[str]) -> list[str]:
    """Return the lines of packages that production does not have."""
    there = {_package(line) for line in production}
    return [line for line in whole if _package(line) not in there]


def _package(line: str) -> str:
    return re.split(r"[=<>~! ;\[]", line, maxsplit=1)[0]


def _resolved(
    uv: Path, *, repository: Path, present: str, upgrade: str, groups: tuple[str, ...], held: list[str] | None = None
) -> list[str]:
    names = upgrade.split()
    upgrades = ["--upgrade"] if names == ["all"] else [part for name in names for part in ("--upgrade-package", name)]
    with tempfile.TemporaryDirectory(dir=repository / "var") as folder:
        out, constraints = Path(folder, "pins.txt"), Path(folder, "held.txt")
        # uv keeps the pins that it finds in its output file.
        out.write_text("".join(line for line in present.splitlines(keepends=True) if not line.startswith("-r ")))
        constraints.write_text("".join(held or []))
        argv = [str(uv), "pip", "compile", "pyproject.toml", "--quiet", "--python-version", PYTHON]
        argv += ["--annotation-style", "line", "--no-header", "--output-file", str(out), *upgrades]
        argv += [part for group in groups for part in ("--group", group)]
        if held is not None:
            argv += ["--constraint", str(constraints)]
        finished = subprocess.run(  # noqa: S603 - a pinned program and our own arguments
            argv, cwd=repository, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if finished.returncode != 0:
            raise SetupStopped(f"{finished.stderr.strip()[-2000:]}\n\nThe requirements could not be resolved.")
        return [_shown(line) for line in out.read_text().splitlines(keepends=True)]


def _shown(line: str) -> str:
    """Name who asks for a package shortly, and leave out the file that held it to its version."""
    pin, _, via = line.rstrip().partition("# via ")
    asking = [one for one in via.split(", ") if not one.startswith("-c ")]
    named = ", ".join(re.sub(r"^smartpush \(pyproject\.toml(:dev)?\)$", "smartpush", one) for one in asking)
    return f"{pin.rstrip():<35}  # {named}\n" if named else f"{pin.rstrip()}\n"


def _uv(*, repository: Path) -> Path:
    folder = repository / "var" / WHEEL.replace("==", "-")
    if not folder.is_dir():
        sys.stdout.write(f"Installing {WHEEL} into var/, which resolves the requirements\n")
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
            raise SetupStopped(f"{finished.stdout.strip()[-1500:]}\n\n{WHEEL} could not be installed.")
        # Moved into place at the end, so that an interrupted installation is not taken for a whole one.
        draft.replace(folder)
    program = folder / "bin" / "uv"
    if not os.access(program, os.X_OK):
        raise SetupStopped(f"{program} cannot be run; remove {folder} and try again.")
    return program
