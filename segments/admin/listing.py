"""The list of segments."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timesince import timesince
from unfold.decorators import display

from devices.admin.base import BrandScopedAdmin
from devices.brands.selectors.current_brand import current_brand
from segments.selectors.listing import Listed, segments_listed
from smartpush.common.numbers import counted
from smartpush.common.time.clock import utc_now


class SegmentListing(BrandScopedAdmin):
    list_display = ["name", "meaning", "kind_label", "end_users", "used", "watched_label"]
    list_filter = [("kind", admin.ChoicesFieldListFilter), ("watched", admin.BooleanFieldListFilter)]
    search_fields = ["name"]
    search_help_text = "Search by name"
    list_per_page = 25
    ordering = ["name"]
    list_before_template = "segments/list_hint.html"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        brand = current_brand(request)
        if brand is not None:
            listed = segments_listed(segments=rows, brand_id=brand.pk, now=utc_now())
            for row in rows:
                row.listed = listed[row.pk]
        changelist.result_list = rows
        return changelist

    @display(description="Who is in it")
    def meaning(self, obj: Any) -> str:
        words = obj.listed.words
        short = words if len(words) <= 90 else f"{words[:89]}…"
        return format_html('<span class="sp-segment-words" title="{}">{}</span>', words, short)

    @display(description="Kind", ordering="kind", label={"Rules": "info", "Imported list": "default"})
    def kind_label(self, obj: Any) -> str:
        return str(obj.get_kind_display())

    @display(description="End users", ordering="size")
    def end_users(self, obj: Any) -> str:
        listed = obj.listed
        failed = _failed(listed)
        if listed.size is None:
            return format_html('<span class="sp-segment-size">{}{}</span>', "Not computed yet", failed)
        return format_html(
            '<span class="sp-segment-size"><strong>{}</strong> <span>{}</span><small>{}</small>{}</span>',
            f"{listed.size:,}",
            f"{listed.share:.1%}" if listed.size else "",
            _when(listed),
            failed,
        )

    @display(description="Used in")
    def used(self, obj: Any) -> str:
        count = obj.listed.uses
        return "–" if not count else counted(number=count, one="place")

    @display(description="Watched", ordering="watched")
    def watched_label(self, obj: Any) -> str:
        return "Yes" if obj.watched else "–"


def _failed(listed: Listed) -> str:
    if not listed.failure:
        return ""
    return format_html('<small class="sp-segment-failed" title="{}">could not be computed</small>', listed.failure)


def _when(listed: Listed) -> str:
    if listed.sized_at is None:
        return "counted now"
    age = timesince(listed.sized_at, utc_now(), depth=1).replace("\xa0", " ")
    words = "computed just now" if age == "0 minutes" else f"computed {age} ago"
    return f"{words}, before its last change" if listed.outdated else words
