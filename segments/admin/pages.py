"""Segments: a list with their sizes, and the page of one with the rule builder."""

import json
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from unfold.decorators import display

from segments.admin.about import SegmentAbout
from segments.admin.endpoints import SegmentEndpoints
from segments.admin.forms import RulesWidget, SegmentForm
from segments.admin.guarding import SegmentGuarding
from segments.admin.listing import SegmentListing
from segments.models import Segment
from segments.rules import parse_rules
from segments.selectors.names.known_names import KnownNames
from segments.services import segment_save


@admin.register(Segment)
class SegmentAdmin(SegmentGuarding, SegmentAbout, SegmentListing, SegmentEndpoints):
    form = SegmentForm
    actions: Any = None  # deleting is one at a time: each says what stands in its way
    fieldsets = [(None, {"fields": ["name", "description", "rules"]})]

    class Media:
        css = {"all": ["segments/builder.css", "segments/pages.css"]}

    @display(description="Rules")
    def rules_read(self, obj: Segment) -> str:
        """The rule builder for those who may only look."""
        return RulesWidget(read_only=True).render("rules", json.dumps(obj.rules))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["name", "description", "rules_read"]})]
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
        for warning in KnownNames(brand=obj.brand).rule_warnings(parse_rules(obj.rules)):
            messages.warning(request, warning.message)
