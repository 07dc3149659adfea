"""Collecting the static files, only when they have changed."""

import hashlib
import subprocess
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.venv import venv_key, venv_python

SOURCES = ("smartpush", "campaigns", "assets", "segments", "devices")
BUNDLES = Path("var") / "frontend" / "static"
STAMP = Path("var") / "static.stamp"


def static_ensure(*, repository: Path) -> bool:
    """Run `collectstatic` when a source or a package has changed; returns whether it did."""
    stamp = repository / STAMP
    wanted = _key(repository=repository)
    collected = repository / "var" / "static"
    if collected.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return False
    finished = subprocess.run(  # noqa: S603 - our own interpreter and paths
        [str(venv_python(repository=repository)), "manage.py", "collectstatic", "--noinput", "-v", "0"],
        cwd=repository,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise SetupStopped(f"{finished.stdout.strip()[-2000:]}\n\nThe static files could not be collected.")
    stamp.write_text(wanted)
    return True


def _key(*, repository: Path) -> str:
    digest = hashlib.sha256(venv_key(repository=repository).encode())
    digest.update((repository / "smartpush" / "settings.py").read_bytes())
    found = [path for app in SOURCES for path in sorted((repository / app).glob("**/static/**/*"))]
    found += sorted((repository / BUNDLES).rglob("*"))
    for path in found:
        if path.is_file():
            digest.update(f"{path.relative_to(repository)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest() + "\n"
