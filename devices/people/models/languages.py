"""The column that keeps a language tag's canonical form beside the tag as it was sent."""

from typing import Any

from django.db import models

from smartpush.common.language.languages import MAX_CANONICAL, canonical


class CanonicalLanguageField(models.CharField):
    """Keeps the canonical form of the tag in another column, computed whenever the row is saved.

    A save with `update_fields` names both columns, and a statement writes both (`canonical`). Null where there is no
    tag, and in rows that the release before wrote; "" where the tag is no language.
    """

    def __init__(self, *args: Any, of: str = "language", **kwargs: Any) -> None:
        self.of = of
        kwargs |= {"max_length": MAX_CANONICAL, "null": True, "editable": False}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return what migrations keep: a plain column of text."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        """Compute the canonical form of the row's tag."""
        value = canonical_of(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value


def canonical_of(tag: str) -> str | None:
    """Return what the column keeps for a tag."""
    return canonical(tag) if tag else None
