"""Push categories as the marketer writes them; end users tick them in popups and on the preference page."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from devices.brands.models import Brand
from devices.people.models import PushCategory
from devices.people.services.markers import CannotChangeMarkers, marker_clean
from smartpush.common.language.default_words import WORDS, words_in
from smartpush.common.language.languages import language_same, language_valid

MAX_CATEGORIES = 50  # a popup or page with more is not read by anybody
MAX_NAME = 120
MAX_DESCRIPTION = 200
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class CannotSaveCategory(Exception):
    """A refusal; `fields` maps marker, name, description or translations.el.name to what to do."""

    def __init__(self, *, fields: Mapping[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {text}" for field, texts in fields.items() for text in texts))
        self.fields = dict(fields)


def marker_suggest(name: str) -> str:
    """The marker that goes with a name (`Sports news`: SPORTS_NEWS); empty when it has no Latin letter or digit."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    return re.sub(r"[^A-Z0-9]+", "_", plain).strip("_")[:64].strip("_")


def category_defaults(*, language: str) -> dict[str, tuple[str, str]]:
    """The categories that a brand may begin with: marker to name and description in a language."""
    words = words_in(language)
    return {"NEWS": words.news, "OFFERS": words.offers}


def category_translations(*, category: PushCategory, languages: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Map each language to its name and description of a category that still has a name of ours."""
    for offered in ("NEWS", "OFFERS"):
        if category.name in {category_defaults(language=written)[offered][0] for written in WORDS}:
            return {language: category_defaults(language=language)[offered] for language in languages}
    return {}


@transaction.atomic
def category_create(
    *,
    brand: Brand,
    name: str,
    marker: str = "",
    description: str = "",
    translations: Mapping[str, Mapping[str, str]] | None = None,
) -> PushCategory:
    """A new category at the end of the brand's order; without a marker one is made of the name."""
    Brand.objects.select_for_update().only("pk").get(pk=brand.pk)  # the order and the count hold
    rows = PushCategory.objects.filter(brand=brand)
    if rows.filter(archived_at=None).count() >= MAX_CATEGORIES:
        raise CannotSaveCategory(fields={"name": [f"A brand has {MAX_CATEGORIES} categories at most; archive some."]})
    last = rows.aggregate(last=Max("position"))["last"]
    category = PushCategory(brand=brand, position=0 if last is None else last + 1)
    return _write(category, marker or marker_suggest(name), name, description, translations or {})


@transaction.atomic
def category_change(
    *,
    category: PushCategory,
    name: str,
    description: str = "",
    translations: Mapping[str, Mapping[str, str]] | None = None,
    marker: str = "",
    marker_fixed: bool = True,
) -> PushCategory:
    """Change what end users read; another marker only where `marker_fixed` says that nothing uses the old one yet."""
    row = PushCategory.objects.select_for_update().get(pk=category.pk)
    if marker and marker_fixed and marker.strip().upper() != row.marker:
        raise CannotSaveCategory(
            fields={"marker": [f"The marker is in use and stays {row.marker}; create another category instead."]}
        )
    return _write(row, marker or row.marker, name, description, translations or {})


def category_archive(*, category: PushCategory, now: datetime) -> None:
    """Offer it nowhere any more; the markers of those who ticked it stay."""
    category.archived_at = now
    category.save(update_fields=["archived_at"])


def category_restore(*, category: PushCategory) -> None:
    """Offer an archived category again."""
    category.archived_at = None
    category.save(update_fields=["archived_at"])


@transaction.atomic
def categories_reorder(*, brand: Brand, markers: Sequence[str]) -> None:
    """Show the brand's categories in this order; those not named follow in the order they had."""
    rows = list(PushCategory.objects.select_for_update().filter(brand=brand).order_by("position", "name"))
    wanted = {marker: at for at, marker in enumerate(markers)}
    rows.sort(key=lambda row: wanted.get(row.marker, len(wanted)))
    for position, row in enumerate(rows):
        if row.position != position:
            row.position = position
            row.save(update_fields=["position"])


def categories_make_default(*, brand: Brand) -> list[PushCategory]:
    """News and Offers in the brand's language, where it has no category in use yet; what is in use then."""
    if not PushCategory.objects.filter(brand=brand, archived_at=None).exists():
        for marker, (name, description) in category_defaults(language=brand.default_language).items():
            known = PushCategory.objects.filter(brand=brand, marker=marker).first()
            if known is not None:
                category_restore(category=known)
            else:
                category_create(brand=brand, name=name, description=description, marker=marker)
    return list(PushCategory.objects.filter(brand=brand, archived_at=None))


def _write(
    category: PushCategory,
    marker: str,
    name: str,
    description: str,
    translations: Mapping[str, Mapping[str, str]],
) -> PushCategory:
    faults: dict[str, list[str]] = {}
    category.name, category.description = name.strip(), description.strip()
    _check_words("", category.name, category.description, faults)
    try:
        category.marker = marker_clean(marker)
    except CannotChangeMarkers:
        faults["marker"] = ["Give a marker of Latin letters, digits and _ . : -, such as SPORTS; 64 at most."]
    category.translations = {}
    for language, words in sorted(translations.items()):
        if not _LANGUAGE.match(language) or not language_valid(language):
            faults[f"translations.{language}"] = [f"{language!r} is not a language such as en or pt-BR."]
            continue
        other = next((code for code in category.translations if language_same(code, language)), None)
        if other is not None:
            faults[f"translations.{language}"] = [f"{language} and {other} are one language. Keep one of them."]
            continue
        said = {key: str(words.get(key, "")).strip() for key in ("name", "description")}
        _check_words(f"translations.{language}.", said["name"], said["description"], faults)
        category.translations[language] = said
    if faults:
        raise CannotSaveCategory(fields=faults)
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError as error:
        if "devices_pushcategory_marker" not in str(error):
            raise
        raise CannotSaveCategory(
            fields={"marker": [f"The brand has a category with the marker {category.marker}."]}
        ) from error
    return category


def _check_words(prefix: str, name: str, description: str, faults: dict[str, list[str]]) -> None:
    if not name:
        faults[f"{prefix}name"] = ["Give the category a name."]
    elif len(name) > MAX_NAME:
        faults[f"{prefix}name"] = [f"The name has {MAX_NAME} characters at most."]
    elif _CONTROL.search(name):
        faults[f"{prefix}name"] = ["The name has a control character in it."]
    if len(description) > MAX_DESCRIPTION:
        faults[f"{prefix}description"] = [f"The description has {MAX_DESCRIPTION} characters at most."]
    elif _CONTROL.search(description):
        faults[f"{prefix}description"] = ["The description has a control character in it."]
