"""The few things that come from Debian, and who may install them."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from smartpush.machine.bootstrap.errors import SetupStopped

# The browsers, their desktop bus, and a library that the program which drives Chromium is linked with; nginx is the
# HTTP/2 sink that the web transport is tested and measured on; curl and openssl run the lines that our pages tell
# people to type.
TEST_PACKAGES = (
    "firefox-esr",
    "chromium",
    "dbus-daemon",
    "libnotify4",
    "libatomic1",
    "fonts-dejavu-core",
    "nginx-light",
    "curl",
    "openssl",
)
PURPOSE_PACKAGES = {"run": (), "pack": (), "dev": (), "test": TEST_PACKAGES, "bench": TEST_PACKAGES}
# A program that another package may have brought as well; what has no program is looked up by dpkg.
PROGRAMS = {
    "firefox-esr": "firefox-esr",
    "chromium": "chromium",
    "dbus-daemon": "dbus-daemon",
    "nginx-light": "nginx",
    "curl": "curl",
    "openssl": "openssl",
}
PROGRAM_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def packages_ensure(*, purpose: str) -> None:
    """Install what the purpose lacks; SetupStopped with the exact line to type when only root could."""
    missing = packages_missing(purpose=purpose)
    if not missing:
        return
    apt_get = shutil.which("apt-get", path=PROGRAM_PATH)
    if apt_get is None:
        raise SetupStopped(f"These are missing and this is no Debian, so install their like: {' '.join(missing)}")
    prefix = _root_prefix()
    if prefix is None:
        raise SetupStopped(
            "Nothing has been run or changed yet: some Debian packages are missing, and only root can "
            f"install them. Type this, then run make again:\n\n    {install_line(missing=missing)}\n"
        )
    sys.stdout.write(f"Installing from Debian: {' '.join(missing)}\n")
    sys.stdout.flush()
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = [apt_get, "install", "-y", "-q", "--no-install-recommends", *missing]
    _run([*prefix, *environment, apt_get, "update", "-q"], missing=missing)
    _run([*prefix, *environment, *install], missing=missing)
    still = packages_missing(purpose=purpose)
    if still:
        raise SetupStopped(f"apt-get reported success, yet these are still missing: {' '.join(still)}")


def packages_missing(*, purpose: str) -> list[str]:
    """Return the Debian packages that the purpose needs and this machine lacks."""
    importlib.invalidate_caches()
    missing = []
    # Debian's Python comes without the module that puts pip into a virtual environment.
    if importlib.util.find_spec("ensurepip") is None:
        missing.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv")
    for package in PURPOSE_PACKAGES[purpose]:
        program = PROGRAMS.get(package)
        present = shutil.which(program, path=PROGRAM_PATH) if program else _dpkg_has(package)
        if not present:
            missing.append(package)
    return missing


def install_line(*, missing: Sequence[str]) -> str:
    """Return the line that a person types to install the packages."""
    packages = " ".join(missing)
    return f"sudo apt-get update && sudo apt-get install -y --no-install-recommends {packages}"


def _dpkg_has(package: str) -> bool:
    query = shutil.which("dpkg-query", path=PROGRAM_PATH)
    if query is None:
        return False
    answer = subprocess.run(  # noqa: S603 - a constant package name
        [query, "-W", "-f=${db:Status-Status}\n", package], capture_output=True, text=True, check=False
    )
    return "installed" in answer.stdout.split()


def _root_prefix() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo", path=PROGRAM_PATH)
    if sudo is None:
        return None
    # -n never asks: a set-up that waits for a password on a terminal nobody watches would hang.
    allowed = subprocess.run(  # noqa: S603 - constant arguments
        [sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return [sudo, "-n"] if allowed.returncode == 0 else None


def _run(argv: Sequence[str], *, missing: Sequence[str]) -> None:
    finished = subprocess.run(  # noqa: S603 - constant arguments and our own package names
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise SetupStopped(
            f"{finished.stdout.strip()[-1500:]}\n\napt-get failed (no network?). By hand it is:\n\n"
            f"    {install_line(missing=missing)}\n"
        )
