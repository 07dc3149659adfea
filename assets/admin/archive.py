"""Archiving from the page of a row; what was sent or chosen once is never deleted."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from assets.services.archiving import resource_archive, resource_restore
from devices.admin.base import BrandScopedAdmin
from devices.selectors.staff import Role
from smartpush.common.clock import utc_now


class ArchivedFilter(admin.SimpleListFilter):
    """Those in use, unless the archived ones are asked for."""

    title = "archived"
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Archived")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": "In use"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(archived_at__isnull=self.value() != "yes")


class ArchivingAdmin(BrandScopedAdmin):
    """A page that asks, then archives, or restores what is archived; editors and above."""

    delete_role = None
    list_filter: Any = [ArchivedFilter]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.archive_view)
        return [
            path("<path:object_id>/archive/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_archive"),
            *super().get_urls(),
        ]

    def archive_row(self, row: Any) -> None:
        """Put it away."""
        resource_archive(resource=row, now=utc_now())

    def restore_row(self, row: Any) -> None:
        """Take it out again."""
        resource_restore(resource=row)

    def archive_words(self, row: Any) -> str:
        """What archiving or restoring does, before it is done."""
        if row.archived_at is not None:
            return "Campaigns may choose it again."
        return (
            "It leaves the list and campaigns cannot choose it any more. Campaigns that run go on with it;"
            " a draft that uses it asks for another. You can restore it later."
        )

    def archive_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then archive or restore."""
        resource = self.object_or_404(request, object_id)
        self.require_role(request, resource, Role.EDITOR)
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[resource.pk])
        archived = resource.archived_at is not None
        if request.method == "POST":
            if archived:
                self.restore_row(resource)
            else:
                self.archive_row(resource)
            messages.success(request, f"“{resource}” is {'in use again' if archived else 'archived'}.")
            return HttpResponseRedirect(back)
        return TemplateResponse(
            request,
            "shared/confirm.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Restore “{resource}”?" if archived else f"Archive “{resource}”?",
                "opts": self.opts,
                "original": resource,
                "object_id": object_id,
                "explanation": self.archive_words(resource),
                "button": "Restore now" if archived else "Archive now",
                "danger": False,
                "problems": [],
                "back": back,
            },
        )
