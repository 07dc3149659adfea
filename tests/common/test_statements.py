"""Rows come by name, and a statement with other columns is refused."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest
from django.db import connection

from smartpush.common.database.statements import WrongColumns, column, first, rows, value, written

pytestmark = pytest.mark.django_db


class Pair(NamedTuple):
    number: int
    word: str


@dataclass
class Changeable:
    number: int
    word: str


def test_rows_are_read_by_name():
    found = rows(Pair, "SELECT n AS number, 'w' || n AS word FROM generate_series(1, %s) n", [2])
    assert [(row.number, row.word) for row in found] == [(1, "w1"), (2, "w2")]
    assert rows(Pair, "SELECT 1 AS number, '' AS word WHERE false") == []


def test_rows_may_be_dataclasses():
    (row,) = rows(Changeable, "SELECT 1 AS number, 'w' AS word")
    row.word = "other"
    assert row == Changeable(1, "other")
    with pytest.raises(WrongColumns, match="Changeable has number, word; the statement has n"):
        first(Changeable, "SELECT 1 AS n")


def test_the_first_row_or_none():
    assert first(Pair, "SELECT %(n)s AS number, 'w' AS word", {"n": 7}) == Pair(7, "w")
    assert first(Pair, "SELECT 1 AS number, '' AS word WHERE false") is None


def test_single_columns():
    assert column("SELECT generate_series(1, 3)") == [1, 2, 3]
    assert value("SELECT 'x'") == "x"
    assert value("SELECT 1 WHERE false") is None


def test_how_many_rows_were_written():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE written_rows (n int) ON COMMIT DROP")
    assert written("INSERT INTO written_rows SELECT generate_series(1, 3)") == 3
    assert written("DELETE FROM written_rows WHERE n > %s", [1]) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'w' AS word, 1 AS number",
        "SELECT 1 AS number",
        "SELECT 1 AS number, 2 AS between, '' AS word",
        "SELECT 1 AS n, '' AS w",
    ],
)
@pytest.mark.parametrize("read", [rows, first])
def test_other_columns_are_refused_with_both_named(read, sql):
    with pytest.raises(WrongColumns, match="Pair has number, word; the statement has"):
        read(Pair, sql)


@pytest.mark.parametrize("read", [column, value])
def test_two_columns_are_not_one(read):
    with pytest.raises(WrongColumns, match="has 2"):
        read("SELECT 1, 2")
