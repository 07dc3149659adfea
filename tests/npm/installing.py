"""The package as a site gets it: built, packed, installed from its tarball."""

import json
from pathlib import Path

from smartpush.machine.bootstrap.frontend import package_pack
from smartpush.machine.bootstrap.node import Node
from tests.support.node import MODULES, ROOT, clone_node


def install_package(folder: Path) -> Node:
    """Install the tarball into `folder/node_modules`, with nothing but the tarball at hand."""
    node = clone_node()
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
