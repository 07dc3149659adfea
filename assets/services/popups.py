"""Popup resources: what a popup may say and do, and what of it the delivery side reads."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.text import get_text_list

from assets.models import PopupResource, PopupRevision, PopupVariant
from assets.services.refusals import Faults, contrast
from assets.services.revisions import (
    ResourceKind,
    fallen_back,
    resource_check,
    resource_save,
    revision_draft,
)
from devices.models import Brand
from devices.people.selectors.categories import categories_of, category_speaks, category_words
from smartpush.common.language.languages import language_label
from smartpush.common.numbers import noun

EXPIRES_AFTER = 86_400  # seconds that an offer waits for its end user, unless the marketer says otherwise
MIN_EXPIRES, MAX_EXPIRES = 30, 2_419_200  # seconds
MAX_CATEGORIES = 12  # more do not fit a phone beside the text
READABLE = 4.5  # WCAG 2.2, 1.4.3
_TEMPLATE, _PRIMARY = PopupRevision.Template, PopupRevision.Primary


@dataclass(frozen=True)
class Colours:
    """#rrggbb each."""

    background: str = "#ffffff"
    text: str = "#1f2328"
    button: str = "#4f46e5"
    button_text: str = "#ffffff"


@dataclass(frozen=True)
class PopupVariantDraft:
    language: str
    title: str
    text: str = ""
    image: str = ""
    subscribe_label: str = "Subscribe"
    later_label: str = "Maybe later"
    close_label: str = "Close"


@dataclass(frozen=True)
class PopupDraft:
    """Everything that a revision holds; `categories` are markers, `expires_after` is in seconds."""

    variants: tuple[PopupVariantDraft, ...]
    default_language: str = "en"
    template: str = "simple"
    primary: str = "permission"
    primary_url: str = ""
    categories: tuple[str, ...] = ()
    expires_after: int = EXPIRES_AFTER
    colours: Colours = Colours()


class PopupKind(ResourceKind[PopupDraft, PopupRevision]):
    """What a popup may say and do."""

    def columns(self, draft: PopupDraft) -> dict[str, Any]:
        plain = super().columns(draft)
        colours = {f"colour_{name}": value for name, value in vars(plain.pop("colours")).items()}
        return plain | colours | {"categories": list(draft.categories)}

    def values(self, revision: PopupRevision) -> dict[str, Any]:
        names = {item.name for item in fields(PopupDraft)} - {"variants", "colours"}
        colours = Colours(**{item.name: getattr(revision, f"colour_{item.name}") for item in fields(Colours)})
        plain = {name: getattr(revision, name) for name in names}
        return plain | {"colours": colours, "categories": tuple(revision.categories)}

    def tidy(self, draft: PopupDraft) -> PopupDraft:
        variants = (
            PopupVariantDraft(**{key: str(value).replace("\r\n", "\n").strip() for key, value in vars(variant).items()})
            for variant in draft.variants
        )
        return replace(
            draft,
            primary_url=draft.primary_url.strip() if draft.primary == _PRIMARY.URL else "",
            categories=tuple(dict.fromkeys(draft.categories)) if draft.template == _TEMPLATE.CATEGORIES else (),
            colours=Colours(**{key: value.strip().lower() for key, value in vars(draft.colours).items()}),
            variants=tuple(sorted(variants, key=lambda item: item.language)),
        )

    def check(self, draft: PopupDraft, faults: Faults) -> None:
        if draft.template not in _TEMPLATE.values:
            faults.add("template", "Choose a template.")
        if draft.primary not in _PRIMARY.values:
            faults.add("primary", "Choose what the first button does.")
        elif draft.primary == _PRIMARY.CLOSE and draft.template == _TEMPLATE.CATEGORIES:
            faults.add("primary", "A button that only closes keeps no categories: choose another one.")
        if draft.primary == _PRIMARY.URL:
            required = "Say which page the button opens."
            faults.click_url("primary_url", draft.primary_url, liquid=False, required=required)
        if draft.template == _TEMPLATE.CATEGORIES:
            _check_categories(draft, faults)
        if not MIN_EXPIRES <= draft.expires_after <= MAX_EXPIRES:
            faults.add("expires_after", "An offer stays open for at least half a minute and at most 28 days.")
        for name, value in vars(draft.colours).items():
            faults.colour(f"colour_{name}", value)
        for variant in draft.variants:
            _check_variant(variant, faults, later=draft.primary == _PRIMARY.PERMISSION)


POPUP = PopupKind(PopupResource, PopupRevision, PopupVariant, PopupDraft, PopupVariantDraft)


def popup_resource_check(
    *, brand: Brand, name: str, draft: PopupDraft, resource: PopupResource | None = None
) -> PopupDraft:
    """The tidied draft, when it can be saved; raises CannotSaveResource with every fault."""
    return resource_check(POPUP, brand=brand, name=name, draft=draft, resource=resource)


