"""The page of one segment, below its rules: how many, over time, and where it is used; copying and deleting it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from devices.admin.deleting import Asks, Named
from devices.brands.selectors.staff import Role, has_brand_role
from devices.brands.services.deleting import Numbers
from segments.admin.lists import SegmentLists
from segments.models import (
    ImportLine,
    ImportSlice,
    ListEntry,
    MembershipChange,
    Segment,
    SegmentImport,
    SegmentMembership,
    SegmentSize,
    SegmentWork,
)
from segments.selectors.history import HEIGHT, WIDTH, segment_history
from segments.selectors.listing import brand_total, list_first, size_failed
from segments.selectors.uses import Uses, segment_uses
from segments.services.copying import segment_copy
from segments.services.guard import CannotDeleteSegment, segment_delete
from segments.services.segments import CannotSaveSegment
from segments.services.sizes import CannotComputeSize, size_compute, size_soon
from smartpush.common.numbers import counted
from smartpush.common.time.clock import utc_now


class SegmentAbout(SegmentLists):
    change_form_outer_after_template = "segments/about.html"
    delete_role = Role.EDITOR
    deleting = Asks(
        takes=(
            Named(ListEntry, "end user's place in its list", "end users' places in its list"),
            Named(SegmentImport, "import with its report", "imports with their reports"),
        ),
        records=(ImportLine, ImportSlice, SegmentSize, SegmentWork, SegmentMembership, MembershipChange),
        means="The end users themselves stay.",
    )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "segments_segment"
        return [
            path("<path:object_id>/compute/", wrap(self.compute_view), name=f"{name}_compute"),
            path("<path:object_id>/duplicate/", wrap(self.duplicate_view), name=f"{name}_duplicate"),
            *super().get_urls(),
        ]

    def about_context(self, request: HttpRequest, segment: Segment) -> dict[str, Any]:
        """What segments/about.html shows."""
        total = brand_total(brand_id=segment.brand_id)
        return {
            "segment": segment,
            "about": {
                "share": min(1.0, segment.size / total) * 100 if segment.size and total else 0,
                "reached": segment.reachable / segment.size * 100 if segment.size and segment.reachable else 0,
                "total": total,
                "outdated": segment.sized_at is not None and segment.sized_at < segment.updated_at,
                "failed": size_failed(segment=segment),
                "history": segment_history(segment=segment),
                "width": WIDTH,
                "height": HEIGHT,
                "uses": segment_uses(segment=segment),
                "may_write": has_brand_role(request.user, segment.brand_id, Role.EDITOR),
                "dynamic": segment.kind == Segment.Kind.DYNAMIC,
            },
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        segment = self.get_object(request, unquote(object_id)) if object_id else None
        more = self.about_context(request, segment) if segment is not None else {}
        return super().changeform_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def list_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The page of an imported segment, with the same below it."""
        response = super().list_view(request, object_id)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            segment = response.context_data["segment"]
            response.context_data |= {
                **self.about_context(request, segment),
                "first_entries": list_first(segment=segment),
            }
        return response

    def compute_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: compute the size now, or leave it to a job where that takes long."""

        def act(segment: Segment) -> str:
            try:
                found = size_compute(segment=segment, now=utc_now())
            except CannotComputeSize as refusal:
                size_soon(segment_id=segment.pk, now=utc_now())
                messages.warning(request, f"{refusal} It is being computed: look again in a minute.")
            else:
                messages.success(request, f"The segment has {counted(number=found.size or 0, one='end user')}.")
            return _page(segment)

        return self._posted(request, object_id, act)

    def duplicate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: a copy of a segment with rules, to be changed."""

        def act(segment: Segment) -> str:
            by: Any = request.user
            try:
                copied = segment_copy(segment=segment, by=by)
            except CannotSaveSegment as refusal:
                messages.error(request, str(refusal))
                return _page(segment)
            self.log_addition(request, copied, f"Copied from {segment.name}.")
            messages.success(request, f"This is the copy of {segment.name}.")
            return _page(copied)

        return self._posted(request, object_id, act)

    def _posted(self, request: HttpRequest, object_id: str, act: Callable[[Segment], str]) -> HttpResponse:
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.EDITOR)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return HttpResponseRedirect(act(segment))

    # --- deleting ---
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """A page that says what stands in the way, where something does."""
        segment = self.get_object(request, unquote(object_id))
        if segment is None or not self.has_delete_permission(request, segment):
            return super().delete_view(request, object_id, extra_context)
        try:
            uses = segment_uses(segment=segment).holding
            if uses:
                raise CannotDeleteSegment(uses)
            return super().delete_view(request, object_id, extra_context)
        except CannotDeleteSegment as refusal:
            return self._in_use(request, segment, refusal.uses)

    def delete_row(self, request: HttpRequest, obj: Segment, agreed: Numbers) -> Numbers:
        """Guarded again: a campaign may have taken it a moment ago."""
        return segment_delete(segment=obj, agreed=agreed)

    def _in_use(self, request: HttpRequest, segment: Segment, uses: Uses) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"{segment.name} is in use",
            "opts": self.opts,
            "original": segment,
            "uses": uses,
            "active": any(use.running for use in uses.campaigns),
            "back": _page(segment),
        }
        return TemplateResponse(request, "segments/in_use.html", context, status=409)


def _page(segment: Segment) -> str:
    return reverse("admin:segments_segment_change", args=[segment.pk])
