"""The build step: made when something changed, without Node where nothing is to be made, and plain when it cannot."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.frontend import frontend_ensure, packages_ensure
from smartpush.machine.bootstrap.node import machine_node, wheel_folder
from tests.support.node import MODULES, ROOT, clone_node


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with one bundle for tests, and with this clone's npm packages and its Node."""
    clone_node()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "part.js").write_text("export const words = 'first words';\n")
    (tmp_path / "src" / "entry.js").write_text("import {words} from './part.js';\nconsole.log(words);\n")
    listed = {"source": "src/entry.js", "out": "shown.js", "for": ["test"], "from": ["src"], "options": ["--minify"]}
    (tmp_path / "package.json").write_text(json.dumps({"bundles": [listed]}))
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    brought = wheel_folder(repository=ROOT)
    if brought.is_dir():
        (tmp_path / "var").mkdir()
        wheel_folder(repository=tmp_path).symlink_to(brought)
    return tmp_path


def test_a_bundle_is_made_again_only_when_what_it_is_made_from_has_changed(clone: Path):
    out = clone / "var" / "frontend" / "shown.js"
    assert frontend_ensure(repository=clone, purpose="test") == ["shown.js"]
    node = clone_node()
    assert node.run([node.program, str(out)], cwd=clone)[1] == "first words\n"
    assert frontend_ensure(repository=clone, purpose="test") == []
    (clone / "src" / "part.js").write_text("export const words = 'second words';\n")
    assert frontend_ensure(repository=clone, purpose="test") == ["shown.js"]
    assert "second words" in out.read_text()
    out.unlink()
    assert frontend_ensure(repository=clone, purpose="test") == ["shown.js"]


def test_a_source_with_a_mistake_is_named_and_leaves_the_last_good_bundle(clone: Path):
    frontend_ensure(repository=clone, purpose="test")
    (clone / "src" / "part.js").write_text("export const words = ;\n")
    with pytest.raises(SetupStopped, match=r"src/part\.js:1"):
        frontend_ensure(repository=clone, purpose="test")
    assert "first words" in (clone / "var" / "frontend" / "shown.js").read_text()


def test_what_needs_no_bundle_needs_no_node(clone: Path, monkeypatch: pytest.MonkeyPatch):
    (clone / "node_modules").unlink()
    monkeypatch.setenv("PATH", str(clone / "src"))
    assert frontend_ensure(repository=clone, purpose="run") == []
    assert frontend_ensure(repository=ROOT, purpose="run") == []


def test_a_registry_that_cannot_be_reached_is_said_plainly(clone: Path, monkeypatch: pytest.MonkeyPatch):
    (clone / "node_modules").unlink()
    shutil.copy(ROOT / "package.json", clone)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    with pytest.raises(SetupStopped, match="npm registry could not be reached"):
        packages_ensure(repository=clone, development=True)


@pytest.mark.parametrize(("version", "usable"), [("v18.20.4", False), ("v20.0.0", True), ("v24.1.0", True)])
def test_a_node_that_is_too_old_is_none(tmp_path: Path, version: str, usable: bool):
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
        (tmp_path / name).chmod(0o755)
    assert (machine_node(path=str(tmp_path)) is not None) == usable
    (tmp_path / "npm").unlink()
    assert machine_node(path=str(tmp_path)) is None


def test_the_lock_file_pins_every_package_by_hash_and_names_no_registry():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    pinned = {name: one for name, one in packages.items() if name}
    assert pinned and all(one["integrity"].startswith("sha512-") for one in pinned.values())
    assert not [name for name, one in pinned.items() if "resolved" in one]
    listed = json.loads((ROOT / "package.json").read_text())
    exact = {**listed["dependencies"], **listed["devDependencies"]}
    assert {name: packages[f"node_modules/{name}"]["version"] for name in exact} == exact


def test_what_is_built_is_not_committed():
    ignored = ["node_modules", "var/frontend"]
    found = subprocess.run(["git", "check-ignore", *ignored], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ignored
