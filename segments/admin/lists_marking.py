"""A list of people whom nobody may contact: everybody in an imported segment is marked at once."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from devices.admin.deleting import Question, question_page
from devices.brands.selectors.staff import Role
from segments.admin.lists_export import SegmentExport
from segments.models import Segment, SegmentWork
from segments.selectors.imported.lists import import_open
from segments.selectors.imported.marking import Marking, marking
from segments.services.scheduled_work import work_due
from smartpush.common.time.clock import utc_now

_MEANS = (
    "Nothing reaches them any more: no push of any purpose, operational ones and tests included, and no popup. Their"
    " journeys end now, and they enter no campaign. Only an admin can lift the mark, one person at a time on their"
    " profile, or your own server. Ids that you import into the list later are not marked by this: come back here"
    " after the import."
)


class SegmentMarking(SegmentExport):
    """Adds the page behind *Never contact* on an imported segment."""

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
        question = _question(segment, numbers)
        shown = {
            "numbers": numbers,
            "percent": round(100 * numbers.marked / numbers.people) if numbers.people else 0,
            "back": question.back,
        }
        if "progress" in request.GET:
            html = render_to_string("segments/never_contact_state.html", shown, request)
            return JsonResponse({"state": "marking", "open": numbers.under_way, "html": html})
        if request.method != "POST":
            if numbers.todo and not numbers.under_way:
                return question_page(self, request, segment, question)
            page = {
                **self.admin_site.each_context(request),
                "title": f"Never contact: {segment.name}",
                "opts": self.opts,
                "original": segment,
                **shown,
            }
            return TemplateResponse(request, "segments/never_contact.html", page)
        problem = question.answered(request)
        if import_open(segment=segment) is not None:
            problem = "An import of this list is under way. Wait until it has ended, and look at the numbers again."
        if problem:
            return question_page(self, request, segment, replace(question, problem=problem), status=409)
        work_due(segment_id=segment.pk, kind=SegmentWork.Kind.MARK, at=utc_now())
        self.log_change(
            request,
            segment,
            f"Marked never contact: {numbers.left:,} of the list, and {numbers.unknown:,} that nobody had yet.",
        )
        messages.success(request, "They are being marked. This page counts along.")
        return HttpResponseRedirect(request.path)


def _question(segment: Segment, numbers: Marking) -> Question:
    lines = [f"Will be marked: {numbers.left:,}", f"Marked already: {numbers.marked:,}"]
    if numbers.unknown:
        lines.append(f"Ids that no end user has yet; each becomes an end user who is marked: {numbers.unknown:,}")
    lines.append(f"Waiting messages to cancel: {numbers.waiting:,}")
    return Question(
        title=f"Never contact everybody in “{segment.name}”?",
        explanation=_MEANS,
        button="Never contact them",
        back=reverse("admin:segments_segment_list", args=[segment.pk]),
        numbers=tuple(lines),
        seen=f"{numbers.left}:{numbers.unknown}:{numbers.last_import}",
        name=segment.name,
    )
