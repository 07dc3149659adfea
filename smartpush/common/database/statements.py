"""Execute an SQL statement and read its rows by name.

The row class is a NamedTuple or a dataclass whose fields are the statement's columns, in their order. A statement that
returns other columns is refused where it is executed, so that a column added in the middle never shifts those behind.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any, TypeVar

from django.db import connection
from django.db.backends.utils import CursorWrapper

Row = TypeVar("Row")
Values = Mapping[str, Any] | Sequence[Any] | None


class WrongColumns(TypeError):
    """A statement returns other columns than its row class names."""


def rows(row: type[Row], sql: str, values: Values = None) -> list[Row]:
    """Execute the statement and return its rows; raises WrongColumns."""
    with closing(_executed(sql, values)) as cursor:
        make = _maker(cursor, row)
        return [make(*found) for found in cursor.fetchall()]


def first(row: type[Row], sql: str, values: Values = None) -> Row | None:
    """Execute the statement and return its first row, None where it has none; raises WrongColumns."""
    with closing(_executed(sql, values)) as cursor:
        make = _maker(cursor, row)
        found = cursor.fetchone()
        return None if found is None else make(*found)


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


def _maker(cursor: CursorWrapper, row: type[Row]) -> Callable[..., Row]:
    made: Any = row
    fields = tuple(one.name for one in dataclasses.fields(made)) if dataclasses.is_dataclass(made) else made._fields
    columns = tuple(described[0] for described in cursor.description or ())
    if columns != fields:
        raise WrongColumns(f"{row.__name__} has {', '.join(fields)}; the statement has {', '.join(columns)}.")
    return row


def _check_one(cursor: CursorWrapper) -> None:
    if len(cursor.description or ()) != 1:
        raise WrongColumns(f"One column was expected; the statement has {len(cursor.description or ())}.")
