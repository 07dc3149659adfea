"""Keeping a family of processes together: who dies is restarted, and nobody outlives the parent."""

import ctypes
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import BinaryIO

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.1
FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 15.0
# A child that has lived this long has earned a quick restart again.
HEALTHY_SECONDS = 30.0
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _load_prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl
    return function


# Looked up once, before any fork: a forked child of a threaded parent must not load libraries.
_prctl = _load_prctl()


def set_parent_death_signal(*, parent: int, death_signal: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when its parent dies; no-op where there is no prctl.

    `parent` is the process id that the caller believes is its parent: when that one has died already, between
    the fork and this call, the signal is raised at once. The setting outlives an exec but not a fork.
    """
    if _prctl is None:
        return
    if _prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_PDEATHSIG): {os.strerror(number)}")
    if os.getppid() != parent:
        os.kill(os.getpid(), death_signal)


class _ForkGuard:
    """Ties every process forked from here on to the process that forked it."""

    def __init__(self) -> None:
        self._forking = os.getpid()
        self._installed = False

    def install(self) -> None:
        if not self._installed:
            self._installed = True
            os.register_at_fork(before=self._before, after_in_child=self._after_in_child)

    def _before(self) -> None:
        self._forking = os.getpid()

    def _after_in_child(self) -> None:
        set_parent_death_signal(parent=self._forking)


_fork_guard = _ForkGuard()


def die_with_parent_everywhere() -> None:
    """Make this process, and every process it or its children will fork, die when the one above is killed.

    django-q2 forks its workers through multiprocessing; a killed cluster would otherwise leave them running.
    To the kernel the parent is the thread that forked: fork from threads that live as long as the process.
    """
    set_parent_death_signal(parent=os.getppid())
    _fork_guard.install()


@dataclass(frozen=True)
class Command:
    """One child: its name in the logs, its command line, and what its environment has beside ours."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Child:
    command: Command
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    restart_at: float = 0.0
    backoff_seconds: float = FIRST_BACKOFF_SECONDS
    # When it was asked to end so that it can be started anew.
    asked_at: float | None = None


class Supervisor:
    """Runs commands as children, restarts those that die, and takes all of them down with itself.

    Times are seconds of the monotonic clock. Each child leads its own process group, and the kernel sends it
    SIGKILL when the supervisor dies, however it dies; a child that forks ties its own children to itself with
    `die_with_parent_everywhere`.
    """

    def __init__(
        self,
        *,
        commands: Sequence[Command],
        pid_file: Path | None = None,
        grace_seconds: float = 20.0,
        output: BinaryIO | None = None,
    ) -> None:
        self._children = [_Child(command=command) for command in commands]
        self._pid_file = pid_file
        self._grace_seconds = grace_seconds
        self._output = output if output is not None else sys.stdout.buffer
        self._output_lock = threading.Lock()
        self._stopping = threading.Event()
        self._asked: set[str] = set()
        self._asked_lock = threading.Lock()
        self._width = max((len(command.name) for command in commands), default=0)
        self._readers: list[threading.Thread] = []

    def run(self, *, while_running: Callable[[], bool] | None = None) -> int:
        """Supervise until a stop signal comes, `stop` is called or `while_running` says False; returns 0.

        Must be called from the main thread, which alone may handle signals. Raises OSError on a bad command.
        """
        previous = {number: signal.signal(number, self._on_signal) for number in STOP_SIGNALS}
        self._write_pid_file()
        try:
            for child in self._children:
                self._start(child)
            while not self._stopping.is_set() and (while_running is None or while_running()):
                for child in self._children:
                    self._tend(child, now=time.monotonic())
                self._stopping.wait(POLL_SECONDS)
        finally:
            self._stop_children()
            self._remove_pid_file()
            for number, handler in previous.items():
                signal.signal(number, handler)
        return 0

    def stop(self) -> None:
        """Ask `run` to take the children down and return; safe from any thread and from a signal handler."""
        self._stopping.set()

    def restart(self, *, names: Iterable[str]) -> None:
        """Have `run` end these children and start them anew at once; safe from any thread."""
        with self._asked_lock:
            self._asked.update(names)

    def pids(self) -> dict[str, int]:
        """Return the process id of each child that runs now, by name."""
        return {
            child.command.name: child.process.pid
            for child in self._children
            if child.process is not None and child.process.poll() is None
        }

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stop()

    def _start(self, child: _Child) -> None:
        parent = os.getpid()
        child.process = subprocess.Popen(  # noqa: S603 - the commands are the caller's own, no shell is involved
            list(child.command.argv),
            env={**os.environ, **child.command.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: set_parent_death_signal(parent=parent),
        )
        child.started_at = time.monotonic()
        reader = threading.Thread(target=self._stream, args=(child.command.name, child.process), daemon=True)
        reader.start()
        self._readers = [thread for thread in self._readers if thread.is_alive()] + [reader]

    def _tend(self, child: _Child, *, now: float) -> None:
        self._heed(child, now=now)
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                if child.asked_at is not None and now - child.asked_at >= self._grace_seconds:
                    _kill_group(child.process.pid, signal.SIGKILL)
                return
            # What it forked must not live on beside its successor.
            _kill_group(child.process.pid, signal.SIGKILL)
            child.process = None
            if child.asked_at is not None:
                child.asked_at, child.restart_at = None, now
                return
            if now - child.started_at >= HEALTHY_SECONDS:
                child.backoff_seconds = FIRST_BACKOFF_SECONDS
            delay = child.backoff_seconds * random.uniform(0.8, 1.2)  # noqa: S311 - spreads restarts, no secret
            child.restart_at = now + delay
            child.backoff_seconds = min(child.backoff_seconds * 2, LONGEST_BACKOFF_SECONDS)
            self._say(child.command.name, f"ended ({_describe(code)}), starting again in {delay:.1f} s")
        elif now >= child.restart_at:
            self._start(child)

    def _heed(self, child: _Child, *, now: float) -> None:
        """Begin a restart that somebody has asked for."""
        with self._asked_lock:
            if child.command.name not in self._asked:
                return
            self._asked.remove(child.command.name)
        # What was changed may have mended what made it end: it owes no pause any more.
        child.backoff_seconds, child.restart_at = FIRST_BACKOFF_SECONDS, now
        if child.process is not None and child.asked_at is None:
            child.asked_at = now
            with suppress(ProcessLookupError):
                child.process.terminate()

    def _stop_children(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    process.terminate()
        deadline = time.monotonic() + self._grace_seconds
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.0, deadline - time.monotonic()))
        for process in running:
            # The whole group: a polite child may have left impolite ones behind.
            _kill_group(process.pid, signal.SIGKILL)
            process.wait()
        for reader in self._readers:
            reader.join(timeout=1.0)

    def _stream(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        if process.stdout is not None:
            with process.stdout:
                for line in process.stdout:
                    self._write(name, line.rstrip(b"\r\n"))

    def _say(self, name: str, text: str) -> None:
        self._write(name, text.encode())

    def _write(self, name: str, line: bytes) -> None:
        # A closed terminal must not stop the reading: a child whose pipe fills up would hang.
        with self._output_lock, suppress(OSError, ValueError):
            self._output.write(f"{name:<{self._width}} | ".encode() + line + b"\n")
            self._output.flush()

    def _write_pid_file(self) -> None:
        if self._pid_file is not None:
            self._pid_file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._pid_file.with_name(f"{self._pid_file.name}.{os.getpid()}")
            draft.write_text(f"{os.getpid()}\n")
            draft.replace(self._pid_file)

    def _remove_pid_file(self) -> None:
        if self._pid_file is not None:
            with suppress(FileNotFoundError):
                # A second supervisor may have written its own number over ours.
                if self._pid_file.read_text().strip() == str(os.getpid()):
                    self._pid_file.unlink()


def _kill_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
