"""Archiving from the page of a row: what was sent, chosen or used once is put away and can be restored."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from devices.admin.base import BrandScopedAdmin
from devices.admin.deleting import Never
from devices.brands.selectors.staff import Role


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
    """A page that asks, then archives, or restores what is archived."""

    deleting: Any = Never("It is archived instead of deleted: what was sent or chosen once stays readable.", "archived")
    archive_role: str = Role.EDITOR
    list_filter: Any = [ArchivedFilter]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.archive_view)
        return [
            path("<path:object_id>/archive/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_archive"),
            *super().get_urls(),
        ]

    def archive_row(self, row: Any) -> str:
        """Put it away, and return what the history says of it."""
        raise NotImplementedError

    def restore_row(self, row: Any) -> str:
        """Take it out again, and return what the history says of it."""
        raise NotImplementedError

    def archive_words(self, row: Any) -> str:
        """Say what archiving or restoring does, before it is done."""
        raise NotImplementedError

    def archive_numbers(self, row: Any) -> Sequence[str]:
        """Return what is put away or taken out with it, a line each."""
        return ()

    def instead_of_deleting(self, request: HttpRequest, obj: Any) -> Mapping[str, Any]:
        if obj.archived_at is not None or not self._allowed(request, obj, self.archive_role):
            return {}
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_archive", args=[obj.pk])
        return {"instead_url": address, "instead_label": "Archive it instead"}

    def archive_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then archive or restore."""
        resource = self.object_or_404(request, object_id)
        self.require_role(request, resource, self.archive_role)
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[resource.pk])
        archived, shown = resource.archived_at is not None, str(resource)
        button = "Restore now" if archived else "Archive now"
        problems = []
        if request.method == "POST" and request.POST.get("step") != button:
            done = "archived" if archived else "restored"
            problems = [f"{shown} was {done} after this page was opened, so nothing was done."]
        elif request.method == "POST":
            told = self.restore_row(resource) if archived else self.archive_row(resource)
            self.log_change(request, resource, told)
            messages.success(request, f"{shown} is in use again." if archived else f"{shown} is archived.")
            return HttpResponseRedirect(back)
        return self.confirm_page(
            request,
            resource,
            title=f"Restore “{resource}”?" if archived else f"Archive “{resource}”?",
            explanation=self.archive_words(resource),
            button=button,
            danger=not archived,
            numbers=self.archive_numbers(resource),
            problems=problems,
            back=back,
        )
