"""A list of people whom nobody may contact: everybody in an imported segment is marked at once."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from devices.selectors.staff import Role
from segments.admin.lists_export import SegmentExport
from segments.models import Segment, SegmentWork
from segments.selectors.lists import import_open
from segments.selectors.marking import marking
from segments.services.works import work_due
from smartpush.common.clock import utc_now


class SegmentMarking(SegmentExport):
    """The page behind *Never contact* on an imported segment."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "segments_segment_list_never_contact"
        return [
            path("<path:object_id>/list/never-contact/", wrap(self.never_contact_view), name=name),
            *super().get_urls(),
        ]

    def never_contact_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say whom it concerns; POST with the segment's name marks them, in a job that goes on until all are."""
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.EDITOR)
        if segment.kind != Segment.Kind.IMPORTED:
            return HttpResponseRedirect(reverse("admin:segments_segment_change", args=[segment.pk]))
        numbers = marking(segment=segment)
        back = reverse("admin:segments_segment_list", args=[segment.pk])
        percent = round(100 * numbers.marked / numbers.people) if numbers.people else 0
        if "progress" in request.GET:
            html = render_to_string(
                "segments/never_contact_state.html", {"numbers": numbers, "percent": percent, "back": back}, request
            )
            return JsonResponse({"state": "marking", "open": numbers.under_way, "html": html})
        problem = ""
        if request.method == "POST":
            problem = _problem(request, segment, numbers.todo)
            if not problem:
                now = utc_now()
                work_due(segment_id=segment.pk, kind=SegmentWork.Kind.MARK, at=now)
                self.log_change(
                    request,
                    segment,
                    f"Marked never contact: {numbers.left:,} end users of the list, {numbers.unknown:,} unknown ids.",
                )
                messages.success(request, "They are being marked. This page counts along.")
                return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Never contact: {segment.name}",
            "opts": self.opts,
            "original": segment,
            "segment": segment,
            "numbers": numbers,
            "percent": percent,
            "problem": problem,
            "typed": request.POST.get("name", ""),
            "back": back,
        }
        return TemplateResponse(request, "segments/never_contact.html", context, status=400 if problem else 200)


def _problem(request: HttpRequest, segment: Segment, many: int) -> str:
    if import_open(segment=segment) is not None:
        return "An import of this list is under way. Wait until it has ended, and look at the numbers again."
    if not many:
        return "Everybody in the list is marked already."
    if request.POST.get("name", "").strip() != segment.name:
        return f"To mark them, type the name of the segment: {segment.name}"
    if request.POST.get("many") != str(many):
        return "The list has changed since this page was opened. Look at the numbers, and confirm again."
    return ""
