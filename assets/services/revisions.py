"""What saving a push and saving a popup have in common: check the draft, and write it as the next immutable revision.

A draft is a frozen dataclass whose fields are the columns of a revision, with `variants` for the rows of its languages.
A `ResourceKind` says what is its own of a push or popup; everything that is alike is here.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, Generic, Protocol, TypeVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction

from assets.models import PopupResource, PopupRevision, PopupVariant, PushResource, PushRevision, PushVariant
from assets.services.refusals import CannotSaveResource, Faults
from devices.models import Brand
from smartpush.common.language.languages import language_same


class VariantDraft(Protocol):
    """The texts of one language."""

    @property
    def language(self) -> str: ...


class Draft(Protocol):
    """Everything that a revision holds."""

    @property
    def default_language(self) -> str: ...

    @property
    def variants(self) -> tuple[Any, ...]: ...


DraftT = TypeVar("DraftT", bound=Draft)
RevisionT = TypeVar("RevisionT", PushRevision, PopupRevision)


@dataclass(frozen=True)
class ResourceKind(Generic[DraftT, RevisionT]):
    """A kind of resource: its tables, its draft, and (in a subclass) what may be said in it."""

    resource: type[PushResource] | type[PopupResource]
    revision: type[RevisionT]
    variant: type[PushVariant] | type[PopupVariant]
    draft: type[DraftT]
    variant_draft: type

    def tidy(self, draft: DraftT) -> DraftT:
        """The draft as it is kept: trimmed, in one order, without what means nothing."""
        raise NotImplementedError

    def check(self, draft: DraftT, faults: Faults) -> None:
        """Note what is wrong with a tidied draft, besides its name and languages."""
        raise NotImplementedError

    def columns(self, draft: DraftT) -> dict[str, Any]:
        """A draft as columns of the revision."""
        return {item.name: getattr(draft, item.name) for item in fields(draft) if item.name != "variants"}  # type: ignore[arg-type]

    def variant_columns(self, variant: Any) -> dict[str, Any]:
        """A variant's draft as columns."""
        return dict(vars(variant))

    def values(self, revision: RevisionT) -> dict[str, Any]:
        """A revision's columns as the draft's fields."""
        return {item.name: getattr(revision, item.name) for item in fields(self.draft) if item.name != "variants"}  # type: ignore[arg-type]

    def variant_values(self, row: Any) -> dict[str, Any]:
        """A variant's columns as its draft's fields."""
        return {item.name: getattr(row, item.name) for item in fields(self.variant_draft)}


def revision_draft(kind: ResourceKind[DraftT, RevisionT], revision: RevisionT) -> DraftT:
    """A revision as a draft to go on from."""
    rows = sorted(revision.variants.all(), key=lambda row: row.language)
    variants = tuple(kind.variant_draft(**kind.variant_values(row)) for row in rows)
    make: Callable[..., DraftT] = kind.draft
    return make(**kind.values(revision), variants=variants)


def resource_check(
    kind: ResourceKind[DraftT, RevisionT], *, brand: Brand, name: str, draft: DraftT, resource: Any = None
) -> DraftT:
    """The tidied draft, when it can be saved; raises CannotSaveResource with every fault."""
    draft = kind.tidy(draft)
    name = name.strip()
    faults = Faults(brand)
    faults.name(name)
    others = kind.resource._default_manager.filter(brand=brand, name=name)
    if not faults.fields and (others if resource is None else others.exclude(pk=resource.pk)).exists():
        faults.add("name", f"The brand has a {kind.resource._meta.verbose_name} of this name.")
    languages = [variant.language for variant in draft.variants]
    if draft.default_language not in languages:
        faults.add("default_language", "The default language has no text.")
    if any(language_same(one, other) for one, other in itertools.combinations(languages, 2)):
        faults.add("variants", "A language is there twice.")
    for language in languages:
        faults.language(f"variants.{language}.language", language)
    kind.check(draft, faults)
    faults.raise_if_any()
    return draft


def resource_save(
    kind: ResourceKind[DraftT, RevisionT],
    *,
    brand: Brand,
    name: str,
    draft: DraftT,
    by: AbstractBaseUser | None,
    resource: Any,
) -> RevisionT:
    """Write the draft as the next revision (none when nothing changed); raises CannotSaveResource."""
    name = name.strip()
    draft = resource_check(kind, brand=brand, name=name, draft=draft, resource=resource)
    with _for_writing(kind, brand, name, resource) as row:
        current: RevisionT | None = row.current_revision
        if current is not None and revision_draft(kind, current) == draft:
            return current
        revision: RevisionT = kind.revision._default_manager.create(
            resource=row,
            number=current.number + 1 if current is not None else 1,
            created_by_id=by.pk if by is not None else None,
            **kind.columns(draft),
        )
        variant_model: Any = kind.variant
        variant_model.objects.bulk_create(
            variant_model(revision=revision, **kind.variant_columns(variant)) for variant in draft.variants
        )
        row.current_revision = revision
        row.save(update_fields=["current_revision", "updated_at"])
    return revision


def fallen_back(
    variants: Mapping[str, dict[str, Any]], *, default: str, names: tuple[str, ...]
) -> dict[str, dict[str, Any]]:
    """Variants as they are sent: these fields, where a language leaves them empty, are the default language's."""
    return {
        language: values | {name: values[name] or variants[default][name] for name in names}
        for language, values in variants.items()
    }


@contextmanager
def _for_writing(kind: ResourceKind[Any, Any], brand: Brand, name: str, resource: Any) -> Iterator[Any]:
    """The resource, made or locked and renamed; raises CannotSaveResource where the name is taken."""
    model = kind.resource
    with transaction.atomic():
        try:
            with transaction.atomic():
                if resource is None:
                    row: Any = model._default_manager.create(brand=brand, name=name)
                else:
                    row = model._default_manager.select_for_update().get(pk=resource.pk, brand=brand)
                    if row.name != name:
                        row.name = name
                        row.save(update_fields=["name", "updated_at"])
        except IntegrityError as error:
            if f"{model._meta.db_table}_name" not in str(error):
                raise
            raise CannotSaveResource(
                fields={"name": [f"The brand has a {model._meta.verbose_name} of this name."]}
            ) from error
        yield row
