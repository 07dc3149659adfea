"""Processes that are started with settings of the test's own, and what became of them."""

import base64
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A start is a second of work; a machine with every core taken several times over needs this long for it.
DEADLINE_SECONDS = 240.0
GUNICORN = ("-m", "gunicorn", "smartpush.wsgi:application", "--bind", "127.0.0.1:0", "--no-control-socket")
# Everything that a production process needs, and right. An empty value counts as unset, and keeps the .env of the
# clone that runs the tests out of it.
RIGHT = {
    "SMARTPUSH_ENV": "production",
    "SECRET_KEY": "s" * 50,
    "SMARTPUSH_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(range(32))).decode(),
    "SMARTPUSH_ID_KEY": "i" * 32,
    "SMARTPUSH_PUBLIC_URL": "https://push.shop.example",
    "SMARTPUSH_VAPID_SUBJECT": "mailto:push@shop.example",
    "SMARTPUSH_DEV_ORIGINS": "",
    "SMARTPUSH_LOCAL_PUSH": "",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "DEBUG": "",
    "REDIS_URL": "",
    "LOG_LEVEL": "",
}
# The environment says nothing at all: no variable, no .env.
NOTHING = dict.fromkeys(RIGHT, "")


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it wrote."""

    code: int
    out: str
    err: str


def run(argv: Sequence[str], env: Mapping[str, str], *, cwd: Path = ROOT) -> Ended:
    """Run our interpreter to its end, with nothing in the environment but what is given."""
    done = subprocess.run(
        [sys.executable, *argv],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)


def manage(*arguments: str, env: Mapping[str, str]) -> Ended:
    """Run a management command to its end."""
    return run(["manage.py", *arguments], env)
