"""Setting a clone up: what it makes, what it repairs, and when it stops instead."""

import base64
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartpush.machine.bootstrap import debian
from smartpush.machine.bootstrap.debian import packages_missing
from smartpush.machine.bootstrap.dotenv import configuration_required, dotenv_ensure
from smartpush.machine.bootstrap.errors import SetupStopped
from smartpush.machine.bootstrap.stopping import stop_by_pid_file
from smartpush.machine.bootstrap.venv import venv_ensure, venv_is_usable, venv_python
from tests.support.programs import EVERYWHERE, MAY_START

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty clone in a folder with a space in its name, needing one package that is made on the spot."""
    # The local package below needs no index, whatever this machine's pip is configured to use.
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    folder = tmp_path / "my clone"
    folder.mkdir()
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "requirements-dev.txt").write_text("-r requirements.txt\n")
    return folder


def test_an_environment_is_made_once_and_made_again_when_it_is_broken_or_moved(clone: Path) -> None:
    folder = clone / ".venv"
    (clone / "requirements.txt").write_text("smartpush-nowhere-to-be-found==1.0\n")
    with pytest.raises(SetupStopped, match="package index could not be reached"):
        venv_ensure(repository=clone, development=True)

    # Once that is put right it goes on from where it was.
    (clone / "requirements.txt").write_text("# nothing\n")
    made_at = (folder / "pyvenv.cfg").stat().st_mtime_ns
    venv_ensure(repository=clone, development=True)
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns == made_at

    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    venv_ensure(repository=clone, development=True)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before

    # A set-up killed while pip worked leaves its mark and no stamp.
    (folder / "smartpush-stamp").unlink()
    (folder / "smartpush-under-way").touch()
    venv_ensure(repository=clone, development=True)
    assert (folder / "pyvenv.cfg").stat().st_mtime_ns != made_at
    subprocess.run([venv_python(repository=clone), "-m", "pip", "--version"], check=True, capture_output=True)

    moved = clone.rename(clone.with_name("moved"))
    assert not venv_is_usable(folder=moved / ".venv")
    shutil.rmtree(next((moved / ".venv").glob("lib/python*/site-packages/pip")))
    moved.rename(clone)
    assert not venv_is_usable(folder=folder)
    (folder / "bin" / "python").unlink()
    assert not venv_is_usable(folder=folder)


def test_the_development_file_is_private_has_fresh_keys_and_is_never_overwritten(clone: Path) -> None:
    path = clone / ".env"
    assert dotenv_ensure(repository=clone)
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not dotenv_ensure(repository=clone)
    assert path.read_text() == first
    path.unlink()
    dotenv_ensure(repository=clone)
    values = [
        dict(line.split("=", 1) for line in text.splitlines() if "=" in line) for text in (first, path.read_text())
    ]
    for name in ("SECRET_KEY", "SMARTPUSH_ENCRYPTION_KEYS", "SMARTPUSH_ID_KEY"):
        assert values[0][name] != values[1][name]
    assert len(base64.urlsafe_b64decode(values[0]["SMARTPUSH_ENCRYPTION_KEYS"])) == 32


def test_who_gets_a_development_file_is_told(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dotenv_ensure(repository=clone)
    assert capsys.readouterr().out.splitlines() == [
        "Wrote .env: this clone is now set up for development (SMARTPUSH_ENV=development)"
    ]
    dotenv_ensure(repository=clone)
    assert capsys.readouterr().out == ""


def test_what_runs_stops_where_nobody_has_configured_it(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMARTPUSH_ENV", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SetupStopped, match=r"(?s)not configured.*SMARTPUSH_VAPID_SUBJECT.*make demo"):
        configuration_required(repository=clone)
    for name in ("SMARTPUSH_ENV", "SECRET_KEY"):
        with monkeypatch.context() as patched:
            patched.setenv(name, "x")
            configuration_required(repository=clone)
    (clone / ".env").touch()
    configuration_required(repository=clone)


@pytest.mark.parametrize("target", ["run", "worker", "migrate"])
def test_make_run_in_an_unconfigured_clone_changes_nothing(clone: Path, target: str) -> None:
    sources = Path("smartpush", "machine", "bootstrap")
    shutil.copytree(REPOSITORY / sources, clone / sources, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "Makefile", clone / "Makefile")
    before = sorted(clone.rglob("*"))
    answer = subprocess.run(
        ["make", target, f"PYTHON={sys.executable}"], cwd=clone, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert answer.returncode != 0
    assert "This clone is not configured" in answer.stderr
    assert "make setup" in answer.stderr
    assert sorted(clone.rglob("*")) == before


def test_no_development_file_is_written_for_production(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMARTPUSH_ENV", "production")
    assert not dotenv_ensure(repository=clone)
    assert not (clone / ".env").exists()


def test_without_root_or_sudo_it_stops_first_with_the_exact_line() -> None:
    with tempfile.TemporaryDirectory(prefix="spg-test-", dir="/tmp") as made:
        # A clone of an unprivileged user, on a machine that has apt-get and neither sudo nor a browser.
        clone, programs = Path(made) / "clone", Path(made) / "bin"
        sources = Path("smartpush", "machine", "bootstrap")
        shutil.copytree(REPOSITORY / sources, clone / sources, ignore=shutil.ignore_patterns("__pycache__"))
        programs.mkdir()
        (programs / "apt-get").symlink_to("/usr/bin/apt-get")
        Path(made).chmod(0o755)
        drop: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        if drop:
            for path in (clone, *clone.rglob("*")):
                shutil.chown(path, "nobody", "nogroup")
        answer = subprocess.run(
            ["/usr/bin/python3", "-m", "smartpush.machine.bootstrap", "setup", "--for", "test"],
            cwd=clone, env={"PATH": str(programs)}, capture_output=True, text=True, check=False, **drop,
        )  # fmt: skip
        assert answer.returncode == 1
        assert re.search(
            r"^    sudo apt-get update && sudo apt-get install -y --no-install-recommends .*firefox-esr chromium",
            answer.stderr,
            flags=re.MULTILINE,
        )
        assert [path.name for path in clone.iterdir()] == ["smartpush"]


def test_the_programs_that_tests_start_by_name_are_all_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "PROGRAM_PATH", "/nonexistent")
    missing = set(packages_missing(purpose="test"))
    assert {"firefox-esr", "chromium", "dbus-daemon", "nginx-light", "curl", "openssl"} <= missing
    assert {debian.PROGRAMS[package] for package in missing if package in debian.PROGRAMS} | EVERYWHERE == MAY_START


def test_neither_the_demo_nor_work_on_the_code_needs_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "PROGRAM_PATH", "/nonexistent")
    assert packages_missing(purpose="run") == []
    assert packages_missing(purpose="dev") == []


@pytest.fixture
def sleeper(clone: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], cwd=clone)
    yield process
    process.kill()
    process.wait()


def test_stop_ends_what_the_pid_file_names(clone: Path, sleeper: "subprocess.Popen[bytes]") -> None:
    pid_file = clone / "web.pid"
    pid_file.write_text(f"{sleeper.pid}\n")
    assert stop_by_pid_file(pid_file=pid_file, repository=clone)
    assert sleeper.wait(timeout=60) == -signal.SIGTERM
    assert not pid_file.exists()


def test_stop_leaves_a_stranger_with_the_same_number_alone(
    clone: Path, tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    pid_file = tmp_path / "web.pid"
    pid_file.write_text(f"{sleeper.pid}\n")
    assert not stop_by_pid_file(pid_file=pid_file, repository=REPOSITORY)
    assert sleeper.poll() is None
    assert not pid_file.exists()


def test_nothing_but_the_standard_library_is_needed() -> None:
    """The system's Python, isolated from every installed package, can load the whole set-up."""
    answer = subprocess.run(
        [sys.executable, "-S", "-c", "import smartpush.machine.bootstrap.commands"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
