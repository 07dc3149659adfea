"""Deleting a row with all that hangs on it: one statement a table, nothing is loaded, and the numbers are returned."""

from collections.abc import Mapping

from django.db import router, transaction
from django.db.models import Model

from devices.brands.selectors.consequences import MOST_COUNTED, taken_with

Numbers = Mapping[type[Model], int]


class NumbersChanged(Exception):
    """Something else goes with the row than was agreed to, because it changed meanwhile; nothing was deleted."""


class CannotDelete(Exception):
    """The sentence says what stands in the way and what to do instead."""


@transaction.atomic
def row_delete(*, row: Model, agreed: Numbers | None = None) -> Numbers:
    """Delete the row and what CASCADE takes with it; return how many rows of each table went.

    `agreed` has the counts that somebody said yes to, as `taken_counts` gives them. Raises NumbersChanged where others
    would go, and ProtectedError where something that stays refers to the row; nothing is deleted then.
    """
    using = router.db_for_write(type(row), instance=row)
    type(row)._base_manager.select_for_update().filter(pk=row.pk).first()  # who adds below it waits
    gone = {taken.model: int(taken.rows(row)._raw_delete(using)) for taken in taken_with(type(row))}
    for model, number in (agreed or {}).items():
        if min(gone.get(model, 0), MOST_COUNTED + 1) != number:
            raise NumbersChanged
    row.delete()  # by the model: its history gets its last entry, and PROTECT is heard
    return gone
