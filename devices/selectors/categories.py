"""Push categories in the words of a language, and whether anybody has one."""

from collections.abc import Sequence

from devices.models import ConsentRecord, EndUser, PushCategory


def categories_in_use(*, brand_id: int) -> list[PushCategory]:
    """The brand's categories that are not archived, in its order."""
    return list(PushCategory.objects.filter(brand_id=brand_id, archived_at=None))


def category_words(*, category: PushCategory, language: str) -> dict[str, str]:
    """Marker, name and description in a language (pt-BR falls back to pt, then to the brand's own words)."""
    for candidate in (language, language.split("-")[0]):
        words = category.translations.get(candidate) or {}
        if words.get("name"):
            return {"marker": category.marker, "name": words["name"], "description": words.get("description", "")}
    return {"marker": category.marker, "name": category.name, "description": category.description}


def category_speaks(*, category: PushCategory, language: str, default: str) -> bool:
    """Whether its words in a language are that language's; `default` is the brand's, in which its own words are."""
    if language.split("-")[0] == default.split("-")[0]:
        return True
    # Without the brand's own words to fall back to, a name that is found is one of the language.
    translated = PushCategory(marker=category.marker, translations=category.translations)
    return bool(category_words(category=translated, language=language)["name"])


def categories_of(*, brand_id: int, markers: Sequence[str]) -> list[PushCategory]:
    """The unarchived ones of these markers, in the markers' order."""
    rows = PushCategory.objects.filter(brand_id=brand_id, archived_at=None, marker__in=list(markers))
    found = {row.marker: row for row in rows}
    return [found[marker] for marker in markers if marker in found]


def category_subscribers(*, category: PushCategory) -> int:
    """How many end users carry its marker now."""
    return EndUser.objects.filter(brand_id=category.brand_id, js_markers__contains=[category.marker]).count()


def category_was_chosen(*, category: PushCategory) -> bool:
    """Whether any end user has or had it: then its marker means something and stays."""
    carried = EndUser.objects.filter(brand_id=category.brand_id, js_markers__contains=[category.marker])
    recorded = ConsentRecord.objects.filter(brand_id=category.brand_id, markers__contains=[category.marker])
    return carried.exists() or recorded.exists()
