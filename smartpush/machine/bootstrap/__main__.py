"""Set up this clone: `python3 -m smartpush.machine.bootstrap COMMAND`, as the Makefile calls it.

Commands: setup [--for dev|test|bench|pack], install, frontend, pack, static, notices, requirements, stop.
"""

import os
import shutil
import sys

OLDEST, NEWEST = (3, 11), (3, 13)


def suitable_python() -> "str | None":
    """Return another Python of a supported version, the newest first, or None."""
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    return None


def main() -> int:
    """Hand over to a supported Python where this one is not, then run the command."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        other = suitable_python()
        if other is None:
            sys.stderr.write(f"smartpush needs Python 3.11 to 3.13, this is {sys.version.split()[0]}.\n")
            return 1
        os.execv(other, [other, "-m", "smartpush.machine.bootstrap", *sys.argv[1:]])  # noqa: S606 - found by which
    # Only now: the modules behind this are written for the Pythons above.
    from smartpush.machine.bootstrap.commands import run  # noqa: PLC0415

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
