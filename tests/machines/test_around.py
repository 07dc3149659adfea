"""Around a machine: what killed runs left, what making one needs, how the suite ended in it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.machines import machine as machines
from tests.machines.machine import last_summary, leftovers_remove


def test_what_killed_runs_left_is_removed_and_what_was_kept_is_not(tmp_path: Path):
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, others = f"smartpush-bookworm-{ended.pid}", f"backup-{ended.pid}"
    names = (left, others, f"smartpush-trixie-{os.getpid()}", "smartpush-trixie-kept", "smartpush-1-2-x")
    for name in names:
        (tmp_path / name / "etc").mkdir(parents=True)
    leftovers_remove(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names) - {left}


def test_what_is_missing_is_said_with_the_line_that_brings_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machines, "SYSTEM_FOLDERS", "/nowhere")
    said = machines.missing(path="/nowhere", user=1000)
    assert "root" in said[0]
    assert [line.split(" is missing")[0] for line in said[1:]] == [
        "debootstrap",
        "unshare",
        "pivot_root",
        "mount",
        "git",
    ]
    assert said[1].endswith("apt-get install debootstrap")


def test_the_closing_line_of_pytest_is_found_among_everything_that_was_printed(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text(
        "=== test: make test\n==== 2 failed, 7 passed, 1 warning in 9.31s (0:00:09) ====\nmake: *** Error 1\n"
    )
    assert last_summary(log) == "2 failed, 7 passed, 1 warning in 9.31s (0:00:09)"
    assert last_summary(tmp_path / "none") == ""
