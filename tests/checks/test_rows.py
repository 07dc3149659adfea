"""Rows of the database are read by name everywhere in the product (smartpush.common.database.statements)."""

import pytest

from tests.checks.rows import rows_by_number
from tests.checks.sources import ROOT, product_sources


def test_no_row_is_read_by_number():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path, source in product_sources(".py")
        if "/migrations/" not in str(path)
        for line, text in rows_by_number(source)
    ]
    assert not found


@pytest.mark.parametrize(
    "body",
    [
        "return cursor.fetchone()[0]",
        "row = cursor.fetchone()\n    return row[3]",
        "rows = cursor.fetchall()\n    return [row[1] for row in rows]",
        "return {r[0]: r[1] for r in cursor.fetchall()}",
        "for a, b, c in cursor.fetchall():\n        print(a, b, c)",
        "for row in sorted(cursor.fetchall()):\n        print(row[2])",
        "return {a: (b, c) for a, b, c in cursor}",
        "return rows_within(text='', params=[], milliseconds=1)[0][0]",
    ],
)
def test_reads_by_number_are_found(body):
    assert list(rows_by_number(f"def read(cursor):\n    {body}\n"))


@pytest.mark.parametrize(
    "body",
    [
        "(only,) = cursor.fetchone()\n    return only",
        "return dict(cursor.fetchall())",
        "return [pk for (pk,) in cursor.fetchall()]",
        "parts = 'a:b'.split(':')\n    return parts[0]",
    ],
)
def test_other_reads_are_not(body):
    assert not list(rows_by_number(f"def read(cursor):\n    {body}\n"))
