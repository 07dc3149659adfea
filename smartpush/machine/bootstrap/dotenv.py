"""A development `.env` with fresh keys, readable by its owner alone; and whether a clone is configured at all."""

import base64
import os
import secrets
import sys
from pathlib import Path

from smartpush.machine.bootstrap.errors import SetupStopped

NAME = ".env"
UNCONFIGURED = """\
This clone is not configured: there is no .env, and the environment sets neither SMARTPUSH_ENV nor SECRET_KEY.

For production, set at least SECRET_KEY, SMARTPUSH_ENCRYPTION_KEYS, SMARTPUSH_ID_KEY, SMARTPUSH_PUBLIC_URL and
SMARTPUSH_VAPID_SUBJECT in the environment (docs/configuration.md), then type this again. To try smartpush out or
to work on it, type `make demo` or `make setup`: they write a development .env.
"""


def configuration_required(*, repository: Path) -> None:
    """Raise SetupStopped with what to do when nobody has chosen how this clone is to run."""
    chosen = any(os.environ.get(name) for name in ("SMARTPUSH_ENV", "SECRET_KEY"))
    if not chosen and not (repository / NAME).exists():
        raise SetupStopped(UNCONFIGURED)


def dotenv_ensure(*, repository: Path) -> bool:
    """Write `.env` when there is none, and say so; returns whether it did. Only for development."""
    path = repository / NAME
    if os.environ.get("SMARTPUSH_ENV") not in {None, "", "development"}:
        return False
    if path.exists():
        if path.stat().st_mode & 0o077:
            sys.stderr.write(f"{path} holds secrets and others may read it: chmod 600 it\n")
        return False
    draft = repository / f"{NAME}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(development_text())
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, cannot replace keys that another set-up has just made.
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
    finally:
        draft.unlink()
    sys.stdout.write(f"Wrote {NAME}: this clone is now set up for development (SMARTPUSH_ENV=development)\n")
    return True


def development_text() -> str:
    """Return the file's text, with keys made anew at each call."""
    fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return "\n".join(
        [
            "# Development only, made by `make`, never committed. The variables: docs/configuration.md.",
            "SMARTPUSH_ENV=development",
            "DEBUG=false",
            f"SECRET_KEY={secrets.token_urlsafe(48)}",
            f"SMARTPUSH_ENCRYPTION_KEYS={fernet_key}",
            f"SMARTPUSH_ID_KEY={secrets.token_urlsafe(32)}",
            "SMARTPUSH_PUBLIC_URL=http://127.0.0.1:8800",
            "SMARTPUSH_LOCAL_PUSH=true",
            "SMARTPUSH_DEV_ORIGINS=http://127.0.0.1:8800,http://127.0.0.1:8810,http://127.0.0.1:8820",
            "",
        ]
    )
