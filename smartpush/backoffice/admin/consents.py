"""What end users were asked and answered: proof, for reading only."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from assets.models import PopupRevision
from devices.admin.base import ReadOnlyAdmin
from devices.models import ConsentRecord, Device, EndUser
from smartpush.backoffice.answers import answer_line, answered_by
from smartpush.common.language.languages import language_label


@admin.register(ConsentRecord)
class ConsentRecordAdmin(ReadOnlyAdmin):
    empty_hint = "Answers to popups, the preference page and opt-outs are kept here."
    list_display = ["at", "who", "subject", "answer_words", "by_words", "markers_line", "language_name", "origin"]
    list_filter = ["subject"]
    search_fields = ["end_user_id"]
    search_help_text = "Search by the exact external id"
    ordering = ["-at", "-pk"]
    fields = [
        "at", "recorded_at", "who", "subject", "answer_words", "by_words", "markers_line", "language_name", "origin",
        "popup", "device",
    ]  # fmt: skip
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = EndUser.objects.filter(external_id=term).values("pk")  # the queryset is the brand's already
        return queryset.filter(end_user_id__in=found), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        names = EndUser.objects.only("pk", "external_id").in_bulk({row.end_user_id for row in rows})
        for row in rows:
            row.end_user = names.get(row.end_user_id)
        changelist.result_list = rows
        return changelist

    @display(description="End user")
    def who(self, obj: Any) -> str:
        known = obj.end_user if hasattr(obj, "end_user") else EndUser.objects.filter(pk=obj.end_user_id).first()
        if known is None:
            return "–"
        return format_html(
            '<a class="sp-link" href="{}">{}</a>', reverse("admin:devices_enduser_change", args=[known.pk]), known
        )

    @display(description="Answer", ordering="answer")
    def answer_words(self, obj: ConsentRecord) -> str:
        return answer_line(obj)

    @display(description="By", ordering="by")
    def by_words(self, obj: ConsentRecord) -> str:
        return answered_by(obj).capitalize() if obj.by != "platform" else "Server API"

    @display(description="Categories")
    def markers_line(self, obj: ConsentRecord) -> str:
        return ", ".join(obj.markers) or "-"

    @display(description="Language", ordering="language")
    def language_name(self, obj: ConsentRecord) -> str:
        return language_label(obj.language) or "-"

    @display(description="Popup")
    def popup(self, obj: ConsentRecord) -> str:
        """What was shown: the popup's revision, and the offer that was answered."""
        shown = PopupRevision.objects.select_related("resource").filter(pk=obj.popup_revision_id or 0).first()
        if shown is None:
            return "-"
        address = reverse("admin:assets_popupresource_change", args=[shown.resource_id])
        line = format_html(
            '<a class="sp-link" href="{}">{}</a>, revision {}', address, shown.resource.name, shown.number
        )
        if obj.offer_id is None:
            return line
        offer = reverse("admin:devices_popupoffer_change", args=[obj.offer_id])
        return format_html('{} (<a class="sp-link" href="{}">offer</a>)', line, offer)

    @display(description="Device")
    def device(self, obj: ConsentRecord) -> str:
        found = Device.objects.filter(pk=obj.device_id or 0, brand_id=obj.brand_id).only("browser", "platform").first()
        return "-" if found is None else found.get_browser_display() or found.get_platform_display()
