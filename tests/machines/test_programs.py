"""A test that needs a program of its author's machine fails on that machine already."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.node import clone_node


@pytest.mark.parametrize("command", [["node", "-e", "1"], ("npm", "install"), "psql", [b"wget", b"x"], ["python"]])
def test_a_program_that_nobody_asked_for_or_installs_is_refused_by_name(command):
    name = command if isinstance(command, str) else command[0]
    with pytest.raises(AssertionError, match=f"has no '{name if isinstance(name, str) else name.decode()}'"):
        subprocess.run(command, check=False)


def test_what_a_fresh_machine_has_and_what_the_set_up_brings_is_started(tmp_path: Path):
    own = tmp_path / "wget"
    own.write_text("#!/bin/sh\necho mine\n")
    own.chmod(0o755)
    for command in (["git", "--version"], ["curl", "--version"], ["openssl", "version"], [sys.executable, "-V"], [own]):
        assert subprocess.run(command, check=True, capture_output=True).stdout
    assert clone_node().run([clone_node().program, "-p", "6 * 7"], cwd=tmp_path)[1] == "42\n"
