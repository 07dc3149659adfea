"""A clean Debian machine in a folder: made by debootstrap, told how to reach the registries, run, and removed."""

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.machines.enter import is_there
from tests.machines.handed import (
    ADDED_CERTIFICATES,
    apt_acquire,
    environment_passed_on,
    home_folder,
    host_release,
    paths_pointed_at,
    settings_found,
    sources_for,
    sources_read,
    texts_of_settings,
)

REPOSITORY = Path(__file__).resolve().parents[2]
# All that README asks for, and the certificates without which git and pip reach nothing.
ASKED_FOR = ("python3", "python3-venv", "make", "git", "ca-certificates")
CLONE = Path("/srv/smartpush")
RESULTS = Path("/srv/results.json")
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
}
NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--propagation", "private")
SYSTEM_FOLDERS = "/usr/sbin:/sbin"
BUILD_SECONDS = 30 * 60.0
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class MachineFailed(Exception):
    """The machine could not be made or entered; the message says what the person at the terminal can do."""


@dataclass(frozen=True)
class Step:
    """One command on the machine; when a `needed` one fails the rest is not run."""

    name: str
    command: str
    seconds: float
    needed: bool = False


@dataclass(frozen=True)
class Result:
    """How a step ended: its exit code (124 when its time was up) and how long it took, in seconds."""

    name: str
    code: int
    seconds: int


@dataclass
class Machine:
    """One clean root, under `base` in a folder that tells which process it belongs to."""

    release: str
    base: Path
    log: IO[bytes]
    shared: tuple[str, ...] = ()
    """Folders of this machine that it sees at the same place, read only, beside those that settings point at."""
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.base / f"{self.name}-{os.getpid()}"

    def build(self) -> None:
        """Make the root with what README asks for, hand it the way to the registries, and clone into it."""
        self.base.mkdir(parents=True, exist_ok=True)
        release = host_release(Path("/etc/os-release").read_text())
        sources = sources_for(release=self.release, host_release=release, sources=sources_read(Path("/etc/apt")))
        mirror = [one.address for one in sources if one.suite == self.release][:1]
        program = ["debootstrap", "--variant=minbase", f"--include={','.join(ASKED_FOR)}"]
        # debootstrap mounts in the root; in namespaces of its own, nothing of that stays when it is killed.
        code = self._run(["unshare", *NAMESPACES, "--", *program, self.release, str(self.root), *mirror], BUILD_SECONDS)
        if code != 0:
            raise MachineFailed(f"debootstrap could not make {self.release} (exit code {code}); its output is above.")
        if sources:
            (self.root / "etc/apt/sources.list").write_text("".join(f"{one.line()}\n" for one in sources))
        for keyring in {one.signed_by for one in sources if one.signed_by}:
            self._copy(Path(keyring))
        (self.root / "etc/apt/apt.conf.d/90handed").write_text(apt_acquire())
        self._copy(Path("/etc/apt/auth.conf"))
        self._copy(Path("/etc/apt/auth.conf.d"))
        self._copy(ADDED_CERTIFICATES)
        for place, path in settings_found(home_folder()).items():
            self._copy(path, place=Path(place))
        self._copy(Path("/etc/resolv.conf"), replace=True)
        # Debian's installer writes these two; debootstrap leaves them out.
        (self.root / "etc/hostname").write_text(f"{self.name}\n")
        (self.root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n::1 localhost\n")
        self._clone()

    @property
    def name(self) -> str:
        """The machine's host name."""
        return f"smartpush-{self.release}"

    def _copy(self, path: Path, *, place: Path | None = None, replace: bool = False) -> None:
        there = self.root / (place or path).relative_to("/")
        if not path.exists() or (there.is_file() and not replace):
            return
        there.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, there, dirs_exist_ok=True)
        else:
            there.unlink(missing_ok=True)
            shutil.copy(path, there)

    def _clone(self) -> None:
        commit = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True, check=True
        ).stdout.strip()
        there = str(self.root / CLONE.relative_to("/"))
        subprocess.run(
            ["git", "clone", "--quiet", "--no-hardlinks", "--no-checkout", str(REPOSITORY), there], check=True
        )
        subprocess.run(["git", "-C", there, "checkout", "--quiet", "--detach", commit], check=True)

    def run(self, steps: Sequence[Step]) -> list[Result]:
        """Run commands in the clone, on a machine that has started for them; returns how those that began ended."""
        passed_on = environment_passed_on(os.environ)
        environment = {**ENVIRONMENT, **passed_on}
        texts = texts_of_settings(environment=passed_on, settings=settings_found(home_folder()))
        pointed_at = paths_pointed_at(texts)
        lacks = [str(path) for path in pointed_at if not is_there(self.root / path.relative_to("/"))]
        results = self.root / RESULTS.relative_to("/")
        results.unlink(missing_ok=True)
        told = {
            "steps": [{**vars(step), "environment": environment} for step in steps],
            "folder": str(CLONE),
            "results": str(RESULTS),
        }
        entering: dict[str, Any] = {
            "root": str(self.root),
            "name": self.name,
            "shared": [*self.shared, *lacks],
            "init": told,
        }
        command = ["unshare", *NAMESPACES, "--", sys.executable, "-m", "tests.machines.enter", json.dumps(entering)]
        code = self._run(command, 60.0 + sum(step.seconds + 60.0 for step in steps))
        if not results.exists():
            raise MachineFailed(f"{self.release} could not be started (exit code {code}); the reason is above.")
        return [Result(**one) for one in json.loads(results.read_text())]

    def _run(self, command: Sequence[str], seconds: float) -> int:
        """Run a command that the kernel kills with this process, its output shown and kept; returns its exit code."""
        process = subprocess.Popen(
            list(command),
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),
        )
        assert process.stdout is not None
        timer = threading.Timer(seconds, process.kill)
        timer.start()
        try:
            for line in process.stdout:
                self.log.write(line)
                self.log.flush()
                sys.stdout.buffer.write(line)
                sys.stdout.flush()
            return process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.wait()

    def keep(self) -> None:
        """Leave the root under a name that later runs do not take for a leftover."""
        if self.root.name.endswith(f"-{os.getpid()}") and self.root.exists():
            kept = self.root.with_name(f"{self.name}-kept")
            shutil.rmtree(kept, ignore_errors=True)
            self.root = self.root.rename(kept)

    def remove(self) -> None:
        """Remove the root."""
        shutil.rmtree(self.root, ignore_errors=True)


