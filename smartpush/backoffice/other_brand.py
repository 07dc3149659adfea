"""The answer to a form that was made for another brand: nothing is saved, and what was typed is not lost."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import Truncator

from devices.brands.selectors.brand_pages import FIELD, OtherBrand, address_in, links_stay_in
from devices.brands.selectors.current_brand import name_brand

# A field of a row below an object, as Django names it.
_ROW = re.compile(r"(?P<rows>[a-z_]+)-(?P<number>[0-9]{1,4})-(?P<field>.+)")
_COUNTS = ("-TOTAL_FORMS", "-INITIAL_FORMS", "-MIN_NUM_FORMS", "-MAX_NUM_FORMS")
_BOOKKEEPING = {
    "id", "brand", "step", "seen", "reviewed", "post", "index", "action", "select_across", "next",
}  # fmt: skip
_LONGEST = 300  # characters of a value
_MOST = 60

_AGAIN = "Open the page again and fill it in there."


@dataclass(frozen=True, slots=True)
class Field:
    """What a form calls a field, and what it calls the values that it offers."""

    label: str
    choices: Mapping[str, str] = field(default_factory=dict)


def other_brand(
    request: HttpRequest,
    refusal: OtherBrand,
    *,
    context_of: Callable[[HttpRequest], dict[str, Any]],
    secret_fields: Sequence[str],
    fields_of: Callable[[], Mapping[str, Field]] = dict,
) -> HttpResponse:
    """Say whose form it is, and offer to save it there (409).

    `secret_fields`: names of fields whose values no page repeats. `fields_of`: what the form calls its fields.
    """
    title, words = _said(refusal)
    if request.content_type == "application/json" or request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"error": f"{title}. {words}", "code": "other_brand"}, status=409)
    kept = [(name, value) for name, values in request.POST.lists() for value in values]
    kept = [pair for pair in kept if pair[0] not in {"csrfmiddlewaretoken", FIELD}]
    here = request.get_full_path()
    if refusal.form is not None:
        # The tab was in the form's brand, and the answer is a page of it: its sidebar, its links and its form.
        name_brand(request, refusal.form)
        links_stay_in(request, refusal.form)
    return TemplateResponse(
        request,
        "backoffice/other_brand.html",
        {
            **context_of(request),
            "title": title,
            "words": words,
            "form_brand": refusal.form,
            "page_brand": refusal.page,
            "form_address": address_in(request, refusal.form, here) if refusal.form is not None else "",
            "page_address": address_in(request, refusal.page, here)
            if refusal.page is not None
            else reverse("admin:index"),
            "kept": kept,
            "typed": typed_values(kept, fields=fields_of()),
            "resend": refusal.form is not None
            and not request.FILES
            and not any(request.POST.get(name) for name in secret_fields),
            "with_files": bool(request.FILES),
        },
        status=409,
    )


def typed_values(kept: Sequence[tuple[str, str]], *, fields: Mapping[str, Field]) -> list[tuple[str, str]]:
    """Return what a person can recognise of a form, by its labels: no bookkeeping of the form, and no code."""
    shown: list[tuple[str, str]] = []
    for name, value in kept:
        row = _ROW.fullmatch(name)
        one = row["field"] if row else name
        if one in _BOOKKEEPING or one.startswith("_") or "__prefix__" in name or name.endswith(_COUNTS):
            continue
        if not value.strip() or value.lstrip()[:1] in "{[":
            continue
        known = fields.get(one) or Field(one.replace("_", " ").replace("-", " ").capitalize())
        place = f"{row['rows'].replace('_', ' ').capitalize()}, {int(row['number']) + 1}: " if row else ""
        shown.append((f"{place}{known.label}", Truncator(known.choices.get(value, value)).chars(_LONGEST)))
    return shown[:_MOST]


def _said(refusal: OtherBrand) -> tuple[str, str]:
    if not refusal.carried:
        return "Nothing was saved: the form does not say which brand it belongs to", _AGAIN
    if refusal.form is None:
        return "Nothing was saved: the form belongs to a brand that is not yours", _AGAIN
    page = f"would have gone into {refusal.page}" if refusal.page is not None else "has no brand to go into"
    return (
        f"Nothing was saved: this form belongs to {refusal.form}",
        f"It was opened for {refusal.form}. Another brand was chosen since then, perhaps in another tab, and what you"
        f" sent {page}.",
    )
