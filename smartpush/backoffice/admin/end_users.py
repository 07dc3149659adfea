"""End users: a list that stays fast with a million of them, and the profile page."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from devices.admin.deleting import Never
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role, has_brand_role, missing_right
from devices.delivery.selectors.reach import pair_is_reached, reached_pairs
from devices.models import Device, EndUser, PushStatus, Status, TargetDevices
from devices.people.selectors.standing import Standing, standing_filter, standing_of
from devices.people.services.markers import CannotChangeMarkers, marker_clean, markers_change
from smartpush.backoffice.admin.profile_opt_out import NEVER_NOTE, OWN_WORD, ProfileOptOut
from smartpush.backoffice.admin.profile_send import ProfileSend
from smartpush.backoffice.profile import choices, device_cards, markers, runs
from smartpush.backoffice.timeline import timeline
from smartpush.common.language.languages import language_choice, language_label, language_short, wanted_range

STATUS_TONES = {
    Standing.ASK_VISITED: "info",
    Standing.ASK_NEVER_VISITED: "default",
    Standing.ALLOWED: "success",
    Standing.BLOCKED: "danger",
    Standing.NOT_SUPPORTED: "default",
    Standing.SUSPENDED: "warning",
}


class TargetDevicesForm(forms.Form):
    """The card *Target devices* of the profile."""

    target_devices = forms.ChoiceField(
        label="Target devices",
        choices=TargetDevices.choices,
        widget=UnfoldAdminSelectWidget(),
        help_text="Devices this person's messages may go to. A message for other devices only is not sent.",
    )


class BackofficeMarkersForm(forms.Form):
    """The card *Back-office markers* of the profile."""

    backoffice_markers = forms.CharField(
        label="Back-office markers",
        required=False,
        max_length=4000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Separated by commas; kept in capitals.",
    )

    def clean_backoffice_markers(self) -> list[str]:
        words = self.cleaned_data["backoffice_markers"].replace("\n", ",").split(",")
        try:
            return sorted({marker_clean(word) for word in words if word.strip()})
        except CannotChangeMarkers as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


def _cards_of_staff(request: HttpRequest, end_user: EndUser) -> dict[str, forms.Form]:
    """Return the forms of the cards that staff change, by heading; each is bound to what its own card sent alone."""
    sent = request.POST
    return {
        "Target devices": TargetDevicesForm(
            sent if "target_devices" in sent else None, initial={"target_devices": end_user.target_devices}
        ),
        "Back-office markers": BackofficeMarkersForm(
            sent if "backoffice_markers" in sent else None,
            initial={"backoffice_markers": ", ".join(end_user.backoffice_markers)},
        ),
    }


class AnonymousFilter(admin.SimpleListFilter):
    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("known", "Known by external id"), ("visitor", "Anonymous visitors")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "known":
            return queryset.filter(external_id__isnull=False)
        return queryset.filter(external_id__isnull=True) if self.value() == "visitor" else queryset


def live_pairs() -> QuerySet[PushStatus]:
    """The allowed pairs with a live token of the outer end user: what makes one push enabled."""
    return reached_pairs().filter(end_user=OuterRef("pk"))


class StandingFilter(admin.SimpleListFilter):
    """Filters by the status of the last session; *Ask* also by its halves, as the overview counts them."""

    title = "push status of the last session"
    parameter_name = "last_session_status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(Status.ASK.value, str(Status.ASK.label)), *Standing.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(standing_filter(value=value))


class PushEnabledFilter(admin.SimpleListFilter):
    title = "push enabled"
    parameter_name = "push"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(Exists(live_pairs()))
        return queryset.filter(~Exists(live_pairs())) if self.value() == "no" else queryset


class ContactFilter(admin.SimpleListFilter):
    """Filters people whom messages may not reach, by their own or the brand's word."""

    title = "contact"
    parameter_name = "contact"
    _COLUMNS = (
        ("never", "Never contact", "never_contact"),
        ("own", "Opted out themselves", "user_opt_out"),
        ("platform", "Opted out at the platform", "platform_opt_out"),
    )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, label, _ in self._COLUMNS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        column = next((column for value, _, column in self._COLUMNS if value == self.value()), None)
        return queryset.filter(**{column: True}) if column else queryset


