"""Brands: settings, websites and apps, the integration panel, and the switch that stops all sending."""

from collections.abc import Mapping
from datetime import time
from operator import itemgetter
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from assets.admin.base import LANGUAGES, label_of
from assets.services.refusals import image_url_problem
from devices.admin.base import BrandScopedHistoryAdmin, BrandScopedTabularInline
from devices.admin.checking import integration_of
from devices.admin.deleting import Never, WithItsForm
from devices.admin.forms import AppForm, AppFormSet, LinesField, time_zones, web_origin
from devices.brands.selectors.brand_pages import page_lead_to
from devices.brands.selectors.staff import Role
from devices.lifecycle.brands import brand_create, brand_resume, brand_stop, local_pages_follow
from devices.models import App, Brand, CapCounter, Device, FrequencyCap, IdentityKey
from segments.services import segments_make_ready
from smartpush.common.addresses.origins import LOCAL_ORIGIN
from smartpush.common.time.clock import utc_now


def _offer_languages(form: forms.ModelForm) -> None:
    """Choose the default language from those that content can be written in; one that is set already stays."""
    if "default_language" not in form.fields:
        return
    known: dict[str, str] = {form.instance.default_language: label_of(form.instance.default_language)} | LANGUAGES
    choices: list[tuple[str, str]] = sorted(known.items(), key=itemgetter(1))
    form.fields["default_language"] = forms.ChoiceField(
        choices=choices,
        initial=form.instance.default_language,
        widget=UnfoldAdminSelect2Widget(),
        help_text="Of messages that have no text in the end user's own language.",
    )


class TimeOfDayInput(UnfoldAdminTextInputWidget):
    """The browser's own input of a time: it is one on the end user's wall, so nothing here warns of server time."""

    input_type = "time"

    def format_value(self, value: Any) -> Any:
        return value.strftime("%H:%M") if isinstance(value, time) else value


