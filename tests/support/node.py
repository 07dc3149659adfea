"""The Node of this clone: what the set-up found on the machine or brought, with the npm packages and bundles."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from smartpush.machine.bootstrap.node import Node, node_ensure

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "node_modules"


@cache
def clone_node() -> Node:
    """Return the clone's Node once everything made with npm is there; the step that makes it lets one in at a time."""
    command = [sys.executable, "-m", "smartpush.machine.bootstrap", "frontend", "--for", "test"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    if finished.returncode:
        pytest.fail(finished.stderr.strip(), pytrace=False)
    return node_ensure(repository=ROOT)
