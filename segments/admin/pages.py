"""Segments: a list with their sizes, and the page of one with the rule builder."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from segments.admin.endpoints import SegmentEndpoints
from segments.admin.forms import RulesWidget, SegmentForm
from segments.admin.lists import SegmentLists
from segments.describe import describe
from segments.models import Segment
from segments.rules import InvalidRules
from segments.selectors import segment_count, segment_rules
from segments.selectors.lists import list_size
from segments.services import segment_save
from smartpush.common.clock import utc_now


@admin.register(Segment)
class SegmentAdmin(SegmentLists, SegmentEndpoints):
    form = SegmentForm
    list_display = ["name", "end_users", "meaning", "updated_at"]
    search_fields = ["name"]
    search_help_text = "Search by name"
    list_per_page = 25
    ordering = ["name"]
    actions: Any = ()
    fieldsets = [(None, {"fields": ["name", "description", "rules"]})]
    list_before_template = "segments/list_hint.html"

    class Media:
        css = {"all": ["segments/builder.css"]}

    @display(description="Who is in it")
    def meaning(self, obj: Segment) -> str:
        if obj.kind == Segment.Kind.IMPORTED:
            return "An imported list"
        try:
            words = describe(segment_rules(segment=obj))
        except InvalidRules:
            words = "Rules that need to be mended: open it"
        return format_html(
            '<span class="sp-segment-words" title="{}">{}</span>',
            words,
            words if len(words) <= 90 else f"{words[:89]}…",
        )

    @display(description="End users now")
    def end_users(self, obj: Segment) -> str:
        if obj.kind == Segment.Kind.IMPORTED:
            return f"{list_size(segment=obj):,}"
        try:
            count = segment_count(rules=segment_rules(segment=obj), brand_id=obj.brand_id, now=utc_now())
        except InvalidRules:
            return "–"
        return f"{count.selected:,} of {count.total:,}"

    @display(description="Rules")
    def rules_read(self, obj: Segment) -> str:
        """The rule builder for those who may only look."""
        return RulesWidget(read_only=True).render("rules", json.dumps(obj.rules))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            shown = "end_users" if obj.kind == Segment.Kind.IMPORTED else "rules_read"
            return [(None, {"fields": ["name", "description", "meaning", shown]})]
        return super().get_fieldsets(request, obj)

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        saved = segment_save(
            brand=obj.brand,
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            rules=form.cleaned_data["rules"],
            by=request.user,  # type: ignore[arg-type]
            segment=obj if change else None,
        )
        obj.pk = saved.pk
        obj.refresh_from_db()
        obj._state.adding = False
