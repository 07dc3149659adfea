"""Every page of the back office as its address map has it, with ids of a world filled in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, reverse

from tests.backoffice.world import World

# What stands in addresses beside the id of a row. A page with another word in its address must be named here.
WORDS = {"way": "up", "flow": "ask"}


@dataclass(frozen=True)
class Page:
    """A named page; `model` is None for those of the site itself."""

    name: str
    model: type[Model] | None
    pattern: URLPattern

    @property
    def kind(self) -> str:
        """What Django calls its own pages: changelist, add, change, delete, history; else the name."""
        if self.model is None:
            return self.name
        return self.name.removeprefix(f"{self.model._meta.app_label}_{self.model._meta.model_name}_")

    def url(self, world: World) -> str:
        """Its address, with the ids of this world's rows."""
        route = str(self.pattern.pattern)
        if route.startswith("^([^/]+)/history"):  # django-simple-history's page of one version
            row = world.rows[self.model]
            return reverse(f"admin:{self.name}", args=[row.pk, self.model.history.filter(id=row.pk).latest().pk])
        return reverse(f"admin:{self.name}", kwargs={name: self._fill(name, world) for name in self._names()})

    def _names(self) -> Iterator[str]:
        yield from self.pattern.pattern.converters

    def _fill(self, name: str, world: World) -> Any:
        if name in {"object_id", "id"}:  # the latter in Django's own page for a user's password
            return world.rows[self.model].pk
        return WORDS[name]


def model_pages() -> Iterator[Page]:
    """The pages of every registered model."""
    for model, model_admin in admin.site._registry.items():
        for pattern in model_admin.get_urls():
            if pattern.name is not None:
                yield Page(pattern.name, model, pattern)


def site_pages() -> Iterator[Page]:
    """The pages of the site itself."""
    for pattern in admin.site.get_urls():
        if not isinstance(pattern, URLResolver) and pattern.name is not None:
            yield Page(pattern.name, None, pattern)
