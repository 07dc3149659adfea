"""What the engine and the back office need of an activity beside its pure descriptor."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.db.models import Model
from django.urls import reverse

from campaigns.activities.shapes import Shape
from campaigns.journey.compile import Step
from campaigns.journey.kinds import Kind
from campaigns.selectors.counts import ActivityCounts
from segments.selectors.names.known_names import KnownNames

R = TypeVar("R", bound=Model)


class Resources(ABC, Generic[R]):
    """The assets that a kind of activity sends or shows: rows of one model, each with a current revision.

    What a kind does not override has no special case: no check, no warning, no further part of a review.
    """

    model: ClassVar[type[Model]]

    @abstractmethod
    def content(self, *, row: R) -> dict[str, Any]:
        """What a dispatch carries (Dispatch.content), as the current revision says it."""

    @abstractmethod
    def names(self, *, revision_ids: Iterable[int]) -> Mapping[int, str]:
        """The resource's name for each of these revisions."""

    def compiled(self, *, row: R, step: Step, content: dict[str, Any]) -> tuple[Step, dict[str, Any]]:
        """The step and its content as a version keeps them."""
        return step, content

    def problem(self, *, row: R) -> str:
        """Why the resource cannot be used as it is, in a sentence; '' where it can."""
        return ""

    def warnings(self, *, row: R, known: KnownNames, event: str | None) -> list[str]:
        """What most likely goes wrong; `event` as `push_name_warnings` takes it."""
        return []

    def lines(self, *, row: R) -> list[str]:
        """What a review shows of the content, a paragraph each."""
        return []

    def words_of_the_brand(self, *, content: Mapping[str, Any]) -> Any:
        """Words in the content that are the brand's of today, beside the revision; None where it has none."""
        return None

    def choices(self, *, brand_id: int) -> dict[int, str]:
        """The brand's usable ones by id, with their names."""
        rows = self.model._default_manager.filter(**self._usable(brand_id))
        return dict(rows.order_by("name").values_list("pk", "name"))

    def usable(self, *, brand_id: int, ids: Iterable[int]) -> dict[int, R]:
        """Those of these that the brand may use, by id, with their revision and its variants."""
        rows = self.model._default_manager.filter(**self._usable(brand_id))
        related = rows.select_related("current_revision__resource").prefetch_related("current_revision__variants")
        found: dict[int, Any] = related.in_bulk(list(ids))
        return found

    def known(self, *, brand_id: int | None, ids: Iterable[int]) -> set[int]:
        """Those of these that are the brand's, usable or not."""
        return set(self.model._default_manager.filter(pk__in=list(ids), brand=brand_id).values_list("pk", flat=True))

    def add_url(self) -> str:
        """The page on which one is made."""
        return reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_add")

    def edit_url(self, *, row: R) -> str:
        """The page of one of them."""
        return reverse(f"admin:{self.model._meta.label_lower.replace('.', '_')}_change", args=[row.pk])

    def _usable(self, brand_id: int) -> dict[str, Any]:
        return {"brand": brand_id, "archived_at": None, "current_revision__isnull": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One activity: its descriptor, how it is executed and, where it has any, its resources.

    `report`: its numbers on the campaign's page as (label, number); without it they are its outcomes, where it has any.
    """

    kind: Kind
    shape: Shape
    resources: Resources[Any] | None = None
    report: Callable[[ActivityCounts], list[tuple[str, int]]] | None = None
