"""A name that no row has yet: the wanted one, or with the first free number behind it."""

from typing import Any

from django.db.models import QuerySet


def free_name(*, rows: QuerySet[Any], wanted: str) -> str:
    """Return the wanted name, or *name 2*, *name 3* and so on, whichever none of the rows has first."""
    taken = set(rows.filter(name__startswith=wanted).values_list("name", flat=True))
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted} {number}"
    return name
