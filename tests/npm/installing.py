"""The package as a site gets it: built, packed, installed from its tarball."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from smartpush.common.bootstrap.frontend import package_pack
from smartpush.common.bootstrap.node import Node, node_ensure

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = ROOT / "node_modules"


def built() -> Node:
    """Build what is not built; the Node that the tests go on with."""
    command = [sys.executable, "-m", "smartpush.common.bootstrap", "frontend", "--for", "test"]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    if finished.returncode:
        pytest.fail(finished.stderr.strip(), pytrace=False)
    return node_ensure(repository=ROOT)


def install_package(folder: Path) -> Node:
    """Install the tarball into `folder/node_modules`, with nothing but the tarball at hand."""
    node = built()
    tarball = package_pack(repository=ROOT, into=folder)
    (folder / "package.json").write_text(json.dumps({"name": "a-site", "private": True, "type": "module"}))
    cache = ["--cache", str(folder / "cache")]
    code, out, err = node.run([*node.npm, "install", "--offline", "--no-audit", *cache, str(tarball)], cwd=folder)
    assert code == 0, out + err
    return node


def esbuild(node: Node, *arguments: str, cwd: Path) -> None:
    """Bundle as a site does."""
    program = [node.program, str(MODULES / "esbuild" / "bin" / "esbuild")]
    code, out, err = node.run([*program, "--bundle", "--log-level=warning", *arguments], cwd=cwd)
    assert code == 0, out + err
