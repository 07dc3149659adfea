"""Which operating-system account the embedded server runs as: PostgreSQL refuses to run as root."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartpush.machine.embedded.errors import EmbeddedServerError

# Debian's account for PostgreSQL where it is present, otherwise the one account that every machine has.
PREFERRED_ACCOUNTS = ("postgres", "nobody")
# Nothing of the caller's environment reaches the server: PG* and LC_* variables would change what it does.
CLEAN_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class ServerAccount:
    """An account the server runs as, and whether becoming it means giving up root."""

    name: str
    uid: int
    gid: int
    drops_root: bool

    def popen_options(self) -> dict[str, Any]:
        """Return the `subprocess` options that run a child as this account in a clean environment."""
        options: dict[str, Any] = {
            "env": dict(CLEAN_ENVIRONMENT),
            "stdin": subprocess.DEVNULL,
            "umask": 0o077,
        }
        if self.drops_root:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def run(
        self,
        *,
        argv: Sequence[str | Path],
        cwd: Path = Path("/"),
        timeout: float = 60,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, for `timeout` seconds; EmbeddedServerError when it cannot start."""
        try:
            return subprocess.run(  # noqa: S603 - the arguments are our own paths, and no shell is involved
                [str(part) for part in argv],
                cwd=cwd,
                timeout=timeout,
                pass_fds=tuple(pass_fds),
                capture_output=True,
                text=True,
                check=False,
                **self.popen_options(),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedServerError(f"cannot run {argv[0]} as {self.name}: {error}") from error

    def can_traverse(self, *, path: Path) -> bool:
        """Tell whether this account can enter the nearest existing folder of a path; the kernel says."""
        folder = path
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not self.drops_root:
            return os.access(folder, os.X_OK)
        return self.run(argv=["/usr/bin/test", "-x", folder]).returncode == 0


def account_for_server(*, existing_owner: int | None = None) -> ServerAccount:
    """Choose the account: ourselves, or as root the owner of the existing cluster, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
        return ServerAccount(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, drops_root=False)
    if existing_owner:
        try:
            owner = pwd.getpwuid(existing_owner)
        except KeyError as error:
            raise EmbeddedServerError(f"the cluster belongs to uid {existing_owner}, which has no account") from error
        return ServerAccount(name=owner.pw_name, uid=owner.pw_uid, gid=owner.pw_gid, drops_root=True)
    for name in PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerAccount(name=name, uid=entry.pw_uid, gid=entry.pw_gid, drops_root=True)
    raise EmbeddedServerError(f"root may not run PostgreSQL and none of {', '.join(PREFERRED_ACCOUNTS)} exists")
