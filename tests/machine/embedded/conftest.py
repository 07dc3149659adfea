"""Servers of the tests' own: each in a folder that the server's account can reach, stopped afterwards."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from smartpush.machine.embedded import launcher
from smartpush.machine.embedded.backend.base import DatabaseWrapper
from smartpush.machine.embedded.layout import Layout, layout_at

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 60.0


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may enter; pytest's own are closed to all but their user."""
    folder = Path(tempfile.mkdtemp(prefix="spg-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def tidy() -> Iterator[Callable[[Layout], Layout]]:
    """Register a layout whose server is stopped, and whose socket folder is removed, after the test."""
    layouts: list[Layout] = []

    def register(layout: Layout) -> Layout:
        layouts.append(layout)
        return layout

    yield register
    for layout in layouts:
        launcher.stop(layout=layout)
        shutil.rmtree(layout.socket_folder, ignore_errors=True)


@pytest.fixture
def untouched_layout(open_folder: Path, tidy: Callable[[Layout], Layout]) -> Layout:
    """A layout where nothing has been made yet: the first start runs initdb."""
    return tidy(layout_at(data_root=open_folder / "data"))


@pytest.fixture(scope="session")
def pattern() -> Iterator[Path]:
    """The data root of a stopped server, to be copied: initdb costs more than all the rest of a start."""
    folder = Path(tempfile.mkdtemp(prefix="spg-test-", dir="/tmp"))
    folder.chmod(0o755)
    layout = layout_at(data_root=folder / "data")
    try:
        launcher.ensure_running(layout=layout)
        launcher.stop(layout=layout)
        yield layout.data_root
    finally:
        shutil.rmtree(layout.socket_folder, ignore_errors=True)
        shutil.rmtree(folder)


@pytest.fixture
def layout(pattern: Path, untouched_layout: Layout) -> Layout:
    """A layout whose cluster exists and is stopped."""
    subprocess.run(["cp", "-a", str(pattern), str(untouched_layout.data_root)], check=True)
    return untouched_layout


@pytest.fixture
def connection(
    layout: Layout, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DatabaseWrapper]:
    """A Django connection to the layout's server, which does not run yet; the project's own is not touched."""
    described = {**connections["default"].settings_dict, "ENGINE": "smartpush.machine.embedded.backend"}
    described |= {"NAME": launcher.DATABASE, "HOST": "", "PORT": "", "USER": "", "PASSWORD": "", "OPTIONS": {}}
    described |= {"EMBEDDED_DATA_ROOT": str(layout.data_root)}
    monkeypatch.setitem(connections.databases, "embedded", described)
    wrapper = connections["embedded"]
    with django_db_blocker.unblock():
        yield wrapper
        wrapper.close()
    del connections["embedded"]


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def command(*arguments: str, layout: Layout) -> "subprocess.Popen[str]":
    """Start the command line in a process group of its own."""
    argv = [sys.executable, "-m", "smartpush.machine.embedded", *arguments, "--data-dir", str(layout.data_root)]
    return subprocess.Popen(
        argv, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
