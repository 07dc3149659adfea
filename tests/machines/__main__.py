"""`python3 -m tests.machines`, by `make test-machines`; docs in CONTRIBUTING.md, under *Before a release*."""

import argparse
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import NoReturn

from tests.machines.machine import (
    REPOSITORY,
    Machine,
    MachineFailed,
    Result,
    Step,
    last_summary,
    leftovers_remove,
    missing,
    uncommitted_files,
)

RELEASES = ("bookworm", "trixie")
BASE = REPOSITORY / "var" / "machines"
CERTIFICATES = Step("certificates", "update-ca-certificates", 120.0, needed=True)
DEMO_SECONDS = 40 * 60.0
TEST_SECONDS = 150 * 60.0


def main() -> int:
    """Make each machine, run the demo and the suite on it, say how they ended; returns 0 when all is well."""
    parser = argparse.ArgumentParser(prog="make test-machines", description=__doc__)
    parser.add_argument("--release", action="append", choices=RELEASES, help="one of them only; may be repeated")
    parser.add_argument("--args", default="", help="what `make test` gets as ARGS")
    parser.add_argument("--run", default="", help="another command instead of the demo and the suite")
    parser.add_argument("--into", type=Path, default=BASE, help="where the roots lie while they are there (3 GB each)")
    parser.add_argument("--keep", action="store_true", help="leave the root there")
    parser.add_argument("--root", type=Path, help="a root that --keep has left, instead of a new one")
    chosen = parser.parse_args()
    lacks = missing(path=os.environ.get("PATH", ""), user=os.geteuid())
    if lacks:
        sys.stderr.write("The clean machines cannot be made here.\n" + "".join(f"  {one}\n" for one in lacks))
        return 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stopped)
    steps = _steps(arguments=chosen.args, other=chosen.run)
    if chosen.root is None:
        steps = [CERTIFICATES, *steps]
    base = chosen.into.resolve()
    leftovers_remove(base)
    if uncommitted := uncommitted_files():
        sys.stdout.write(f"Only what is committed is tested; {len(uncommitted)} changed or new files are not.\n")
    lines, well = [], True
    try:
        for release in chosen.release or RELEASES:
            results, problem = _one(release=release, base=base, root=chosen.root, keep=chosen.keep, steps=steps)
            well = well and not problem and [one.code for one in results] == [0] * len(steps)
            lines += [_line(release=release, result=one) for one in results if one.name != CERTIFICATES.name]
            lines += [f"{release}: {problem}"] if problem else []
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped; what was made for it is removed.\n")
        return 130
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in lines))
    return 0 if well else 1


def _steps(*, arguments: str, other: str) -> list[Step]:
    if other:
        return [Step("command", other, TEST_SECONDS)]
    test = f"make test ARGS={shlex.quote(arguments)}" if arguments else "make test"
    return [Step("demo", "DEMO_EXIT=1 make demo", DEMO_SECONDS), Step("test", test, TEST_SECONDS)]


def _one(*, release: str, base: Path, root: Path | None, keep: bool, steps: list[Step]) -> tuple[list[Result], str]:
    """Run the steps on one machine; returns how they ended, and why there was no machine where there was none."""
    BASE.mkdir(parents=True, exist_ok=True)
    with _log(release).open("wb") as log:
        machine = Machine(release=release, base=base, log=log)
        try:
            if root is None:
                machine.build()
            else:
                machine.root = root.resolve()
            return machine.run(steps), ""
        except MachineFailed as failed:
            return [], str(failed)
        finally:
            if keep or root is not None:
                machine.keep()
                sys.stdout.write(f"\nThe root is left at {machine.root}\n")
            else:
                machine.remove()


def _log(release: str) -> Path:
    return BASE / f"{release}.log"


def _line(*, release: str, result: Result) -> str:
    ended = {0: "passed", 124: "stopped, its time was up"}.get(result.code, f"failed (exit code {result.code})")
    summary = f"; {last_summary(_log(release))}" if result.name == "test" else ""
    return f"{release}: {result.name} {ended} after {result.seconds} s{summary}"


def _stopped(number: int, frame: object) -> NoReturn:
    # An exception, so that what is under way is ended and the root removed.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
