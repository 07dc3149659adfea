"""Execute an SQL statement and read its rows by name.

The row class is a NamedTuple whose fields are the statement's columns, in their order. A statement that returns other
columns is refused where it is executed, so that a column added in the middle never shifts those behind it.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple, TypeVar, cast

from django.db import connection
from django.db.backends.utils import CursorWrapper

Row = TypeVar("Row", bound=NamedTuple)
Values = Mapping[str, Any] | Sequence[Any] | None


class WrongColumns(TypeError):
    """A statement returns other columns than its row class names."""


def rows(row: type[Row], sql: str, values: Values = None) -> list[Row]:
    """Execute the statement and return its rows; raises WrongColumns."""
    with closing(_executed(sql, values)) as cursor:
        _check(cursor, row)
        make = cast(Any, row)._make
        return [make(found) for found in cursor.fetchall()]


def first(row: type[Row], sql: str, values: Values = None) -> Row | None:
    """Execute the statement and return its first row, None where it has none; raises WrongColumns."""
    with closing(_executed(sql, values)) as cursor:
        _check(cursor, row)
        found = cursor.fetchone()
        return None if found is None else cast(Any, row)._make(found)


def column(sql: str, values: Values = None) -> list[Any]:
    """Execute a statement of one column and return its values; raises WrongColumns."""
    with closing(_executed(sql, values)) as cursor:
        _check_one(cursor)
        return [value for (value,) in cursor.fetchall()]


def value(sql: str, values: Values = None) -> Any:
    """Execute a statement of one column and return the first row's value, None where there is none."""
    with closing(_executed(sql, values)) as cursor:
        _check_one(cursor)
        found = cursor.fetchone()
        if found is None:
            return None
        (only,) = found
        return only


def written(sql: str, values: Values = None) -> int:
    """Execute the statement and return how many rows it wrote."""
    with closing(_executed(sql, values)) as cursor:
        return int(cursor.rowcount)


def _executed(sql: str, values: Values) -> CursorWrapper:
    cursor = connection.cursor()
    try:
        cursor.execute(sql, values)
    except BaseException:
        cursor.close()
        raise
    return cursor


def _check(cursor: CursorWrapper, row: type[Any]) -> None:
    columns = tuple(described[0] for described in cursor.description or ())
    if columns != row._fields:
        raise WrongColumns(f"{row.__name__} has {', '.join(row._fields)}; the statement has {', '.join(columns)}.")


def _check_one(cursor: CursorWrapper) -> None:
    if len(cursor.description or ()) != 1:
        raise WrongColumns(f"One column was expected; the statement has {len(cursor.description or ())}.")
