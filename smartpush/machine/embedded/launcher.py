"""Bringing the embedded server up, beside whatever was left by those who were killed before us."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from smartpush.machine.embedded import binaries
from smartpush.machine.embedded import layout as places
from smartpush.machine.embedded.cluster import ROLE, SUPERUSER, cluster_create, cluster_major, drafts_discard
from smartpush.machine.embedded.configuration import PORT, server_settings
from smartpush.machine.embedded.errors import EmbeddedServerError
from smartpush.machine.embedded.layout import Layout
from smartpush.machine.embedded.locks import POLL_SECONDS, is_served, start_lock, try_lock

DATABASE = "smartpush"
# Crash recovery after a long run may take a while; a server that is merely absent is seen at once.
READY_SECONDS = 120.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class ServerStatus:
    """What `status` reports."""

    running: bool
    pid: int | None
    data_root: Path
    socket_folder: Path
    account: str


def ensure_running(*, layout: Layout) -> bool:
    """Make sure the server answers and the database exists; returns whether it had to be started.

    Raises EmbeddedServerError with the reason when it cannot be provided.
    """
    places.prepare_data_root(layout=layout)
    with start_lock(layout=layout) as lock:
        drafts_discard(layout=layout)
        places.prepare_socket_folder(layout=layout)
        if is_served(layout=layout) and _settle(layout):
            _provision(layout)
            return False
        _start(layout, lock=lock)
        _provision(layout)
        return True


def stop(*, layout: Layout) -> bool:
    """Stop the server, politely at first; returns whether it was running. Raises when it will not go."""
    if not layout.data_root.exists():
        return False
    with start_lock(layout=layout):
        if not is_served(layout=layout):
            return False
        _stop_served(layout)
        return True


def status(*, layout: Layout) -> ServerStatus:
    """Tell whether the server runs, without starting it."""
    running = layout.data_root.exists() and is_served(layout=layout)
    return ServerStatus(
        running=running,
        pid=_postmaster(layout) if running else None,
        data_root=layout.data_root,
        socket_folder=layout.socket_folder,
        account=layout.account.name,
    )


def connection_parameters(*, layout: Layout, role: str = ROLE) -> dict[str, str | int]:
    """Return libpq's parameters for a role; before the first start there is no password among them."""
    parameters: dict[str, str | int] = {"host": str(layout.socket_folder), "port": PORT, "user": role}
    password = places.password_of(layout=layout, role=role)
    return parameters | ({"password": password} if password else {})


def connection_url(*, layout: Layout, database: str = DATABASE) -> str:
    """Return a connection URL, password included, for psql and other tools."""
    parameters = connection_parameters(layout=layout)
    secret = quote(str(parameters.get("password", "")), safe="")
    return f"postgresql://{ROLE}:{secret}@/{database}?host={quote(str(parameters['host']), safe='')}&port={PORT}"


def client_program(*, layout: Layout, name: str = "psql") -> Path:
    """Return a client program, such as `psql` or `pg_dump`, of the server's own version."""
    programs = binaries.binaries_find(
        account=layout.account, data_root=layout.data_root, required_major=cluster_major(layout=layout)
    )
    return programs.program(name)


