"""Push categories in the words of a language, and whether anybody has one."""

from collections.abc import Sequence

from devices.people.models import ConsentRecord, EndUser, PushCategory
from smartpush.common.language.languages import canonical, language_pick


def categories_in_use(*, brand_id: int) -> list[PushCategory]:
    """The brand's categories that are not archived, in its order."""
    return list(PushCategory.objects.filter(brand_id=brand_id, archived_at=None))


def category_words(*, category: PushCategory, language: str, own: str = "") -> dict[str, str]:
    """Marker, name and description in a language, else in the brand's own words, whose language is `own`."""
    written = [code for code, words in category.translations.items() if words.get("name")]
    found = language_pick(written=[own, *written], wanted=[language], default=own)
    if found == own:
        return {"marker": category.marker, "name": category.name, "description": category.description}
    words = category.translations[found]
    return {"marker": category.marker, "name": words["name"], "description": words.get("description", "")}


def category_speaks(*, category: PushCategory, language: str, default: str) -> bool:
    """Tell whether its words in a language are in that language; its own words are in `default`, the brand's."""
    if canonical(language).split("-")[0] == canonical(default).split("-")[0]:
        return True
    written = [code for code, words in category.translations.items() if words.get("name")]
    return bool(language_pick(written=written, wanted=[language], default=""))


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
