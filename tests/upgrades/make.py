"""Make the dump of a release from the code and schema of this commit: `python -m tests.upgrades.make`.

It needs nothing but the repository: a database of its own on the configured server, made and dropped here, and a push
service of its own on the loopback. The keys are those of tests/upgrades/keys.py.
"""

import argparse
import os
import sys
from pathlib import Path

import django

from tests.upgrades import keys

_ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "smartpush.settings",
    "SMARTPUSH_ENV": "test",
    "SECRET_KEY": keys.SECRET_KEY,
    "SMARTPUSH_ENCRYPTION_KEYS": keys.ENCRYPTION_KEY,
    "SMARTPUSH_ID_KEY": keys.ID_KEY,
    "REDIS_URL": "",
    "LOG_LEVEL": "CRITICAL",
}
# The settings are read as the models are imported, and the keys must be the dump's by then.
os.environ.update(_ENVIRONMENT)
django.setup()

from datetime import UTC, datetime  # noqa: E402

from django.core.management import call_command  # noqa: E402

from devices.pushservice.server import LocalPushService  # noqa: E402
from smartpush import __version__  # noqa: E402
from tests.upgrades.dumps import FOLDER, database_made, dump_write  # noqa: E402
from tests.upgrades.scene import scene_make  # noqa: E402


def main() -> None:
    """Make one dump and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrades.make", description=__doc__)
    parser.add_argument("release", nargs="?", default=__version__, help="Its number; that of this commit if none.")
    parser.add_argument("--into", type=Path, default=FOLDER, help="The folder for the dump.")
    asked = parser.parse_args()
    path: Path = asked.into / f"{asked.release}.sql.gz"
    made_at = datetime.now(UTC).replace(microsecond=0)
    name = f"upgrades_made_{os.getpid()}"
    with LocalPushService() as service, database_made(name=name):
        call_command("migrate", interactive=False, verbosity=0)
        scene_make(service=service, made_at=made_at)
        dump_write(path=path, name=name, replaced={service.url: keys.PUSH_SERVICE}, made_at=made_at)
    sys.stdout.write(f"{path}: {path.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
