"""What an end user may choose about pushes, and what they have chosen, in their language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from devices.people.models import ConsentRecord, EndUser, PushCategory
from devices.people.selectors.categories import categories_in_use, category_words
from smartpush.common.language.languages import language_pick

_LOOK_BACK = 50  # an answer said again and again is read back this far


@dataclass(frozen=True, slots=True)
class Preferences:
    """The end user's own opt-out, and the brand's categories with today's ticks, in one language."""

    opted_out: bool
    language: str
    categories: list[dict[str, Any]]


def _language(rows: Sequence[PushCategory], languages: Sequence[str], default: str) -> str:
    """The first wanted language that some category is written in, else the brand's own."""
    written = [default, *(code for row in rows for code in row.translations)]
    return language_pick(written=written, wanted=languages, default=default)


def preferences_of(*, end_user: EndUser, default_language: str, languages: Sequence[str]) -> Preferences:
    """The preferences in the first of these languages that there are words in (one query)."""
    rows = categories_in_use(brand_id=end_user.brand_id)
    language = _language(rows, languages, default_language)
    chosen = set(end_user.js_markers)
    return Preferences(
        opted_out=end_user.user_opt_out,
        language=language,
        categories=[
            {
                **category_words(category=row, language=language, own=default_language),
                "selected": row.marker in chosen,
            }
            for row in rows
        ],
    )


@dataclass(frozen=True, slots=True)
class OptOut:
    """Since when an opt-out stands and whose word it is now: end_user, staff or platform."""

    since: datetime
    by: str


def opt_out_behind(*, end_user_id: int, platform: bool) -> OptOut | None:
    """What is recorded of the opt-out that stands, the platform's or the end user's own; None when nothing is.

    Somebody whom staff opted out and who then says so themselves has their own word behind it, since the first.
    """
    sources = ["platform"] if platform else ["end_user", "staff"]
    told = ConsentRecord.objects.filter(
        end_user_id=end_user_id, subject=ConsentRecord.Subject.OPT_OUT, by__in=sources
    ).order_by("-at", "-id")
    standing = list(takewhile(lambda row: row.answer == "opted_out", told.only("answer", "by", "at")[:_LOOK_BACK]))
    return OptOut(since=standing[-1].at, by=standing[0].by) if standing else None


def never_contact_behind(*, end_user_id: int) -> OptOut | None:
    """Since when the mark *never contact* stands and who set it, staff or platform; None when nothing is recorded."""
    told = ConsentRecord.objects.filter(end_user_id=end_user_id, subject=ConsentRecord.Subject.NEVER_CONTACT)
    last = told.only("answer", "by", "at").order_by("-at", "-id").first()
    return OptOut(since=last.at, by=last.by) if last is not None and last.answer == "set" else None


def opt_out_is_own_word(*, end_user: EndUser) -> bool:
    """Whether the opt-out that stands is more than what staff wrote; one that nothing is recorded of counts as such."""
    behind = opt_out_behind(end_user_id=end_user.pk, platform=False) if end_user.user_opt_out else None
    return end_user.user_opt_out and (behind is None or behind.by != "staff")
