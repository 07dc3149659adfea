"""A development `.env` with fresh keys, readable by its owner alone."""

import base64
import contextlib
import os
import secrets
import sys
from pathlib import Path

NAME = ".env"


def dotenv_ensure(*, repository: Path) -> bool:
    """Write `.env` when there is none; returns whether it did. Only for development."""
    path = repository / NAME
    if os.environ.get("SMARTPUSH_ENV", "development") != "development":
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
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
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
