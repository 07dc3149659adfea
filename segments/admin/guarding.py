"""Saving rules that others rely on: what is wrong with them stands beside the rules, and who is touched is asked about.

Rules that segments or campaigns use change only after a page that names them, with the form as it was sent in it.
"""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse

from devices.admin.base import BrandScopedAdmin
from devices.brands.selectors.brand_pages import FIELD
from segments.models import Segment
from segments.rules import InvalidRules
from segments.selectors.uses import Uses
from segments.services.guard import change_touches
from segments.services.segments import CannotSaveSegment, rules_check

CONFIRMED, SEEN = "_uses_confirmed", "_uses_seen"


class GuardedForm(forms.ModelForm):
    """A segment's form that refuses what the services would refuse."""

    def clean(self) -> dict[str, Any] | None:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        brand = self.instance.brand if self.instance.brand_id else getattr(self, "bound_brand", None)
        if "rules" in data and brand is not None:
            try:
                rules_check(rules=data["rules"], brand=brand, segment=self.instance if self.instance.pk else None)
            except InvalidRules as refusal:
                self.add_error("rules", [problem.message for problem in refusal.problems])
        return data


class SegmentGuarding(BrandScopedAdmin):
    """Put before the other bases of the segments' admin."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (GuardedForm, form), {})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if request.method == "POST" and object_id is not None:
            segment = self.get_object(request, unquote(object_id))
            uses = self._touched(request, segment) if segment is not None else None
            if segment is not None and uses is not None:
                seen = _seen(segment, uses)
                if CONFIRMED not in request.POST or request.POST.get(SEEN) != seen:
                    return self._ask(request, segment, uses, seen)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except CannotSaveSegment as refusal:  # somebody was faster by a moment
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def _touched(self, request: HttpRequest, segment: Segment) -> Uses | None:
        """Whom the form as sent would touch; None where there is nothing to ask, or it will be refused."""
        if segment.kind != Segment.Kind.DYNAMIC or not self.has_change_permission(request, segment):
            return None
        form = self.get_form(request, segment, change=True)(request.POST, instance=segment)
        return change_touches(segment=segment, rules=form.cleaned_data["rules"]) if form.is_valid() else None

    def _ask(self, request: HttpRequest, segment: Segment, uses: Uses, seen: str) -> TemplateResponse:
        posted = [(name, value) for name, values in request.POST.lists() for value in values]
        ours = ("csrfmiddlewaretoken", FIELD, CONFIRMED, SEEN)
        kept = [(name, value) for name, value in posted if name not in ours]
        running = [use for use in uses.campaigns if use.running and not use.as_entry]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Change {segment.name}?",
            "opts": self.opts,
            "original": segment,
            "uses": uses,
            "running": running,
            "watching": [use for use in uses.campaigns if use.running and use.as_entry],
            "kept": [*kept, (SEEN, seen)],
            "confirmed": CONFIRMED,
            "again": CONFIRMED in request.POST,
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "segments/confirm_change.html", context)


def _seen(segment: Segment, uses: Uses) -> str:
    """What the question is about: whom a change touches, and the rules that it replaces."""
    kept = Segment.objects.values_list("rules", flat=True).get(pk=segment.pk)
    told = [[asdict(use) for use in uses.campaigns], [asdict(use) for use in uses.segments], kept]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:20]
