"""Where one clone's server keeps its things, and who owns which of them.

The data root belongs to the launcher's own user; only `cluster`, `log` and the socket folder belong to the
account the server runs as. Root therefore never writes through a folder that an unprivileged account owns.
"""

import contextlib
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from smartpush.machine.embedded.account import ServerAccount, account_for_server
from smartpush.machine.embedded.errors import EmbeddedServerError

REPOSITORY = Path(__file__).resolve().parents[3]
SYSTEM_DATA_PARENT = Path("/var/lib")
# A socket's whole path must fit in 108 bytes, so it cannot live beside the data of a deep clone.
SOCKET_PARENT = Path("/tmp")  # noqa: S108 - the folder's owner and mode are verified before use
CLUSTER = "cluster"


@dataclass(frozen=True)
class Layout:
    """The resolved places of one server."""

    data_root: Path
    account: ServerAccount

    @property
    def cluster(self) -> Path:
        """The folder PostgreSQL calls its data directory."""
        return self.data_root / CLUSTER

    @property
    def log_folder(self) -> Path:
        """Where the server's own rotating log files are."""
        return self.data_root / "log"

    @property
    def start_log(self) -> Path:
        """What the server said before its own logging began, or why it did not start."""
        return self.data_root / "start.log"

    @property
    def start_lock(self) -> Path:
        """Held by whoever is starting or stopping the server."""
        return self.data_root / "start.lock"

    @property
    def server_lock(self) -> Path:
        """Held by the server and all its children for as long as any of them lives."""
        return self.data_root / "server.lock"

    @property
    def socket_folder(self) -> Path:
        """The short folder of the server's only socket."""
        return SOCKET_PARENT / f"spg-{_digest(str(self.data_root))}"

    def password_file(self, *, role: str) -> Path:
        """The 0600 file with one role's password."""
        return self.data_root / f"password-{role}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def clone_identity(*, repository: Path = REPOSITORY) -> str:
    """Return this clone's random identity, made on first use: a re-made clone is not the old one."""
    path = repository / "var" / "clone-id"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(mode=0o755, exist_ok=True)
    draft = path.with_name(f"clone-id.{os.getpid()}.{secrets.token_hex(4)}")
    draft.write_text(secrets.token_hex(16) + "\n")
    try:
        # A hard link, unlike a rename, cannot replace what a concurrent starter has just made.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    return path.read_text().strip()


def layout_at(*, data_root: Path) -> Layout:
    """Return the layout of a given data root; raises EmbeddedServerError when the account cannot reach it."""
    try:
        resolved = data_root.expanduser().resolve()
        account = account_for_server(existing_owner=_owner(resolved / CLUSTER))
        reachable = account.can_traverse(path=resolved)
    except OSError as error:
        raise EmbeddedServerError(
            f"{data_root} cannot be used ({error}): set SMARTPUSH_DATA_DIR to a folder of your own"
        ) from error
    if not reachable:
        raise EmbeddedServerError(
            f"{resolved} cannot be reached by {account.name}, the account PostgreSQL runs as: "
            "set SMARTPUSH_DATA_DIR to a folder whose parents it may enter"
        )
    return Layout(data_root=resolved, account=account)


def default_layout(*, repository: Path = REPOSITORY) -> Layout:
    """Return the layout of this clone: `var/postgres`, or `/var/lib/smartpush-*` for root's closed one."""
    inside = repository.resolve() / "var" / "postgres"
    account = account_for_server(existing_owner=_owner(inside / CLUSTER))
    if account.can_traverse(path=inside) or (inside / CLUSTER).exists():
        return layout_at(data_root=inside)
    identity = clone_identity(repository=repository.resolve())
    return layout_at(data_root=SYSTEM_DATA_PARENT / f"smartpush-{_digest(f'{repository.resolve()} {identity}')}")


def _owner(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except (FileNotFoundError, NotADirectoryError):
        return None


def prepare_data_root(*, layout: Layout) -> None:
    """Create the data root and the log folder; raises EmbeddedServerError when they cannot be made safely."""
    try:
        _make_parents(layout.data_root)
        found = layout.data_root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise EmbeddedServerError(f"{layout.data_root} is not a folder of uid {os.geteuid()}: refusing to use it")
        # The server's account has to pass through, nobody but us may change what is in it.
        layout.data_root.chmod(0o711 if layout.account.drops_root else 0o700)
        if not layout.log_folder.exists():
            layout.log_folder.mkdir(mode=0o700)
            os.chown(layout.log_folder, layout.account.uid, layout.account.gid)
    except OSError as error:
        raise EmbeddedServerError(
            f"cannot prepare {layout.data_root}: {error}. SMARTPUSH_DATA_DIR names another folder."
        ) from error


def _make_parents(folder: Path) -> None:
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for path in reversed(missing):
        # mkdir's mode is cut by the umask; the server's account must be able to walk down here.
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            path.chmod(0o755)


def prepare_socket_folder(*, layout: Layout) -> None:
    """Create the private socket folder, or verify the one found; EmbeddedServerError on a foreign one."""
    folder, account = layout.socket_folder, layout.account
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise EmbeddedServerError(
            f"{folder} is not a folder we can use ({error}): remove it and start again"
        ) from error
    try:
        found = os.fstat(descriptor)
        # /tmp is everybody's: someone else may have been here first, to listen where we would connect.
        if found.st_uid not in {os.geteuid(), account.uid}:
            raise EmbeddedServerError(
                f"{folder} belongs to uid {found.st_uid}, not to {account.name}: refusing it; remove it"
            )
        if found.st_uid != account.uid:
            os.fchown(descriptor, account.uid, account.gid)
        os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def socket_folder_is_safe(*, layout: Layout) -> bool:
    """Tell whether the socket folder exists and belongs to the server's account alone."""
    try:
        found = layout.socket_folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == layout.account.uid and stat.S_IMODE(found.st_mode) == 0o700


def password_of(*, layout: Layout, role: str) -> str | None:
    """Return a role's password, or None before the first start."""
    try:
        return layout.password_file(role=role).read_text().strip()
    except FileNotFoundError:
        return None


def password_ensure(*, layout: Layout, role: str) -> str:
    """Return a role's password, making it first when there is none."""
    known = password_of(layout=layout, role=role)
    if known:
        return known
    path = layout.password_file(role=role)
    draft = path.with_name(f"{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return path.read_text().strip()
