"""`make stop`: what this clone has started, and nothing else."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.venv import venv_python

GRACE_SECONDS = 30.0
POLL_SECONDS = 0.1


def stop_everything(*, repository: Path) -> None:
    """Stop the processes with a pid file under var/run, then the embedded server. Raises SetupStopped."""
    for pid_file in sorted((repository / "var" / "run").glob("*.pid")):
        stop_by_pid_file(pid_file=pid_file, repository=repository)
    python = venv_python(repository=repository)
    if not python.exists():
        return
    finished = subprocess.run(  # noqa: S603 - our own interpreter and constants
        [str(python), "-m", "smartpush.machine.embedded", "stop"],
        cwd=repository,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise SetupStopped(finished.stderr.strip())
    sys.stdout.write(f"postgresql: {finished.stdout.strip()}\n")


def stop_by_pid_file(*, pid_file: Path, repository: Path) -> bool:
    """Stop the process that a pid file names, politely and then not; returns whether it was ours."""
    name = pid_file.stem
    pid = _read_pid(pid_file)
    if pid is None or not belongs_here(pid=pid, repository=repository):
        pid_file.unlink(missing_ok=True)
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            if not belongs_here(pid=pid, repository=repository):
                pid_file.unlink(missing_ok=True)
                sys.stdout.write(f"{name}: stopped\n")
                return True
            time.sleep(POLL_SECONDS)
    raise SetupStopped(f"{name} (process {pid}) does not end.")


def belongs_here(*, pid: int, repository: Path) -> bool:
    """Tell whether a living process works in this clone: a pid file's number may be a stranger's by now."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == repository
    except OSError:
        # Gone, a zombie (it has no folder any more), or somebody else's.
        return False


def _read_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().strip())
    except (OSError, ValueError):
        return None
