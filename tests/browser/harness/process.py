"""Child processes that never outlive the test run, with the end of their output kept for failure messages."""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from smartpush.machine.bootstrap.debian import TEST_PACKAGES, install_line

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

APT_LINE = install_line(missing=TEST_PACKAGES)


class MissingProgram(Exception):
    """A program that the browser tests cannot do without is not installed."""


def program(name: str) -> str:
    """Return the full path of an installed program; MissingProgram carries the line that installs it."""
    path = shutil.which(name)
    if path is None:
        raise MissingProgram(f"{name} is not installed. Type:\n    {APT_LINE}")
    return path


def temporary_folder(kind: str) -> Path:
    """Make a folder for one browser or bus, and remove those that killed test runs left behind."""
    base = Path(tempfile.gettempdir())
    for stale in base.glob("smartpush-tests-*-*"):
        owner = stale.name.split("-")[2]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(stale, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"smartpush-tests-{os.getpid()}-{kind}-", dir=base))


def die_with_parent() -> Callable[[], None]:
    """Make a `preexec_fn` by which the kernel kills the child when its parent ends, however that happens."""
    parent = os.getpid()

    def arm() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arm


def end_with_controller() -> None:
    """Make the kernel kill this pytest-xdist worker, and with it its browsers, when its controller is killed."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Child:
    """A process in a session of its own; ended as a group, killed by the kernel when the tests die."""

    def __init__(self, argv: Sequence[str], *, name: str, env: Mapping[str, str], cwd: Path | None = None) -> None:
        # PDEATHSIG follows the thread that forked, so a short-lived thread would take the child with it.
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(f"start {name} from the main thread")
        self.name = name
        # Far more than anybody prints before the line that is waited for: the wait may begin after it.
        self._lines: deque[str] = deque(maxlen=20_000)
        self._changed = threading.Condition()
        self._ended = False
        self._popen = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        self._reader = threading.Thread(target=self._read, name=f"{name}-output", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is the process group's id too."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._popen.poll() is None

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for raw in self._popen.stdout:
            with self._changed:
                self._lines.append(raw.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_line(self, *, pattern: str, timeout: float) -> re.Match[str]:
        """Return the match of the first output line that fits; fails with the output after `timeout` s."""
        deadline = time.monotonic() + timeout
        seen = re.compile(pattern)
        with self._changed:
            while True:
                for line in self._lines:
                    if match := seen.search(line):
                        return match
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    state = "ended" if self._ended else "is still running"
                    raise AssertionError(
                        f"{self.name} {state}; not printed in {timeout:g} s: {pattern!r}\n{self._tail()}"
                    )
                self._changed.wait(left)

    def _tail(self, lines: int = 60) -> str:
        return "\n".join(list(self._lines)[-lines:])

    def tail(self, *, lines: int = 60) -> str:
        """The last lines the process printed."""
        with self._changed:
            return self._tail(lines)

    def wait(self, *, timeout: float) -> bool:
        """Wait for the process to end by itself; False when it has not within `timeout` seconds."""
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, *, grace: float = 3.0) -> None:
        """Ask the group to end, and after `grace` seconds kill what is left of it."""
        self._signal(signal.SIGTERM)
        self.wait(timeout=grace)
        self.kill()

    def kill(self) -> None:
        """Kill the whole process group at once."""
        self._signal(signal.SIGKILL)
        self._popen.wait()
        self._reader.join(timeout=5)
        if self._popen.stdout is not None and not self._reader.is_alive():
            self._popen.stdout.close()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)
