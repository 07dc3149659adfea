"""Somebody who asks faster than the database counts: the newest question runs, those before are cancelled."""

import threading
import time

import pytest
from django.db import connection

from segments.selectors.bounded import Superseded, rows_within
from segments.selectors.turns import newest_only

PATIENCE = 60  # seconds


class Asker(threading.Thread):
    """One who asks a question that takes for ever, on a connection of their own."""

    def __init__(self, **whose):
        super().__init__(daemon=True)
        self.whose, self.end, self.pid = whose, "", 0

    def run(self):
        try:
            with newest_only(**self.whose):
                [(self.pid,)] = rows_within(text="SELECT pg_backend_pid()", params=[], milliseconds=60_000)
                rows_within(text="SELECT pg_sleep(120)", params=[], milliseconds=100_000)
            self.end = "answered"
        except Superseded:
            self.end = "superseded"
        finally:
            connection.close()

    def sleeps(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %s", [self.pid])
            row = cursor.fetchone()
            return row is not None and bool(row[0])

    def begin(self):
        self.start()
        until = time.monotonic() + PATIENCE
        while not self.sleeps():
            assert self.is_alive() and time.monotonic() < until
            time.sleep(0.02)
        return self

    def stop(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_cancel_backend(%s)", [self.pid])
        self.join(PATIENCE)


@pytest.mark.django_db(transaction=True)
def test_a_newer_question_ends_the_one_before():
    older = Asker(what="count", staff_id=1, brand_id=1).begin()
    with newest_only(what="count", staff_id=1, brand_id=1):
        assert rows_within(text="SELECT 1", params=[], milliseconds=60_000) == [(1,)]
    older.join(PATIENCE)
    assert older.end == "superseded"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", [{"staff_id": 2}, {"brand_id": 2}, {"what": "sample"}])
def test_others_are_left_alone(other):
    whose = {"what": "count", "staff_id": 1, "brand_id": 1}
    older = Asker(**whose).begin()
    try:
        with newest_only(**{**whose, **other}):
            assert older.sleeps()
    finally:
        older.stop()
