"""Taking end users out: the members of any segment, and the ids of a file that nobody had."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from unfold.decorators import action

from devices.admin.base import BrandScopedAdmin
from devices.brands.selectors.staff import Role
from segments.models import Segment
from segments.rules import InvalidRules
from segments.selectors.imported.lists import unknown_kept
from segments.selectors.imported.lists_export import export_csv, export_size, unknown_csv
from segments.services.imports import KEEP_UNKNOWN
from smartpush.common.numbers import counted
from smartpush.common.time.clock import utc_now


class SegmentExport(BrandScopedAdmin):
    """Exports are an editor's, and each is in the segment's history."""

    actions_detail: Any = ["to_export"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/export/", wrap(self.export_view), name="segments_segment_export"),
            path("<path:object_id>/list/unknown/", wrap(self.unknown_view), name="segments_segment_list_unknown"),
            *super().get_urls(),
        ]

    @action(description="Export", url_path="to-export", icon="download")
    def to_export(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button above a segment."""
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.EDITOR)
        return HttpResponseRedirect(reverse("admin:segments_segment_export", args=[segment.pk]))

    def get_actions_detail(self, request: HttpRequest, object_id: int | str) -> list[Any]:
        """The button is for those who may use it."""
        buttons: list[Any] = super().get_actions_detail(request, object_id)
        return buttons if self.has_change_permission(request) else []

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        """Say how many an export has; POST sends it."""
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.EDITOR)
        back = reverse("admin:segments_segment_change", args=[segment.pk])
        try:
            size = export_size(segment=segment, now=utc_now())
        except InvalidRules:
            messages.error(request, "The rules of the segment need to be mended before it can be exported.")
            return HttpResponseRedirect(back)
        if request.method == "POST":
            self.log_change(
                request, segment, f"Exported {counted(number=size.named, one='end user')} with an external id."
            )
            return _download(export_csv(segment=segment, now=utc_now()), f"{slugify(segment.name) or 'segment'}.csv")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Export {segment.name}",
            "opts": self.opts,
            "original": segment,
            "size": size,
            "back": back,
        }
        return TemplateResponse(request, "segments/import_export.html", context)

    def unknown_view(self, request: HttpRequest, object_id: str) -> HttpResponse | StreamingHttpResponse:
        """The ids of a finished import that no end user had."""
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.EDITOR)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        number = request.GET.get("import", "")
        job = segment.imports.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
        if job is None or not unknown_kept(job=job, since=utc_now() - KEEP_UNKNOWN):
            raise Http404
        self.log_change(request, segment, f"Downloaded {counted(number=job.unknown, one='unknown id')} of an import.")
        return _download(unknown_csv(job=job), f"{slugify(segment.name) or 'segment'}-unknown.csv")


def _download(rows: Iterator[bytes], name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer["Cache-Control"] = "no-store"
    return answer
