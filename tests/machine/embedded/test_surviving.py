"""The embedded server comes back, with its data, whatever was killed."""

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError

from smartpush.machine.embedded import launcher
from smartpush.machine.embedded.backend.base import DatabaseWrapper
from smartpush.machine.embedded.layout import Layout
from tests.machine.embedded.conftest import PATIENCE_SECONDS, command, eventually
from tests.support.processes import kill_all_below

pytestmark = pytest.mark.faults


def ask(connection: DatabaseWrapper, statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def test_a_query_works_after_the_server_and_all_its_children_were_killed(
    layout: Layout, connection: DatabaseWrapper
) -> None:
    ask(connection, "CREATE TABLE kept (n int)")
    ask(connection, "INSERT INTO kept SELECT generate_series(1, 1000)")
    kill_all_below(layout.cluster)
    with pytest.raises(OperationalError):
        ask(connection, "SELECT 1")
    connection.close()
    assert ask(connection, "SELECT count(*) FROM kept") == 1000


def test_a_busy_back_end_that_outlived_its_postmaster_does_not_stand_in_the_way(
    layout: Layout, connection: DatabaseWrapper
) -> None:
    ask(connection, "SELECT 1")
    before = launcher.status(layout=layout).pid
    assert before is not None
    parameters = launcher.connection_parameters(layout=layout)
    busy = psycopg.connect(**parameters, dbname=launcher.DATABASE, autocommit=True)
    # A loop that never looks at its latch: only such a back end goes on without its postmaster.
    endless = "DO $$ DECLARE n bigint := 0; BEGIN LOOP n := n + 1; END LOOP; END $$"
    ended = threading.Event()

    def work() -> None:
        try:
            busy.execute(endless)
        except psycopg.OperationalError:
            ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO $$%%'"
    eventually(lambda: ask(connection, running) == 1)
    os.kill(before, signal.SIGKILL)
    connection.close()
    assert ask(connection, "SELECT 1") == 1
    thread.join(timeout=PATIENCE_SECONDS)
    assert ended.is_set()
    assert launcher.status(layout=layout).pid != before


def test_a_killed_back_end_is_waited_for_while_the_server_recovers(connection: DatabaseWrapper) -> None:
    victim = ask(connection, "SELECT pg_backend_pid()")
    assert isinstance(victim, int)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(OperationalError):
        ask(connection, "SELECT 1")
    # Once its postmaster has buried it, no new back end is let in before the recovery.
    eventually(lambda: not Path(f"/proc/{victim}").exists())
    connection.close()
    assert ask(connection, "SELECT 1") == 1


def drafts(layout: Layout) -> list[Path]:
    return list(layout.data_root.glob("cluster-draft-*/data/PG_VERSION"))


def kill_starter_during_initdb(layout: Layout) -> None:
    """Start, and kill the starter while initdb works; where it was done before it was seen to begin, once more."""
    while not killed_during_initdb(layout, command("start", layout=layout)):
        launcher.stop(layout=layout)
        shutil.rmtree(layout.data_root)


def killed_during_initdb(layout: Layout, starter: "subprocess.Popen[str]") -> bool:
    eventually(lambda: drafts(layout) or starter.poll() is not None)
    starter.kill()
    said = starter.communicate()[0]
    assert drafts(layout) or layout.cluster.exists(), said
    return not layout.cluster.exists()


@pytest.mark.parametrize("initdb_too", [True, False], ids=["with initdb", "initdb lives on"])
def test_a_start_killed_during_initdb_leaves_nothing_half_written(untouched_layout: Layout, initdb_too: bool) -> None:
    kill_starter_during_initdb(untouched_layout)
    if initdb_too:
        kill_all_below(untouched_layout.data_root)
    assert drafts(untouched_layout)
    assert not untouched_layout.cluster.exists()

    assert launcher.ensure_running(layout=untouched_layout)
    assert not list(untouched_layout.data_root.glob("*draft*"))
    parameters = launcher.connection_parameters(layout=untouched_layout)
    with psycopg.connect(**parameters, dbname=launcher.DATABASE) as connected:
        assert connected.execute("SELECT current_user").fetchone() == (launcher.ROLE,)


def test_a_number_that_a_stranger_wears_now_is_not_taken_for_the_server(
    layout: Layout, connection: DatabaseWrapper
) -> None:
    ask(connection, "SELECT 1")
    kill_all_below(layout.cluster)
    eventually(lambda: not launcher.status(layout=layout).running)
    pid_file = layout.cluster / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split("\n")[0], str(os.getpid()), 1))
    connection.close()
    assert ask(connection, "SELECT 1") == 1


def test_a_socket_swept_away_under_a_running_server_is_made_again(layout: Layout, connection: DatabaseWrapper) -> None:
    ask(connection, "CREATE TABLE kept (n int)")
    for path in layout.socket_folder.iterdir():
        path.unlink()
    layout.socket_folder.rmdir()
    connection.close()
    assert ask(connection, "SELECT count(*) FROM kept") == 0


def test_a_dropped_database_is_made_again(layout: Layout, connection: DatabaseWrapper) -> None:
    ask(connection, "SELECT 1")
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {launcher.DATABASE}")
    assert ask(connection, "SELECT current_database()") == launcher.DATABASE
