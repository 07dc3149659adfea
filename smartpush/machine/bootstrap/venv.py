"""The clone's virtual environment: made, repaired after an interrupted set-up, and otherwise left alone."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped

PRODUCTION = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
STAMP = "smartpush-stamp"
# There while pip works: a killed pip leaves packages that look installed and are not.
UNDER_WAY = "smartpush-under-way"
NETWORK_SIGNS = (
    "Temporary failure in name resolution",
    "NewConnectionError",
    "Network is unreachable",
    "Connection refused",
    "ConnectTimeoutError",
    "No matching distribution found",
)


def venv_ensure(*, repository: Path, development: bool) -> None:
    """Bring `.venv` to what the requirements say; instant when it is there already. Raises SetupStopped.

    Without `development` requirements.txt alone; what an earlier set-up added for development stays.
    """
    folder = repository / ".venv"
    stamp = folder / STAMP
    production = venv_key(repository=repository)
    wanted = production + (_development_key(repository=repository) if development else "")
    if stamp.is_file() and stamp.read_text().startswith(wanted):
        return
    if not venv_is_usable(folder=folder):
        # Half made by a set-up that was interrupted, of another Python, or moved here with its clone.
        if folder.exists():
            shutil.rmtree(folder)
        _say("Making .venv")
        _run([sys.executable, "-m", "venv", str(folder)], "The virtual environment could not be made")
    stamp.unlink(missing_ok=True)
    under_way = folder / UNDER_WAY
    under_way.touch()
    # The development file begins with the production one.
    name = DEVELOPMENT if development else PRODUCTION
    _say(f"Installing {name} into .venv (about a minute the first time)")
    # No --only-binary: http-ece is published as source only.
    install = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-q"]
    try:
        _run(
            [str(venv_python(repository=repository)), *install, "-r", str(repository / name)],
            "The Python packages could not be installed",
        )
    except SetupStopped:
        # pip gave up in good order, most often before it touched anything.
        under_way.unlink()
        raise
    draft = folder / f"{STAMP}.draft"
    draft.write_text(wanted)
    draft.replace(stamp)
    under_way.unlink()


def venv_python(*, repository: Path) -> Path:
    """Return the virtual environment's interpreter."""
    return repository / ".venv" / "bin" / "python"


def venv_key(*, repository: Path) -> str:
    """Return what production runs on: its pins, the Python, and the place (an environment cannot be moved)."""
    digest = hashlib.sha256((repository / PRODUCTION).read_bytes())
    digest.update(f"\0{sys.version}\0{repository}".encode())
    return digest.hexdigest() + "\n"


def _development_key(*, repository: Path) -> str:
    return hashlib.sha256((repository / DEVELOPMENT).read_bytes()).hexdigest() + "\n"


def venv_is_usable(*, folder: Path) -> bool:
    """Tell whether a whole environment of this Python, pip included, was made in this very place."""
    python = folder / "bin" / "python"
    activate = folder / "bin" / "activate"
    if (folder / UNDER_WAY).exists():
        return False
    if not python.exists() or not activate.is_file() or str(folder) not in activate.read_text():
        return False
    question = "import pip, sys; print(sys.prefix, sys.version_info[:2], sep='\\n')"
    try:
        answer = subprocess.run(  # noqa: S603 - our own interpreter and a constant
            [str(python), "-c", question], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.splitlines() == [str(folder), str(sys.version_info[:2])]


def _run(argv: list[str], failure: str) -> None:
    finished = subprocess.run(  # noqa: S603 - our own interpreter and paths
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode == 0:
        return
    advice = "Run make again once that is put right; it goes on from here."
    if any(sign in finished.stdout for sign in NETWORK_SIGNS):
        advice = "The package index could not be reached: check the network, then run make again."
    raise SetupStopped(f"{finished.stdout.strip()[-2000:]}\n\n{failure}. {advice}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
