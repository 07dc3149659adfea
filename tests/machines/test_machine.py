"""A machine in namespaces of its own: its commands end in time, and nothing of it outlives the one who made it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from tests.machines.machine import CLONE, REPOSITORY, Machine, MachineFailed, Step
from tests.support.processes import kill, lives

PATIENCE_SECONDS = 120.0


def small_root(base: Path) -> Path:
    """Make the root of a machine that borrows this one's programs: made in no time, started like every other."""
    root = base / "small-kept"
    for name in ("dev", "proc", "sys", "run", "tmp", "srv", str(CLONE.relative_to("/"))):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("usr", name))
    return root


@pytest.fixture
def log() -> BytesIO:
    return BytesIO()


@pytest.fixture
def machine(tmp_path: Path, log: BytesIO) -> Iterator[Machine]:
    """A machine that can be started at once."""
    made = Machine(release="small", base=tmp_path, log=log, shared=("/usr",))
    made.root = small_root(tmp_path)
    yield made
    made.remove()


def wait_until(probe: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not probe():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def mounts_below(folder: Path) -> list[str]:
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if line.split()[4].startswith(str(folder))]


def test_a_machine_has_what_a_machine_has_and_is_alone(machine: Machine, log: BytesIO):
    asked = (
        "echo $$ of $(ls -d /proc/[0-9]* | wc -l); hostname; : >/dev/null; head -c 4 /dev/urandom | wc -c; "
        "touch /dev/shm/x && echo shared; test -d /sys/class/net && echo net; test -e /dev/pts/ptmx && echo terminals; "
        "unshare --user true && echo namespaces; pwd; ls /run"
    )
    (result,) = machine.run([Step("look", asked, 60.0)])
    said = log.getvalue().decode().split("\n")
    assert (result.name, result.code) == ("look", 0)
    assert {"smartpush-small", "4", "shared", "net", "terminals", "namespaces", str(CLONE)} <= set(said)
    # Process 1, the shell, and what the shell starts: nobody else's processes are seen.
    assert int(next(line for line in said if " of " in line and line[0].isdigit()).split()[-1]) <= 5
    assert mounts_below(machine.root) == []


def test_steps_end_with_their_exit_code_and_after_a_needed_one_that_fails_nothing_is_run(machine: Machine):
    steps = [Step("good", "true", 60.0, needed=True), Step("bad", "exit 7", 60.0), Step("last", "exit 3", 60.0, True)]
    never = Step("never", "true", 60.0)
    results = machine.run([*steps, never])
    assert [(one.name, one.code) for one in results] == [("good", 0), ("bad", 7), ("last", 3)]


def test_a_step_that_does_not_end_is_ended_with_everything_that_it_started(machine: Machine, log: BytesIO):
    mine = str(10_000_000 + os.getpid())
    stubborn = f"trap '' TERM; (setsid sleep {mine} &) ; sleep 6002"
    first, second = machine.run([Step("endless", stubborn, 1.0), Step("after", "true", 60.0)])
    assert (first.code, second.code) == (124, 0)
    assert b"stopped: not done within 1 s" in log.getvalue()
    assert not [one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", mine]]


def test_orphans_are_buried(machine: Machine, log: BytesIO):
    orphans = "for i in 1 2 3 4; do (setsid true &); done; sleep 1; cat /proc/[0-9]*/stat | grep -c ' Z ' ; true"
    machine.run([Step("orphans", orphans, 60.0)])
    assert "\n0\n" in log.getvalue().decode()


def names_of(run: "subprocess.Popen[bytes]") -> list[str]:
    """Return the names of the processes that a run has started and that are there now."""
    names = []
    for one in psutil.Process(run.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # ended since it was listed
            names.append(one.name())
    return names


KILLED = """
import signal, sys
from pathlib import Path
# Whoever starts the tests in the background has Ctrl-C ignored, for their children too.
signal.signal(signal.SIGINT, signal.default_int_handler)
from tests.machines.machine import Machine, Step
machine = Machine(release="small", base=Path(sys.argv[1]), log=open("/dev/null", "wb"), shared=("/usr",))
machine.root = Path(sys.argv[1]) / "small-kept"
machine.run([Step("sleep", "(setsid sleep 6003 &); sleep 6004", 600.0)])
"""


def test_settings_and_what_they_point_at_are_there_at_every_start(
    machine: Machine, log: BytesIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    index, wheels = tmp_path / "index" / "simple", tmp_path / "wheels"
    for folder in (index, wheels, index.parent / "files"):
        folder.mkdir(parents=True)
        (folder / "page").write_text(f"{folder.name} is here\n")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"file://{index}")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    look = f"cat {index}/page {index}/../files/page {wheels}/page; echo $PIP_FIND_LINKS; ! touch {wheels}/mine"
    for _ in range(2):
        log.truncate(0)
        assert [one.code for one in machine.run([Step("look", look, 60.0)])] == [0]
        said = log.getvalue().decode()
        assert all(f"{name} is here" in said for name in ("simple", "files", "wheels")) and str(wheels) in said


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_killed_leaves_no_process_and_no_mount(tmp_path: Path, number: signal.Signals):
    root = small_root(tmp_path)
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: names_of(run).count("sleep") == 2, "the machine with both of its processes")
        family = psutil.Process(run.pid).children(recursive=True)
        assert "unshare" in names_of(run)
        run.send_signal(number)
        run.wait(PATIENCE_SECONDS)
        wait_until(lambda: not any(lives(one.pid) for one in family), "the end of all")
    finally:
        kill([run.pid])
        run.wait()
    assert mounts_below(root) == []
    assert sorted(path.name for path in (root / "dev").iterdir()) == []


def test_a_machine_that_cannot_be_started_is_no_result(tmp_path: Path, log: BytesIO):
    machine = Machine(release="small", base=tmp_path, log=log)
    machine.root = tmp_path / "nothing-here"
    machine.root.mkdir()
    with pytest.raises(MachineFailed, match="could not be started"):
        machine.run([Step("any", "true", 60.0)])