def popup_resource_save(
    *,
    brand: Brand,
    name: str,
    draft: PopupDraft,
    by: AbstractBaseUser | None = None,
    resource: PopupResource | None = None,
) -> PopupRevision:
    """Write the draft as the next revision (none when nothing changed); raises CannotSaveResource."""
    return resource_save(POPUP, brand=brand, name=name, draft=draft, by=by, resource=resource)


def popup_draft(revision: PopupRevision) -> PopupDraft:
    """A revision as a draft to go on from."""
    return revision_draft(POPUP, revision)


def popup_content(revision: PopupRevision) -> dict[str, Any]:
    """Dispatch.content of a popup; its categories in the words that they have today, without the archived ones."""
    draft = popup_draft(revision)
    brand = revision.resource.brand
    rows = categories_of(brand_id=brand.pk, markers=draft.categories)
    variants = {
        variant.language: {key: value for key, value in vars(variant).items() if key != "language"}
        for variant in draft.variants
    }
    variants = fallen_back(variants, default=draft.default_language, names=("image",))
    if draft.template == _TEMPLATE.CATEGORIES:
        for language, values in variants.items():
            values["categories"] = [
                category_words(category=row, language=language, own=brand.default_language) for row in rows
            ]
    return {
        "kind": "popup",
        "template": draft.template,
        "revision": revision.pk,
        "revision_id": revision.pk,
        "default_language": draft.default_language,
        "expires_after": draft.expires_after,
        "colours": dict(vars(draft.colours)),
        # `outcome` is what pages report; without it a click.
        "primary": {
            "kind": draft.primary,
            "url": draft.primary_url,
            **({"outcome": "closed"} if draft.primary == _PRIMARY.CLOSE else {}),
        },
        "variants": variants,
    }


def popup_problem(revision: PopupRevision) -> str:
    """Why the popup cannot be shown any more, in a sentence; empty when it can."""
    if revision.template != _TEMPLATE.CATEGORIES:
        return ""
    if categories_of(brand_id=revision.resource.brand_id, markers=revision.categories):
        return ""
    return "Every category of the popup is archived; choose others in the popup."


def popup_language_warnings(*, brand: Brand, draft: PopupDraft) -> list[str]:
    """Say which of the offered categories have no name in a language that the popup is written in."""
    found = []
    for category in categories_of(brand_id=brand.pk, markers=draft.categories):
        missing = [
            language_label(variant.language)
            for variant in draft.variants
            if not category_speaks(category=category, language=variant.language, default=brand.default_language)
        ]
        if missing:
            who = noun(number=len(missing), one=f"{missing[0]} visitors", many="visitors of these languages")
            found.append(
                f"The category “{category.name}” has no name in {get_text_list(missing, 'and')}: {who} see"
                f" “{category.name}”. Add its name under Push categories."
            )
    return found


def popup_warnings(*, brand: Brand, draft: PopupDraft) -> Sequence[str]:
    """What is allowed but unwise, in sentences for the marketer."""
    pairs = (
        ("text", draft.colours.text, "background", draft.colours.background),
        ("button title", draft.colours.button_text, "button", draft.colours.button),
    )
    hard_to_read = [
        f"The {front} is hard to read on the {back}: the contrast is {contrast(one, other):.1f} to 1,"
        f" and {READABLE} to 1 is the least that everybody reads."
        for front, one, back, other in pairs
        if contrast(one, other) < READABLE
    ]
    return [*hard_to_read, *popup_language_warnings(brand=brand, draft=draft)]


def _check_categories(draft: PopupDraft, faults: Faults) -> None:
    if not draft.categories:
        faults.add("categories", "Choose at least one category to offer.")
    elif len(draft.categories) > MAX_CATEGORIES:
        faults.add("categories", f"A popup offers {MAX_CATEGORIES} categories at most.")
    known = {row.marker for row in categories_of(brand_id=faults.brand_id, markers=draft.categories)}
    gone = [marker for marker in draft.categories if marker not in known]
    if gone:
        faults.add("categories", f"The brand has no category in use with the marker {', '.join(gone)}.")


def _check_variant(variant: PopupVariantDraft, faults: Faults, *, later: bool) -> None:
    where = f"variants.{variant.language}"
    faults.text(f"{where}.title", variant.title, most=200, required="Give the popup a title.", liquid=False)
    faults.text(f"{where}.text", variant.text, most=600, liquid=False)
    faults.image_url(f"{where}.image", variant.image)
    required = "Give the button a title."
    faults.text(f"{where}.subscribe_label", variant.subscribe_label, most=60, required=required, liquid=False)
    # Who is asked for permission must be able to say: not now.
    faults.text(f"{where}.later_label", variant.later_label, most=60, required=required if later else "", liquid=False)
    faults.text(
        f"{where}.close_label",
        variant.close_label,
        most=60,
        required="Say what the cross does, for those who hear the page.",
        liquid=False,
    )