class PlatformFilter(admin.SimpleListFilter):
    title = "platform"
    parameter_name = "platform"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Device.Platform.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        pairs = PushStatus.objects.filter(end_user=OuterRef("pk"), device__platform=self.value())
        return queryset.filter(Exists(pairs))


class LanguageFilter(admin.SimpleListFilter):
    """Languages of the brand's newest thousand end users: reading them all for a filter is not worth it.

    Selects whom a segment's *Language is* selects: en is also en-GB.
    """

    title = "language"
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        brand = current_brand(request)
        if brand is None:
            return []
        newest = EndUser.objects.filter(brand=brand).order_by("-pk")
        sample = newest.values_list("language_canonical", flat=True)[:1000]
        found = {language_short(tag or "") for tag in (*sample, self.value())} - {""}
        return sorted(((tag, language_choice(tag)) for tag in found), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        begins = wanted_range(self.value() or "")
        same = Q(language_canonical=begins) | Q(language_canonical__startswith=f"{begins}-")
        return queryset.filter(same) if begins else queryset.none()


@admin.register(EndUser)
class EndUserAdmin(ProfileSend, ProfileOptOut):
    add_role = None
    deleting = Never("A person is erased by your own server: DELETE /api/v1/server/users/EXTERNAL_ID.", "erased")
    list_per_page = 50
    search_fields = ["external_id"]
    search_help_text = "Search by external id (its beginning), or a visitor's number"
    list_display = [
        "who", "status", "is_push_enabled", "contact", "where", "language_name", "last_session_at", "created_at",
    ]  # fmt: skip
    list_filter = [
        StandingFilter,
        PushEnabledFilter,
        ContactFilter,
        PlatformFilter,
        LanguageFilter,
        AnonymousFilter,
    ]
    ordering = ["-pk"]

    def narrow_to_current(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        return super().narrow_to_current(request, rows).defer("properties")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        number = term.lower().removeprefix("visitor").strip()
        match = Q(external_id__startswith=term)
        if number.isdecimal() and len(number) < 19:
            match |= Q(pk=int(number), external_id__isnull=True)
        return queryset.filter(match), False

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        pairs = PushStatus.objects.filter(end_user_id__in=[row.pk for row in rows]).select_related("device")
        platforms: dict[int, set[str]] = {row.pk: set() for row in rows}
        enabled: set[int] = set()
        for pair in pairs.only(
            "end_user_id",
            "status",
            *(f"device__{name}" for name in ("platform", "browser", "token_hash", "holder_id")),
        ):
            device = pair.device
            platforms[pair.end_user_id].add(device.get_browser_display() or device.get_platform_display())
            if pair_is_reached(pair=pair):
                enabled.add(pair.end_user_id)
        for row in rows:
            row.platform_names = ", ".join(sorted(platforms[row.pk]))
            row.push_enabled = row.pk in enabled
        changelist.result_list = rows
        return changelist

    @display(description="End user", ordering="external_id")
    def who(self, obj: EndUser) -> str:
        return str(obj)

    @display(description="Last session's status", ordering="last_session_status", label=STATUS_TONES)
    def status(self, obj: EndUser) -> tuple[str, str]:
        standing = standing_of(end_user=obj)
        return standing.value, standing.label

    @display(description="Language", ordering="language")
    def language_name(self, obj: EndUser) -> str:
        return language_label(obj.language) or "–"

    @display(description="Push enabled", label={"Yes": "success", "No": "default"})
    def is_push_enabled(self, obj: Any) -> str:
        return "Yes" if obj.push_enabled else "No"

    @display(description="Contact", label={"Never contact": "danger", "Opted out": "warning"})
    def contact(self, obj: EndUser) -> str:
        if obj.never_contact:
            return "Never contact"
        return "Opted out" if obj.user_opt_out or obj.platform_opt_out else ""

    @display(description="Devices")
    def where(self, obj: Any) -> str:
        return cast(str, obj.platform_names)

    # --- the profile page takes the place of the change form ---
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if object_id is None:
            raise Http404
        end_user: EndUser | None = self.get_object(request, object_id)
        if end_user is None:
            return cast(HttpResponse, self._get_obj_does_not_exist_redirect(request, self.opts, object_id))
        may_write = has_brand_role(request.user, end_user.brand_id, Role.EDITOR)
        forms_of_staff = _cards_of_staff(request, end_user)
        if request.method == "POST":
            self.require_role(request, end_user, Role.EDITOR)
            sent = [form for form in forms_of_staff.values() if form.is_bound]
            if all(form.is_valid() for form in sent):
                self._save(
                    request, end_user, {name: value for form in sent for name, value in form.cleaned_data.items()}
                )
                return HttpResponseRedirect(request.get_full_path())
        page = request.GET.get("page", "1")
        number = int(page) if page.isdecimal() and len(page) < 6 else 1
        happenings, more = timeline(end_user=end_user, page=number)
        cards = device_cards(end_user=end_user)
        chosen = choices(end_user=end_user)
        standing = standing_of(end_user=end_user)
        if not may_write:
            for field in (field for form in forms_of_staff.values() for field in form.fields.values()):
                field.disabled = True
        return TemplateResponse(
            request,
            "backoffice/end_user.html",
            {
                **self.admin_site.each_context(request),
                "title": f"User Profile: {end_user}",
                "opts": self.opts,
                "original": end_user,
                "object_id": object_id,
                "end_user": end_user,
                "properties": sorted(end_user.properties.items()),
                "standing": standing,
                "status_tone": STATUS_TONES[standing],
                "push_enabled": any(card.live for card in cards),
                "cards": cards,
                "markers": markers(end_user=end_user),
                "choices": chosen,
                "may_opt_in": not chosen.own_word or has_brand_role(request.user, end_user.brand_id, Role.ADMIN),
                "own_word_note": OWN_WORD,
                "may_lift": has_brand_role(request.user, end_user.brand_id, Role.ADMIN),
                "never_note": NEVER_NOTE,
                "forms_of_staff": forms_of_staff,
                "may_write": may_write,
                "may_send": has_brand_role(request.user, end_user.brand_id, Role.PUBLISHER),
                "missing_right": "" if may_write else missing_right(Role.EDITOR, end_user.brand),
                "happenings": happenings,
                "page": number,
                "more": more,
                "runs": runs(end_user=end_user),
                "change": True,
                "is_popup": False,
                "media": self.media,
                "list_url": reverse("admin:devices_enduser_changelist"),
            },
        )

    def _save(self, request: HttpRequest, end_user: EndUser, changed: dict[str, Any]) -> None:
        fields: list[str] = []
        if changed.get("target_devices", end_user.target_devices) != end_user.target_devices:
            end_user.target_devices = changed["target_devices"]
            end_user.save(update_fields=["target_devices"])
            fields.append("target_devices")
        wanted: list[str] | None = changed.get("backoffice_markers")
        if wanted is not None and wanted != sorted(end_user.backoffice_markers):
            try:
                markers_change(end_user_id=end_user.pk, operation="replace", markers=wanted, kind="backoffice_markers")
            except CannotChangeMarkers as refusal:
                messages.error(request, str(refusal))
                return
            fields.append("backoffice_markers")
        if fields:
            self.log_change(request, end_user, [{"changed": {"fields": fields}}])
            messages.success(request, "Saved.")
