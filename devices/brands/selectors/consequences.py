"""What goes with a row that is deleted: found by the CASCADE relations of the models, counted without being loaded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import CASCADE, Model, Q, QuerySet

MOST_COUNTED = 1_000_000
"""Rows of one table that are counted. Beyond it a page says "more than", and the history has the exact number."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A table whose rows go with the row, and how they refer to it: `segment`, `job__segment`."""

    model: type[Model]
    paths: tuple[str, ...]

    def rows(self, row: Model) -> QuerySet[Any]:
        """Return its rows that go with `row`."""
        condition = Q()
        for path in self.paths:
            condition |= Q(**{path: row.pk})
        return self.model._base_manager.filter(condition).order_by()


@cache
def taken_with(model: type[Model]) -> tuple[Taken, ...]:
    """Return every table that CASCADE reaches from the model, whatever the depth, children before their parents."""
    found: dict[type[Model], list[str]] = {}
    order: list[type[Model]] = []

    def walk(parent: type[Model], way: str, above: frozenset[type[Model]]) -> None:
        relations: Iterable[Any] = parent._meta.get_fields(include_hidden=True)
        for relation in relations:
            if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
                continue
            child: type[Model] = relation.related_model
            if relation.on_delete is not CASCADE or child in above:
                continue
            path = f"{relation.field.name}__{way}" if way else relation.field.name
            found.setdefault(child, []).append(path)
            walk(child, path, above | {child})
            if child not in order:
                order.append(child)

    walk(model, "", frozenset({model}))
    return tuple(Taken(child, tuple(found[child])) for child in order)


def taken_counts(*, row: Model, models: Iterable[type[Model]]) -> Mapping[type[Model], int]:
    """Count what of these models goes with the row: one bounded COUNT a table, MOST_COUNTED + 1 where there is more."""
    wanted = set(models)
    return {
        taken.model: taken.rows(row).values("pk")[: MOST_COUNTED + 1].count()
        for taken in taken_with(type(row))
        if taken.model in wanted
    }


def any_taken(*, row: Model, models: Iterable[type[Model]]) -> bool:
    """Return whether anything of these models would go with the row."""
    wanted = set(models)
    return any(taken.rows(row).exists() for taken in taken_with(type(row)) if taken.model in wanted)


def number_words(number: int) -> str:
    """Say a count as a page shows it."""
    return f"more than {MOST_COUNTED:,}" if number > MOST_COUNTED else f"{number:,}"
