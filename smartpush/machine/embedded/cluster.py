"""Making the cluster: whole or not at all."""

import os
import secrets
import shutil
from pathlib import Path

from smartpush.machine.embedded import binaries
from smartpush.machine.embedded import layout as places
from smartpush.machine.embedded.errors import EmbeddedServerError
from smartpush.machine.embedded.layout import Layout

SUPERUSER = "postgres"
ROLE = "smartpush"
INITDB_SECONDS = 120.0


def cluster_major(*, layout: Layout) -> int | None:
    """Return the major version that wrote the cluster, None when there is no cluster."""
    try:
        return int((layout.cluster / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        return None


def drafts_discard(*, layout: Layout) -> None:
    """Sweep up what killed starters left; safe because a living initdb holds the start lock."""
    for draft in layout.data_root.glob("cluster-draft-*"):
        shutil.rmtree(draft)
    binaries.discard_drafts(data_root=layout.data_root)


def cluster_create(*, layout: Layout, programs: binaries.Binaries, lock: int) -> None:
    """Run initdb in a temporary folder and rename the result: there is a whole cluster or none."""
    account = layout.account
    draft = layout.data_root / f"cluster-draft-{secrets.token_hex(4)}"
    draft.mkdir(mode=0o700)
    password_file = draft / "password"
    password_file.write_text(places.password_ensure(layout=layout, role=SUPERUSER))
    places.password_ensure(layout=layout, role=ROLE)
    os.chown(password_file, account.uid, account.gid)
    os.chown(draft, account.uid, account.gid)
    fresh = draft / "data"
    # From 17 on PostgreSQL sorts by code point itself, so that a new libc never invalidates an index.
    provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if programs.major >= 17 else []
    argv: list[str | Path] = [
        programs.program("initdb"), "--pgdata", fresh, "--username", SUPERUSER, "--pwfile", password_file,
        "--auth-local=scram-sha-256", "--auth-host=reject", "--encoding=UTF8", "--locale=C.UTF-8", *provider,
    ]  # fmt: skip
    answer = account.run(argv=argv, cwd=draft, timeout=INITDB_SECONDS, pass_fds=[lock])
    if answer.returncode != 0:
        raise EmbeddedServerError(f"initdb failed:\n{answer.stderr.strip()[-2000:]}")
    fresh.rename(layout.cluster)
    shutil.rmtree(draft)
    folder = os.open(layout.data_root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