class BrandForm(forms.ModelForm):
    click_hosts = LinesField(
        required=False,
        label="Click hosts",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Hosts that a click may lead to, besides the brand's own websites. One per line.",
    )

    class Meta:
        model = Brand
        fields = [
            "name", "time_zone", "default_language", "default_icon_url",
            "click_hosts", "logout_policy", "session_minutes", "identity_mode",
            "quiet_from", "quiet_until", "quiet_policy", "operational_ignores_opt_out", "local_pages",
        ]  # fmt: skip
        labels = {"default_icon_url": "Default icon", "session_minutes": "Minutes between sessions"}
        help_texts = {
            "default_icon_url": "Of pushes without an icon of their own.",
            "logout_policy": "A shared device goes on showing pushes to who logged out, or does not.",
            "quiet_from": "In each end user's own time zone, such as 21:00. Leave both empty for no quiet hours.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("quiet_from", "quiet_until"):
            if name in self.fields:
                self.fields[name].widget = TimeOfDayInput()
        if "time_zone" in self.fields:
            self.fields["time_zone"] = forms.ChoiceField(
                choices=time_zones(),
                widget=UnfoldAdminSelect2Widget(),
                help_text="For schedules, reports, the days and weeks of caps, and end users whose own is not known.",
            )
        _offer_languages(self)
        if "local_pages" in self.fields and not settings.DEVELOPMENT:
            self.fields["local_pages"].disabled = True
            self.fields["local_pages"].help_text = (
                "This is a production server: pages on developers' own machines are refused here. Switch it on where"
                " SMARTPUSH_ENV is development."
            )

    def clean_default_icon_url(self) -> str:
        """Refuse what the editors of pushes would refuse: they begin with this address."""
        value: str = self.cleaned_data["default_icon_url"]
        problem = image_url_problem(value) if value else None
        if problem is not None:
            raise forms.ValidationError(problem)
        return value

    def clean_identity_mode(self) -> str:
        mode: str = self.cleaned_data["identity_mode"]
        if mode == Brand.IdentityMode.ENFORCE and not (
            IdentityKey.objects.filter(brand=self.instance, revoked_at__isnull=True).exists()
        ):
            raise forms.ValidationError(
                "Without an identity key nobody could prove who they are, and every identified call would be refused. "
                "Add the public key of your server under Settings › Identity first, and observe for some days."
            )
        return mode


class BrandCreateForm(forms.ModelForm):
    """Few questions; everything else has a good default and can be changed later."""

    origin = forms.CharField(
        label="Website",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "https://www.example.com"}),
        help_text="Exact origin of the website; more websites and apps can be added later.",
    )

    class Meta:
        model = Brand
        fields = ["name", "time_zone", "default_language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = forms.ChoiceField(choices=time_zones(), widget=UnfoldAdminSelect2Widget())
        _offer_languages(self)

    def clean_origin(self) -> str:
        value: str = self.cleaned_data["origin"].strip()
        return web_origin(value) if value else ""


class AppInline(BrandScopedTabularInline):
    model = App
    form = AppForm
    formset = AppFormSet
    extra = 0
    fields = ["kind", "name", "origin", "bundle_id", "more"]
    readonly_fields = ["more"]
    write_role = Role.ADMIN
    deleting = Never("A website or app is archived on its own page, where its devices are counted.")
    verbose_name_plural = "Websites and apps"

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return websites in use: archived ones are in the list of apps, and developers' machines have a switch."""
        return super().get_queryset(request).filter(archived_at=None).exclude(origin=LOCAL_ORIGIN)

    @display(description="Its page")
    def more(self, obj: App) -> str:
        """A link to where it is archived, and where a native app has its keys."""
        if obj.pk is None:
            return "–"
        return format_html('<a class="sp-link" href="{}">Open</a>', reverse("admin:devices_app_change", args=[obj.pk]))


class FrequencyCapInline(BrandScopedTabularInline):
    model = FrequencyCap
    extra = 0
    fields = ["purpose", "scope", "period", "most"]
    write_role = Role.ADMIN
    deleting = WithItsForm(records=(CapCounter,))
    verbose_name = "frequency cap"
    verbose_name_plural = "Frequency caps"


@admin.register(Brand)
class BrandAdmin(BrandScopedHistoryAdmin):
    brand_path = ""
    form = BrandForm
    add_role = None
    change_role = Role.ADMIN
    nobody = "Only superusers make brands, and a brand is never deleted: stop its sending instead."
    deleting = Never(nobody)
    inlines = [AppInline, FrequencyCapInline]
    list_display = ["name", "time_zone", "language_name", "sending", "created_at"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "time_zone", "default_language", "default_icon_url"]}),
        ("Visitors and clicks", {"fields": ["click_hosts", "logout_policy", "session_minutes"]}),
        (
            "Identity",
            {
                "fields": ["identity_mode"],
                "description": "Page code says who has logged in. A token that your own server signs proves it. "
                "<b>Observe</b> checks tokens and counts what it sees, on the page Settings › Identity, and refuses "
                "nobody. <b>Enforce</b> refuses every identified call without a good token: choose it when observing "
                "shows no failures any more, or your logged-in users are locked out of push.",
            },
        ),
        (
            "Quiet hours",
            {
                "fields": ["quiet_from", "quiet_until", "quiet_policy"],
                "description": "Hours on the end user's own clock in which marketing messages do not go out. "
                "A message whose time to live ends before they do is not sent at all.",
            },
        ),
        (
            "Opt-outs",
            {
                "fields": ["operational_ignores_opt_out"],
                "description": "Who opted out, by your own server or here, gets nothing.",
            },
        ),
        ("Development", {"fields": ["local_pages"]}),
    ]
    add_fieldsets = [(None, {"fields": ["name", "origin", "time_zone", "default_language"]})]
    change_form_outer_before_template = "backoffice/brand_sending.html"

    @display(description="Default language", ordering="default_language")
    def language_name(self, obj: Brand) -> str:
        return label_of(obj.default_language)

    @display(description="Sending", label={"Stopped": "danger", "Running": "success"})
    def sending(self, obj: Brand) -> str:
        return "Stopped" if obj.sending_stopped_at else "Running"

    def narrow_to_current(self, request: HttpRequest, rows: Any) -> Any:
        return rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = BrandCreateForm
        return super().get_form(request, obj, change=change, **kwargs)

    def instead_of_deleting(self, request: HttpRequest, obj: Brand) -> Mapping[str, Any]:
        if obj.sending_stopped_at is not None or not self._allowed(request, obj, Role.PUBLISHER):
            return {}
        url = reverse("admin:devices_brand_stop", args=[obj.pk])
        return {"instead_url": url, "instead_label": "Stop its sending instead"}

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else []

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            if "local_pages" in form.changed_data:
                local_pages_follow(brand=obj, now=utc_now())
            return
        made = brand_create(
            name=obj.name,
            origin=form.cleaned_data["origin"],
            time_zone=obj.time_zone,
            default_language=obj.default_language,
        )
        segments_make_ready(brand=made)
        obj.pk = made.pk
        obj.refresh_from_db()
        obj._state.adding = False
        page_lead_to(request, obj)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/stop/", wrap(self.stop_view), name="devices_brand_stop"),
            path("<path:object_id>/resume/", wrap(self.resume_view), name="devices_brand_resume"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["show_save_and_add_another"] = False
        brand: Brand | None = kwargs.get("obj")
        if brand is not None:
            context |= {
                "integration": integration_of(brand),
                "websites": brand.apps.filter(kind=App.Kind.WEB, archived_at=None),
                "integrated": Device.objects.filter(brand=brand).exists(),
                "may_stop": self._allowed(request, brand, Role.PUBLISHER),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    # --- the switch ---
    def stop_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then stop all sending of the brand."""
        return self._switch(request, object_id, stop=True)

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then let the brand send again."""
        return self._switch(request, object_id, stop=False)

    def _switch(self, request: HttpRequest, object_id: str, *, stop: bool) -> HttpResponse:
        brand: Brand = self.object_or_404(request, object_id)
        self.require_role(request, brand, Role.PUBLISHER)
        back = reverse("admin:devices_brand_change", args=[brand.pk])
        if request.method == "POST":
            if stop:
                brand_stop(brand_id=brand.pk, now=utc_now())
                messages.warning(request, f"Nothing is sent for {brand} until sending is resumed.")
            else:
                brand_resume(brand_id=brand.pk)
                messages.success(request, f"{brand} sends again.")
            brand.refresh_from_db()
            Brand.history.bulk_history_create(
                [brand],
                update=True,
                default_user=request.user,
                default_change_reason="Stopped all sending" if stop else "Resumed sending",
            )
            return HttpResponseRedirect(back)
        return self.confirm_page(
            request,
            brand,
            title=f"Stop all sending of {brand}?" if stop else f"Let {brand} send again?",
            explanation=(
                "No push goes out for this brand, whatever campaign it belongs to. Waiting messages are held, "
                "not lost; those that expire meanwhile are not sent."
                if stop
                else "Held messages that have not expired go out now, and campaigns send as usual."
            ),
            button="Stop all sending" if stop else "Resume sending",
            danger=stop,
            back=back,
        )
