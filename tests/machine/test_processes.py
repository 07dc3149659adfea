"""A supervised child is brought back, and nobody outlives a killed supervisor."""

import io
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from smartpush.machine.processes import Command, Supervisor
from tests.support.processes import kill, lives

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120.0

# A child that forks once more, writes both process ids to a file and waits for ever.
FORKING_CHILD = """
import os, pathlib, signal, sys, time
from smartpush.machine.processes import die_with_parent_everywhere
die_with_parent_everywhere()
grandchild = os.fork()
if grandchild == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(60)
draft = pathlib.Path(sys.argv[1] + ".draft")
draft.write_text(f"{os.getpid()} {grandchild}")
draft.rename(sys.argv[1])
while True:
    time.sleep(60)
"""

SUPERVISING = """
import sys
from smartpush.machine.processes import Command, Supervisor
from tests.support.processes import kill, lives
child = [sys.executable, "-c", sys.argv[2], sys.argv[1]]
sys.exit(Supervisor(commands=[Command(name="child", argv=child)]).run())
"""


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def test_a_killed_child_is_started_again_and_its_lines_carry_its_name(tmp_path: Path) -> None:
    output = io.BytesIO()
    script = "import os, time; print('I am', os.getpid(), flush=True); time.sleep(600)"
    pid_file = tmp_path / "run" / "worker.pid"
    supervisor = Supervisor(
        commands=[Command(name="ticker", argv=[sys.executable, "-c", script])],
        pid_file=pid_file,
        output=output,
    )
    seen: list[int] = []

    def kill_the_first() -> bool:
        for pid in supervisor.pids().values():
            if pid not in seen and f"I am {pid}\n".encode() in output.getvalue():
                seen.append(pid)
                kill([pid])
        return len(seen) < 2

    assert supervisor.run(while_running=kill_the_first) == 0
    said = output.getvalue().decode()
    assert seen[0] != seen[1]
    assert f"ticker | I am {seen[1]}" in said
    assert "ticker | ended (SIGKILL), starting again" in said
    assert not pid_file.exists()


def test_a_child_that_keeps_failing_is_restarted_ever_more_slowly() -> None:
    output = io.BytesIO()
    failing = Command(name="bad", argv=[sys.executable, "-c", "raise SystemExit(7)"])
    supervisor = Supervisor(commands=[failing], output=output)
    supervisor.run(while_running=lambda: output.getvalue().count(b"ended (exit 7)") < 3)
    delays = [float(line.split(" in ")[1].split(" s")[0]) for line in output.getvalue().decode().splitlines()]
    assert len(delays) == 3
    assert delays == sorted(delays)
    assert delays[2] > delays[0]


def test_stopping_ends_the_children_even_those_that_ignore_the_signal(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    stubborn = f"{deaf}; print('up', flush=True); time.sleep(600)"
    output = io.BytesIO()
    supervisor = Supervisor(
        commands=[Command(name="stubborn", argv=[sys.executable, "-c", stubborn])],
        output=output,
        grace_seconds=0.5,
    )
    pids: list[int] = []

    def stop_when_up() -> bool:
        if b"up" in output.getvalue():
            pids.extend(supervisor.pids().values())
            threading.Thread(target=supervisor.stop).start()
        return not pids

    supervisor.run(while_running=stop_when_up)
    assert pids
    assert not lives(pids[0])


@pytest.mark.parametrize("deaf", [False, True])
def test_a_child_is_started_anew_at_once_when_that_is_asked_for_even_a_deaf_one(deaf: bool) -> None:
    deafness = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" if deaf else "pass"
    script = f"import os, signal, time; {deafness}; print('I am', os.getpid(), flush=True); time.sleep(600)"
    commands = [Command(name=name, argv=[sys.executable, "-c", script]) for name in ("web", "other")]
    output = io.BytesIO()
    supervisor = Supervisor(commands=commands, output=output, grace_seconds=0.5)
    seen: list[dict[str, int]] = []

    def ask_once_all_are_up() -> bool:
        pids = supervisor.pids()
        up = len(pids) == 2 and all(f"I am {pid}\n".encode() in output.getvalue() for pid in pids.values())
        if up and pids not in seen:
            seen.append(pids)
            supervisor.restart(names=["web"])
        return len(seen) < 2

    supervisor.run(while_running=ask_once_all_are_up)
    assert seen[0]["web"] != seen[1]["web"]
    assert seen[0]["other"] == seen[1]["other"]
    assert b"starting again in" not in output.getvalue()


def test_a_child_that_waits_to_be_tried_again_is_tried_at_once_when_that_is_asked_for(tmp_path: Path) -> None:
    mended = tmp_path / "mended"
    script = f"import pathlib, time; pathlib.Path({str(mended)!r}).stat(); print('I run', flush=True); time.sleep(600)"
    output = io.BytesIO()
    supervisor = Supervisor(commands=[Command(name="web", argv=[sys.executable, "-c", script])], output=output)

    def mend_it_after_some_failures() -> bool:
        if output.getvalue().count(b"starting again in") == 4 and not mended.exists():
            mended.touch()
            supervisor.restart(names=["web"])
        return b"I run" not in output.getvalue()

    supervisor.run(while_running=mend_it_after_some_failures)
    assert output.getvalue().count(b"starting again in") == 4


def start_family(tmp_path: Path) -> tuple["subprocess.Popen[bytes]", int, int]:
    """Start a supervisor whose child forks a grandchild; returns it and the two process ids."""
    told = tmp_path / "pids"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISING, str(told), FORKING_CHILD],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
    )
    eventually(told.exists)
    child, grandchild = (int(part) for part in told.read_text().split())
    return supervisor, child, grandchild


@pytest.mark.faults
def test_a_killed_supervisor_leaves_no_child_and_no_grandchild(tmp_path: Path) -> None:
    supervisor, child, grandchild = start_family(tmp_path)
    assert lives(child) and lives(grandchild)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not lives(child))
    eventually(lambda: not lives(grandchild))


@pytest.mark.faults
def test_a_terminated_supervisor_takes_the_family_down_and_says_it_went_well(tmp_path: Path) -> None:
    supervisor, child, grandchild = start_family(tmp_path)
    supervisor.terminate()
    assert supervisor.wait(timeout=PATIENCE_SECONDS) == 0
    assert not lives(child)
    eventually(lambda: not lives(grandchild))


@pytest.mark.faults
def test_a_killed_child_takes_its_forked_children_with_it(tmp_path: Path) -> None:
    supervisor, child, grandchild = start_family(tmp_path)
    try:
        kill([child])
        eventually(lambda: not lives(grandchild))
        eventually(lambda: (tmp_path / "pids").read_text().split()[0] != str(child))
    finally:
        supervisor.terminate()
        supervisor.wait(timeout=PATIENCE_SECONDS)
