"""The embedded server comes back, with its data, whatever was killed."""

import os
import signal
import threading
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError

from smartpush.common.embedded import launcher
from smartpush.common.embedded.backend.base import DatabaseWrapper
from smartpush.common.embedded.layout import Layout
from tests.common.embedded.conftest import command, eventually, processes_below

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
    for pid in processes_below(layout.cluster):
        os.kill(pid, signal.SIGKILL)
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
    thread.join(timeout=30)
    assert ended.is_set()
    assert launcher.status(layout=layout).pid != before


def test_a_killed_back_end_is_waited_for_while_the_server_recovers(connection: DatabaseWrapper) -> None:
    victim = ask(connection, "SELECT pg_backend_pid()")
    assert isinstance(victim, int)
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(OperationalError):
        ask(connection, "SELECT 1")
    connection.close()
    assert ask(connection, "SELECT 1") == 1


@pytest.mark.parametrize("initdb_too", [True, False], ids=["with initdb", "initdb lives on"])
def test_a_start_killed_during_initdb_leaves_nothing_half_written(untouched_layout: Layout, initdb_too: bool) -> None:
    starter = command("start", layout=untouched_layout)

    def drafts() -> list[Path]:
        return list(untouched_layout.data_root.glob("cluster-draft-*/data/PG_VERSION"))

    eventually(drafts)
    starter.kill()
    starter.wait()
    if initdb_too:
        for pid in processes_below(untouched_layout.data_root):
            os.kill(pid, signal.SIGKILL)
    assert drafts()
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
    for pid in processes_below(layout.cluster):
        os.kill(pid, signal.SIGKILL)
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