def leftovers_remove(base: Path) -> None:
    """Remove the roots of runs that were killed: their processes and mounts went with them, their files did not."""
    for root in base.glob("smartpush-*-*"):
        owner = re.fullmatch(r"smartpush-[a-z]+-(\d+)", root.name)
        if owner and not Path(f"/proc/{owner[1]}").exists():
            shutil.rmtree(root, ignore_errors=True)


def uncommitted_files() -> list[str]:
    """Return the files that a clone of this repository would not have, or would have otherwise."""
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return status.stdout.splitlines()


def missing(*, path: str, user: int) -> list[str]:
    """Return what this machine and this user lack for making others, as sentences."""
    lacks = [] if user == 0 else ["It has to run as root: it makes devices, mounts and namespaces."]
    for program, package in {
        "debootstrap": "debootstrap",
        "unshare": "util-linux",
        "pivot_root": "util-linux",
        "mount": "mount",
        "git": "git",
    }.items():
        if shutil.which(program, path=os.pathsep.join([path, SYSTEM_FOLDERS])) is None:
            lacks.append(f"{program} is missing: apt-get install {package}")
    return lacks


def last_summary(log: Path) -> str:
    """Return pytest's closing line, '' where there is none."""
    found: list[str] = []
    with contextlib.suppress(OSError):
        found = re.findall(r"^=+ (.*\b(?:passed|failed|error)\b.* in .*?) =+$", log.read_text(errors="replace"), re.M)
    return found[-1] if found else ""
