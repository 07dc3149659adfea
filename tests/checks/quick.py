"""`python -m tests.checks.quick` (by `make quick`): the tests of what has changed, without browsers, in two minutes."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.checks.choosing import Choice, choose, left_out, repository_map

ROOT = Path(__file__).resolve().parents[2]
# From the start; what is left of the two minutes is for ending.
SECONDS = 100
MAKING_SECONDS = 300
# A database of its own that is kept: making it takes longer than most changes' tests.
DATABASE = f"{os.environ.get('SMARTPUSH_TEST_DB', 'test_smartpush')}_quick"
MADE_FROM = ROOT / "var" / "quick.stamp"
SHOWN = 40


def changed_files(*, repository: Path) -> tuple[str, list[str]]:
    """Return (since what, the files changed or added since then, the working tree included)."""
    since, base = "the last commit", "HEAD"
    for name in ("origin/main", "main"):
        found = _git(repository, "merge-base", "HEAD", name, check=False).strip()
        if found:
            since, base = f"{name} ({found[:7]})", found
            break
    told = _git(repository, "diff", "--name-only", "--no-renames", "-z", base)
    told += _git(repository, "ls-files", "--others", "--exclude-standard", "-z")
    return since, sorted({name for name in told.split("\0") if name})


def _git(repository: Path, *arguments: str, check: bool = True) -> str:
    answer = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=check)
    return answer.stdout if answer.returncode == 0 else ""


class Results:
    """Counts how each test ended; a plugin of pytest."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.files: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one phase of one test."""
        if report.when == "call" or report.failed:
            self.outcomes["failed" if report.failed else "passed"] += 1
            self.files.add(report.nodeid.partition("::")[0])


def pytest_arguments(choices: Sequence[Choice], *, workers: int, fresh: bool) -> list[str]:
    """Return pytest's arguments: the nearest tests are begun first, on the kept database or a fresh one."""
    return [
        *("-q", "--no-header", "-m", "not browser and not faults", "--maxfail", "10"),
        # `load` hands tests out in the order of the files, unlike `worksteal`.
        *("-n", str(workers), "--dist", "load", "--reuse-db"),
        *(["--create-db"] if fresh else []),
        *(choice.test for choice in choices),
    ]


def migrations_key(*, repository: Path) -> str:
    """Return what the kept database was made from."""
    digest = hashlib.sha256(DATABASE.encode())
    for path in sorted(repository.glob("*/**/migrations/*.py")):
        if not {".venv", "node_modules", "var"} & set(path.relative_to(repository).parts):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def say_choice(choices: Sequence[Choice], *, changed: Sequence[str], since: str) -> None:
    """Print what has changed, what runs and why, and what is left to `make test`."""
    print(f"{len(changed)} files differ from {since}; {len(choices)} files of tests, the nearest first:")
    width = max((len(choice.test) for choice in choices[:SHOWN]), default=0)
    for choice in choices[:SHOWN]:
        print(f"  {choice.test:<{width}}  {choice.reason}")
    if len(choices) > SHOWN:
        print(f"  and {len(choices) - SHOWN} more")
    later = [path for path in changed if left_out(path) and path.endswith(".py")]
    if later:
        print(f"Left to `make test`: {', '.join(later[:8])}{' and more' if len(later) > 8 else ''}")
    sys.stdout.flush()


def run(choices: Sequence[Choice], *, until: float, workers: int) -> int:
    """Run the tests and interrupt them at the given monotonic time; returns 0 when nothing that ran has failed."""
    os.environ["SMARTPUSH_TEST_DB"] = DATABASE
    key = migrations_key(repository=ROOT)
    fresh = not MADE_FROM.is_file() or MADE_FROM.read_text() != key
    if fresh:
        print("The kept database is made first, which may take longer than two minutes this once.")
        until += MAKING_SECONDS
    results = Results()
    # As Ctrl-C does: pytest ends its workers, which roll back, and prints what it has.
    alarm = threading.Timer(until - time.monotonic(), os.kill, (os.getpid(), signal.SIGINT))
    alarm.daemon = True
    alarm.start()
    code = pytest.main(pytest_arguments(choices, workers=workers, fresh=fresh), plugins=[results])
    up = time.monotonic() >= until
    alarm.cancel()
    passed = results.outcomes["passed"]
    if passed:
        MADE_FROM.parent.mkdir(exist_ok=True)
        MADE_FROM.write_text(key)
    if results.outcomes["failed"] or not up:
        return int(code) if code != pytest.ExitCode.NO_TESTS_COLLECTED else 0
    if not passed:
        print("The time is up before any test has run. The database is kept: type it again.")
        return 1
    print(f"The time is up: {passed} tests passed, the others did not run. `make test` runs all.")
    return 0


def main(*, workers: int = 2) -> int:
    """Choose, say why, and run."""
    until = time.monotonic() + SECONDS
    since, changed = changed_files(repository=ROOT)
    choices = choose(changed=changed, known=repository_map(root=ROOT))
    if not choices:
        print(f"Nothing differs from {since}.")
        return 0
    say_choice(choices, changed=changed, since=since)
    return run(choices, until=until, workers=workers)


if __name__ == "__main__":
    sys.exit(main())
