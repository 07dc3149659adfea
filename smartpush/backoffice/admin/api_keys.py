"""API keys: made with a name and scopes, shown once, revoked for good."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from devices.admin.base import ReadOnlyAdmin
from devices.admin.deleting import Never
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.brands.services.api_keys import CannotMakeKey, api_key_create, api_key_revoke
from devices.models import ApiKey
from smartpush.common.time.clock import utc_now


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        max_length=120,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Shop back end", "autocomplete": "off"}),
        help_text="Who uses it. One key for each program, so that each can be revoked alone.",
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=ApiKey.Scope.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="No more than the program needs.",
    )


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Secrets are on no page but the one that answers to making the key."""

    view_role = Role.ADMIN
    add_role = Role.ADMIN
    deleting = Never(
        "A key is revoked instead of deleted, so that the list says what it could do and until when.", "revoked"
    )
    list_display = ["name", "key", "may", "state", "last_used_at", "created_at"]
    search_fields = ["name", "prefix"]
    fields = ["name", "key", "may", "state", "created_at", "created_by", "last_used_at", "revoked_at"]
    list_select_related = ["created_by"]
    empty_hint = "A key lets a server of yours write users and events, and send pushes."
    change_form_outer_before_template = "backoffice/api_key_revoke.html"

    def instead_of_deleting(self, request: HttpRequest, obj: ApiKey) -> Mapping[str, Any]:
        if obj.revoked_at is not None or not self._allowed(request, obj, Role.ADMIN):
            return {}
        return {"instead_url": reverse("admin:devices_apikey_revoke", args=[obj.pk]), "instead_label": "Revoke it"}

    @display(description="Begins with")
    def key(self, obj: ApiKey) -> str:
        return f"{obj.prefix}…"

    @display(description="May")
    def may(self, obj: ApiKey) -> str:
        return ", ".join(obj.scopes)

    @display(description="State", label={"Works": "success", "Revoked": "danger"})
    def state(self, obj: ApiKey) -> str:
        return "Revoked" if obj.revoked_at else "Works"

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(self.revoke_view)
        return [path("<path:object_id>/revoke/", revoke, name="devices_apikey_revoke"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a name and scopes; the answer to the form shows the secret, once."""
        self.require_role(request, None, Role.ADMIN)
        brand = current_brand(request)
        if brand is None:
            raise PermissionDenied("Make a brand first: a key belongs to one.")
        back = reverse("admin:devices_apikey_changelist")
        context = {**self.admin_site.each_context(request), "opts": self.opts, "back": back}
        form = ApiKeyForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                key, secret = api_key_create(
                    brand=brand,
                    name=form.cleaned_data["name"],
                    scopes=form.cleaned_data["scopes"],
                    by=cast(User, request.user),
                )
            except CannotMakeKey as refusal:
                form.add_error(None, str(refusal))
            else:
                self.log_addition(request, key, "Made the key.")
                shown = {
                    "title": f"Key for {key.name}",
                    "explanation": "This is the only time that the key is shown. Keep it where your server keeps its "
                    "secrets, never in a page or an app.",
                    "label": "API key",
                    "value": secret,
                    "after": "Requests carry it as Authorization: Bearer, and the key.",
                }
                return TemplateResponse(request, "backoffice/shown_once.html", {**context, **shown})
        asked = {
            "title": f"New API key of {brand}",
            "explanation": "For programs on your own servers. The key is shown once, after this step.",
            "form": form,
            "button": "Make the key",
        }
        return TemplateResponse(request, "backoffice/form_page.html", {**context, **asked})

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then end the key for good."""
        key: ApiKey = self.object_or_404(request, object_id)
        self.require_role(request, key, Role.ADMIN)
        back = reverse("admin:devices_apikey_change", args=[key.pk])
        if request.method == "POST":
            api_key_revoke(key=key, now=utc_now())
            self.log_change(request, key, "Revoked the key.")
            messages.success(request, f"The key of {key.name} is revoked.")
            return HttpResponseRedirect(reverse("admin:devices_apikey_changelist"))
        return self.confirm_page(
            request,
            key,
            title=f"Revoke the key of {key.name}?",
            explanation="Every request that carries it is refused from then on. A revoked key never works "
            "again; make a new one instead.",
            button="Revoke",
            danger=True,
            back=back,
        )