def _processes_of(layout: Layout) -> list[int]:
    """Return the processes that work in the cluster's folder, zombies left out (they have no folder)."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == layout.cluster:
                    found.append(int(entry.name))
    return found


def _postmaster(layout: Layout) -> int | None:
    """Return the living postmaster's process id; a number that a stranger or a zombie wears now is not it."""
    try:
        pid = int((layout.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if Path(f"/proc/{pid}/cwd").readlink() == layout.cluster else None
    except (OSError, ValueError):
        return None


def _probe(layout: Layout) -> bool:
    """Tell whether the superuser can log in now; raises EmbeddedServerError on a refused password."""
    if not places.socket_folder_is_safe(layout=layout):
        return False
    try:
        with _connect(layout):
            return True
    except psycopg.OperationalError as error:
        if "password" in str(error):
            raise EmbeddedServerError(
                f"the password in {layout.password_file(role=SUPERUSER)} is not the cluster's own: {error}"
            ) from error
        return False


def _connect(layout: Layout) -> "psycopg.Connection[tuple[object, ...]]":
    parameters = connection_parameters(layout=layout, role=SUPERUSER)
    return psycopg.connect(**parameters, dbname="postgres", connect_timeout=5, autocommit=True)  # type: ignore[arg-type]


def _settle(layout: Layout) -> bool:
    """Wait until a held cluster answers; returns False when it had to be cleared away and must be started."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if _probe(layout):
            return True
        if not is_served(layout=layout):
            return False
        if _postmaster(layout) is None:
            _kill_leftovers(layout)
            return False
        if not _socket(layout).exists() and _is_ready(layout):
            # Something swept the socket away under a healthy server: nobody can ever reach it again.
            _stop_served(layout)
            return False
        time.sleep(POLL_SECONDS)
    raise EmbeddedServerError(f"PostgreSQL does not answer after {READY_SECONDS:.0f} s:\n{_last_words(layout)}")


def _socket(layout: Layout) -> Path:
    return layout.socket_folder / f".s.PGSQL.{PORT}"


def _is_ready(layout: Layout) -> bool:
    try:
        return (layout.cluster / "postmaster.pid").read_text().split("\n")[7].strip() == "ready"
    except (OSError, IndexError):
        return False


def _kill_leftovers(layout: Layout) -> None:
    """Kill what outlived its postmaster: a busy back end would otherwise go on writing for minutes."""
    deadline = time.monotonic() + STOP_SECONDS
    while is_served(layout=layout):
        for pid in _processes_of(layout):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise EmbeddedServerError(
                f"{layout.cluster} is held by processes that cannot be seen from here (another container?)"
            )
        time.sleep(POLL_SECONDS)


def _stop_served(layout: Layout) -> None:
    for stop_signal in (signal.SIGINT, signal.SIGQUIT):
        deadline = time.monotonic() + STOP_SECONDS
        pid = _postmaster(layout)
        if pid is None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, stop_signal)
        while time.monotonic() < deadline:
            if not is_served(layout=layout):
                return
            time.sleep(POLL_SECONDS)
    _kill_leftovers(layout)


def _start(layout: Layout, *, lock: int) -> None:
    strangers = _processes_of(layout)
    if strangers:
        raise EmbeddedServerError(f"{layout.cluster} is served by process {strangers[0]}, which we did not start")
    programs = binaries.binaries_find(
        account=layout.account, data_root=layout.data_root, required_major=cluster_major(layout=layout)
    )
    if not layout.cluster.exists():
        cluster_create(layout=layout, programs=programs, lock=lock)
    # Nobody holds the server lock, so the number in these files is a dead server's, whoever wears it today
    # (a stranger, or that server's own zombie where process 1 does not bury the dead).
    socket = _socket(layout)
    for remains in (layout.cluster / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        remains.unlink(missing_ok=True)
    _launch(layout, programs=programs)
    deadline = time.monotonic() + READY_SECONDS
    while not _probe(layout):
        if not is_served(layout=layout):
            raise EmbeddedServerError(f"PostgreSQL did not start:\n{_last_words(layout)}")
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"PostgreSQL is not ready after {READY_SECONDS:.0f} s:\n{_last_words(layout)}")
        time.sleep(POLL_SECONDS)


def _launch(layout: Layout, *, programs: binaries.Binaries) -> None:
    """Start the server as nobody's child: it outlives its starter, and is never left as our zombie."""
    argv = [str(programs.program("postgres")), "-D", str(layout.cluster)]
    for name, value in server_settings(layout=layout).items():
        argv += ["-c", f"{name}={value}"]
    log = os.open(layout.start_log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    held = os.open(layout.server_lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        if not try_lock(descriptor=held):
            raise EmbeddedServerError(f"{layout.cluster} was taken by another server a moment ago")
        subprocess.run(  # noqa: S603 - the arguments are our own paths, handed on as "$@" and never parsed
            ["/bin/sh", "-c", '"$@" &', "sh", *argv],
            cwd=layout.data_root,
            stdout=log,
            stderr=log,
            pass_fds=[held],
            start_new_session=True,
            check=True,
            timeout=READY_SECONDS,
            **layout.account.popen_options(),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedServerError(f"cannot start PostgreSQL as {layout.account.name}: {error}") from error
    finally:
        # The server shares this open file: closing ours leaves its lock in place, unlocking would not.
        os.close(held)
        os.close(log)


def _provision(layout: Layout) -> None:
    """Make the application's role and database where they are missing."""
    with _connect(layout) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            # Like a hosted database's role: owns what it makes, is no superuser. CREATEDB is for the tests.
            statement = sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                sql.Identifier(ROLE), sql.Literal(places.password_ensure(layout=layout, role=ROLE))
            )
            connection.execute(statement)
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )


def _last_words(layout: Layout) -> str:
    """Return the end of what the server said, for the person who has to find out why."""
    said: list[str] = []
    logs = sorted(layout.log_folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    for path in (layout.start_log, *logs[-1:]):
        with contextlib.suppress(OSError):
            said += path.read_text(errors="replace").splitlines()[-8:]
    return "\n".join(said) or "(it said nothing)"
