"""Ending other processes, and asking after them: any of them may have ended by itself a moment ago."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

POLL_SECONDS = 0.01
# A killed process ends at once; its memory is given back in seconds where every core is wanted by many.
END_SECONDS = 120.0


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send each of them a signal; who ended after being listed gets none."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill(pids: Iterable[int]) -> None:
    """kill -9 each of them; who ended between being listed and being killed is what was wanted."""
    signal_all(pids, signal.SIGKILL)


def kill_all_below(folder: Path) -> None:
    """kill -9 whoever works in a folder or below it until nobody does: who is killed may just have forked."""
    deadline = time.monotonic() + END_SECONDS
    while found := processes_below(folder):
        assert time.monotonic() < deadline, f"still at work in {folder}: {found}"
        kill(found)
        time.sleep(POLL_SECONDS)


def processes_below(folder: Path) -> list[int]:
    """The processes that work in a folder or below it; zombies work nowhere."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(folder):
                    found.append(int(entry.name))
    return [pid for pid in found if pid != os.getpid()]


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # the second when it ends while it is being read
        return False
