"""The pages of imported segments: make one, fill it by files, see what became of each."""

import io
import re
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from unfold.decorators import action

from devices.brands.selectors.brand_pages import form_check
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role, has_brand_role
from segments.admin.lists_marking import SegmentMarking
from segments.admin.lists_uploads import upload_limit, upload_to_disk, upload_too_large
from segments.models import Segment, SegmentImport
from segments.selectors.imported.lists import import_history, import_open, import_progress, list_size, unknown_kept
from segments.services.imports import (
    HEAD,
    KEEP_UNKNOWN,
    CannotImport,
    CannotRead,
    Choice,
    file_columns,
    import_cancel,
    import_confirm,
    import_receive,
)
from segments.services.lists import list_delete, list_save
from segments.services.segments import CannotSaveSegment
from smartpush.common.time.clock import utc_now

TYPED = 10_000  # ids
_BETWEEN = re.compile(r"[\r\n\t,;]+")
_NEITHER = "Choose a file, or type ids."
_MODES = (
    ("add", "Add", "Who is in the list stays, and those of the file come in."),
    ("replace", "Replace", "Afterwards the list holds those of the file and nobody else."),
    ("remove", "Remove", "Those of the file leave the list; the others stay."),
)


class SegmentLists(SegmentMarking):
    """Pages of segments whose kind is an imported list."""

    actions_list = ["new_list"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "segments_segment_list"
        return [
            path("new-list/", wrap(csrf_exempt(self.list_add_view)), name=f"{name}_add"),
            path("list-columns/", wrap(self.columns_view), name=f"{name}_columns"),
            path("<path:object_id>/list/", wrap(self.list_view), name=name),
            path("<path:object_id>/list/import/", wrap(csrf_exempt(self.import_view)), name=f"{name}_import"),
            path("<path:object_id>/list/progress/", wrap(self.progress_view), name=f"{name}_progress"),
            path("<path:object_id>/list/confirm/", wrap(self.confirm_view), name=f"{name}_confirm"),
            path("<path:object_id>/list/cancel/", wrap(self.cancel_view), name=f"{name}_cancel"),
            *super().get_urls(),
        ]

    @action(description="New imported segment", url_path="import", icon="upload_file")
    def new_list(self, request: HttpRequest) -> HttpResponse:
        """The button above the list of segments."""
        self.require_role(request, None, Role.EDITOR)
        return HttpResponseRedirect(reverse("admin:segments_segment_list_add"))

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """The button is for those who may use it."""
        buttons: list[Any] = super().get_actions_list(request)
        return buttons if self.has_add_permission(request) else []

    # --- one list ---
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        segment = self.get_object(request, object_id)
        if segment is not None and segment.kind == Segment.Kind.IMPORTED:
            return HttpResponseRedirect(_page(segment))
        return super().change_view(request, object_id, form_url, extra_context)

    def list_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The list, its imports, and the form for the next one; POST renames it."""
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.EDITOR if request.method == "POST" else Role.VIEWER)
        if segment.kind != Segment.Kind.IMPORTED:
            return HttpResponseRedirect(reverse("admin:segments_segment_change", args=[segment.pk]))
        problems: dict[str, list[str]] = {}
        given = {"name": segment.name, "description": segment.description}
        if request.method == "POST":
            given = {name: request.POST.get(name, "") for name in given}
            try:
                list_save(brand=segment.brand, segment=segment, name=given["name"], description=given["description"])
            except CannotSaveSegment as refusal:
                problems = refusal.fields
                segment.refresh_from_db()
            else:
                self.log_change(request, segment, "Changed name or description.")
                messages.success(request, "Saved.")
                return HttpResponseRedirect(_page(segment))
        context = {
            **self._context(request, segment),
            **self._state(request, segment),
            "given": given,
            "problems": problems,
            "modes": _MODES,
        }
        return TemplateResponse(request, "segments/import_list.html", context, status=400 if problems else 200)

    def list_add_view(self, request: HttpRequest) -> HttpResponse:
        """Name a new list and, at once or later, fill it."""
        upload_to_disk(request)
        answer: HttpResponse = csrf_protect(self._list_add)(request)
        return answer

    def _list_add(self, request: HttpRequest) -> HttpResponse:
        form_check(request)
        self.require_role(request, None, Role.EDITOR)
        brand = current_brand(request)
        if brand is None:
            raise PermissionDenied("Make a brand first: a segment belongs to one.")
        problems: dict[str, list[str]] = {}
        if request.method == "POST":
            source, file_name, problem = _given(request)
            if problem and problem != _NEITHER:
                problems["file"] = [problem]
            else:
                try:
                    name, description = request.POST.get("name", ""), request.POST.get("description", "")
                    by: Any = request.user
                    segment = list_save(brand=brand, name=name, description=description, by=by)
                except CannotSaveSegment as refusal:
                    problems = refusal.fields
                else:
                    job = self._receive(request, segment, "add", source, file_name) if source is not None else None
                    if job is None or job.state != SegmentImport.State.FAILED:
                        self.log_addition(request, segment, "Made the imported segment.")
                        return _leads_to(request, _page(segment))
                    list_delete(segment=segment)
                    problems["file"] = [job.error]
            if _wants_json(request):
                return JsonResponse({"problems": problems}, status=400)
        context = {
            **self._context(request, None),
            "given": {name: request.POST.get(name, "") for name in ("name", "description", "ids")},
            "problems": problems,
        }
        return TemplateResponse(request, "segments/import_new.html", context, status=400 if problems else 200)

    # --- imports ---
    def import_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST a file, or typed ids, and what to do with them."""
        upload_to_disk(request)
        answer: HttpResponse = csrf_protect(self._import)(request, object_id)
        return answer

    def _import(self, request: HttpRequest, object_id: str) -> HttpResponse:
        segment = self._for_change(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        source, file_name, problem = _given(request)
        mode = request.POST.get("mode", "")
        if source is not None:
            try:
                job = self._receive(request, segment, mode, source, file_name)
            except CannotImport as refusal:
                problem = str(refusal)
            else:
                problem = job.error
        if not problem:
            self.log_change(request, segment, f"Import begun: {mode}, {file_name or 'typed ids'}.")
            return _leads_to(request, _page(segment))
        if _wants_json(request):
            return JsonResponse({"problems": {"file": [problem]}}, status=400)
        messages.error(request, problem)
        return HttpResponseRedirect(_page(segment))

    def columns_view(self, request: HttpRequest) -> HttpResponse:
        """POST the beginning of a file: its columns, and the one that would be taken for the id."""
        self.require_role(request, None, Role.EDITOR)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        file = request.FILES.get("head")
        try:
            found = file_columns(head=file.read(HEAD), name=request.POST.get("name", "")) if file is not None else None
        except CannotRead as refusal:
            return JsonResponse({"problems": {"file": [str(refusal)]}}, status=400)
        return JsonResponse(asdict(found) if found is not None else {"names": []})

    def _receive(self, request: HttpRequest, segment: Segment, mode: str, source: Any, file_name: str) -> SegmentImport:
        by: Any = request.user
        return import_receive(
            segment=segment,
            mode=mode,
            stream=source,
            file_name=file_name,
            by=by,
            now=utc_now(),
            asks=mode != SegmentImport.Mode.ADD,
            choice=_choice(request) if file_name else None,
        )

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How far the open import is, and the part of the page that shows it."""
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.VIEWER)
        state = self._state(request, segment)
        html = render_to_string("segments/import_state.html", {**state, "segment": segment}, request)
        job = state["job"]
        return JsonResponse({"state": job.state if job is not None else "", "open": job is not None, "html": html})

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: the import that asks goes on."""
        segment = self._for_change(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._act(request, segment, import_confirm, "Confirmed an import.")

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: the import that waits or asks ends."""
        segment = self._for_change(request, object_id)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return self._act(request, segment, import_cancel, "Cancelled an import.")

    def _act(self, request: HttpRequest, segment: Segment, service: Any, words: str) -> HttpResponse:
        number = request.POST.get("import", "")
        job = segment.imports.filter(pk=number).first() if number.isdecimal() and len(number) < 19 else None
        try:
            if job is None:
                raise CannotImport("That import is not there any more.")
            service(job=job, now=utc_now())
        except CannotImport as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, segment, words)
        return HttpResponseRedirect(_page(segment))

    # --- parts ---
    def _for_change(self, request: HttpRequest, object_id: str) -> Segment:
        """The segment, when this member of staff may change it."""
        segment: Segment = self.object_or_404(request, object_id)
        self.require_role(request, segment, Role.EDITOR)
        return segment

    def _context(self, request: HttpRequest, segment: Segment | None) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": segment.name if segment is not None else "New imported segment",
            "opts": self.opts,
            "original": segment,
            "segment": segment,
            "typed": TYPED,
            "most_bytes": upload_limit(),
            "most_megabytes": upload_limit() // 1_048_576,
            "back": reverse("admin:segments_segment_changelist"),
        }

    def _state(self, request: HttpRequest, segment: Segment) -> dict[str, Any]:
        job = import_open(segment=segment)
        since = utc_now() - KEEP_UNKNOWN
        ended = [each for each in import_history(segment=segment) if each.state not in SegmentImport.OPEN]
        history = [
            {
                "job": each,
                "matched": each.lines - each.repeated - each.unknown,
                "kept": unknown_kept(job=each, since=since),
            }
            for each in ended
        ]
        return {
            "job": job,
            "percent": round(import_progress(job=job) * 100) if job is not None else 0,
            "size": list_size(segment=segment),
            "history": history,
            "may_change": has_brand_role(request.user, segment.brand_id, Role.EDITOR),
        }


def _page(segment: Segment) -> str:
    return reverse("admin:segments_segment_list", args=[segment.pk])


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _leads_to(request: HttpRequest, address: str) -> HttpResponse:
    return JsonResponse({"location": address}) if _wants_json(request) else HttpResponseRedirect(address)


def _choice(request: HttpRequest) -> Choice | None:
    """Return the column that was chosen from those of the file; None leaves it to the guess."""
    column = request.POST.get("column", "")
    if not (column.isascii() and column.isdecimal() and len(column) < 4):
        return None
    return Choice(int(column), header=request.POST.get("header") == "on")


def _given(request: HttpRequest) -> tuple[Any, str, str]:
    """The file or the typed ids as a stream, the file's name, and what is wrong."""
    file = request.FILES.get("file")  # read first: whether it was too large is known afterwards
    if upload_too_large(request):
        return None, "", f"The file is larger than {upload_limit() // 1_048_576:,} MB. Split it into several."
    typed = [part for part in _BETWEEN.split(request.POST.get("ids", "")) if part.strip()]
    if file is not None and typed:
        return None, "", "Choose a file or type ids, not both."
    if file is not None:
        return file.file, file.name or "", ""
    if len(typed) > TYPED:
        return None, "", f"These are {len(typed):,} ids; up to {TYPED:,} can be typed. Upload more as a file."
    if not typed:
        return None, "", _NEITHER
    return io.BytesIO("\n".join(typed).encode("utf-8", "replace")), "", ""
