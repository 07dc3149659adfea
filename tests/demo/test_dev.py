"""`manage.py dev` in a copy of this repository: what is saved is taken up, and Ctrl-C ends everything."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from smartpush import __version__
from smartpush.demo.watching import ROOMS, Watcher, asks_for_building, asks_for_workers
from smartpush.machine.bootstrap.node import wheel_folder
from smartpush.machine.embedded.backend.server import layout_of_settings
from tests.browser.harness.waiting import wait_until
from tests.browser.product.running import cloned_database, free_ports, tree
from tests.support.processes import lives

REPOSITORY = Path(__file__).resolve().parents[2]
# Every process of the product starts, one after the other, on a machine that may be busy.
START_SECONDS = 240.0
CODE = "smartpush/__init__.py"
BUNDLE = "segments/builder/main.jsx"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository's files, with the installed packages of this clone."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ROOMS:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json"):
        shutil.copy(REPOSITORY / name, folder / name)
    (folder / "var").mkdir()
    shutil.copytree(REPOSITORY / "var" / "frontend", folder / "var" / "frontend")
    for path in (REPOSITORY / ".venv", REPOSITORY / "node_modules", wheel_folder(repository=REPOSITORY)):
        if path.exists():
            (folder / path.relative_to(REPOSITORY)).symlink_to(path)
    return folder


class Dev:
    """The command as `make dev` starts it, and what it has written."""

    def __init__(self, *, folder: Path, env: dict[str, str]) -> None:
        web, push = free_ports(2)
        self.url, self.ports = f"http://127.0.0.1:{web}", (web, push)
        self._log = folder.parent / "dev.log"
        addresses = {"SMARTPUSH_PUBLIC_URL": self.url, "SMARTPUSH_LOCAL_PUSH_URL": f"http://127.0.0.1:{push}"}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "dev"],
                cwd=folder, env={**os.environ, **env, **addresses}, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def get(self, path: str) -> str:
        """A page's text; empty while nobody answers."""
        try:
            answer = requests.get(self.url + path, timeout=30)
        except requests.RequestException:
            return ""
        return answer.text if answer.ok else ""


@pytest.fixture
def dev(copy: Path, transactional_db: None) -> Iterator[Dev]:
    with cloned_database() as database:
        # A copy has an embedded server of its own, unless it is told to use this clone's.
        root = layout_of_settings(settings_dict=database.wrapper().settings_dict).data_root
        env = {"SMARTPUSH_ENV": "development", "SMARTPUSH_DATA_DIR": str(root), "SMARTPUSH_BULK_WORKERS": "1"}
        running = Dev(folder=copy, env={**env, **database.env})
        try:
            yield running
        finally:
            running.process.send_signal(signal.SIGTERM)
            running.process.wait(timeout=START_SECONDS)


# The mark has pytest-django make the database that the command's is a copy of.
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900)
def test_what_is_saved_is_taken_up_and_ctrl_c_ends_everything(dev: Dev, copy: Path) -> None:
    def answers(path: str, text: str) -> None:
        wait_until(lambda: text in dev.get(path), timeout=START_SECONDS, what=f"{text} at {path}", detail=dev.said)

    answers("/healthz", __version__)
    assert f"Back office   {dev.url}/admin/" in dev.said()
    # Web, push service, two job clusters with a process each, the ticker, and those that supervise them.
    wait_until(lambda: len(tree(dev.process.pid)) > 5, timeout=START_SECONDS, what="all processes", detail=dev.said)

    (copy / CODE).write_text((copy / CODE).read_text().replace(__version__, "99.1.2"))
    answers("/healthz", "99.1.2")
    assert f"dev | changed: {CODE}" in dev.said()

    bundle = copy / BUNDLE
    bundle.write_text(f"{bundle.read_text()}\nwindow.takenUp = 'at once';\n")
    answers("/static/segments/builder.js", "takenUp")

    # What cannot be built is said, and what runs goes on.
    bundle.write_text("this is no (")
    wait_until(lambda: "esbuild could not make" in dev.said(), timeout=START_SECONDS, what="the error", detail=dev.said)
    answers("/healthz", "99.1.2")

    children = tree(dev.process.pid)
    assert len(children) > 5
    os.kill(dev.process.pid, signal.SIGINT)
    assert dev.process.wait(timeout=START_SECONDS) == 0, dev.said()
    assert "Traceback" not in dev.said(), dev.said()
    assert dev.said().endswith("Everything has ended.\n")
    wait_until(lambda: not any(lives(pid) for pid in children), what="the end of all processes")
    for port in dev.ports:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_watcher_tells_each_change_once(tmp_path: Path) -> None:
    (tmp_path / "devices" / "__pycache__").mkdir(parents=True)
    (tmp_path / "devices" / "models.py").write_text("a")
    (tmp_path / "devices" / "caps.py").write_text("a")
    watcher = Watcher(root=tmp_path)
    assert watcher.changed() == set()
    (tmp_path / "devices" / "models.py").write_text("longer")
    (tmp_path / "devices" / "caps.py").unlink()
    (tmp_path / "devices" / "keys.py").touch()
    (tmp_path / "devices" / "__pycache__" / "models.pyc").touch()
    (tmp_path / "devices" / ".models.py.swp").touch()
    assert watcher.changed() == {"devices/models.py", "devices/caps.py", "devices/keys.py"}
    assert watcher.changed() == set()


@pytest.mark.parametrize(
    ("name", "building", "workers"),
    [
        ("devices/models.py", False, True),
        ("templates/backoffice/overview.html", False, True),
        ("segments/builder/main.jsx", True, False),
        ("devices/static/devices/sdk/popup.js", True, False),
        ("smartpush/backoffice/static/backoffice/page.svg", True, False),
    ],
)
def test_a_change_starts_only_what_uses_it(name: str, building: bool, workers: bool) -> None:
    assert (asks_for_building([name]), asks_for_workers([name])) == (building, workers)
