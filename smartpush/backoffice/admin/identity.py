"""Identity keys: added, revoked for good; and what observing has seen."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from devices.admin.base import ReadOnlyAdmin
from devices.admin.deleting import Never
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.installations.identity import (
    CannotUseKey,
    identity_key_add,
    identity_key_revoke,
    kid_clean,
    public_key_clean,
)
from devices.models import IdentityKey
from smartpush.backoffice.identity import identity_seen
from smartpush.common.time.clock import utc_now

MAKE_A_PAIR = (
    "openssl ecparam -name prime256v1 -genkey -noout \\\n"
    "  | openssl pkcs8 -topk8 -nocrypt -out identity-private.pem\n"
    "openssl pkey -in identity-private.pem -pubout -out identity-public.pem"
)


class IdentityKeyForm(forms.Form):
    """What was pasted as a key is never shown again when it is refused: it may be a private one."""

    kid = forms.CharField(
        label="Key id",
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "shop-2026-11", "autocomplete": "off"}),
        help_text="What your server writes as kid into the header of its tokens. It cannot be used again.",
    )
    public_key = forms.CharField(
        max_length=4000,
        strip=False,
        widget=UnfoldAdminTextareaWidget(
            attrs={
                "rows": 6,
                "placeholder": "-----BEGIN PUBLIC KEY-----",
                "autocomplete": "off",
                "spellcheck": "false",
                "style": "font-family: ui-monospace, monospace",
            }
        ),
        help_text="The public half, in PEM form, on the curve P-256. The private half stays on your server.",
    )

    def clean_kid(self) -> str:
        return _said(kid_clean, self.cleaned_data["kid"])

    def clean_public_key(self) -> str:
        return _said(public_key_clean, self.cleaned_data["public_key"])

    def forget_refused_key(self) -> None:
        """Leave out what was pasted where it was refused."""
        if "public_key" in self.errors:
            self.data = {"kid": self.data.get("kid", ""), "public_key": ""}


def _said(check: Any, value: str) -> str:
    try:
        cleaned: str = check(value)
    except CannotUseKey as refusal:
        raise forms.ValidationError(str(refusal)) from None
    return cleaned


@admin.register(IdentityKey)
class IdentityKeyAdmin(ReadOnlyAdmin):
    secret_fields = ("public_key",)  # what was pasted may be a private key
    add_role = Role.ADMIN
    deleting = Never("A key is revoked instead of deleted, so that its id is never used again.", "revoked")
    list_display = ["kid", "state", "created_at", "revoked_at"]
    search_fields = ["kid"]
    fields = ["kid", "state", "public_key", "created_at", "revoked_at"]
    empty_hint = "A key proves to us what your server says about who is logged in."
    list_before_template = "backoffice/identity_list.html"
    change_form_outer_before_template = "backoffice/identity_key_revoke.html"

    def instead_of_deleting(self, request: HttpRequest, obj: IdentityKey) -> Mapping[str, Any]:
        if obj.revoked_at is not None or not self._allowed(request, obj, Role.ADMIN):
            return {}
        return {"instead_url": reverse("admin:devices_identitykey_revoke", args=[obj.pk]), "instead_label": "Revoke it"}

    @display(description="State", label={"Works": "success", "Revoked": "danger"})
    def state(self, obj: IdentityKey) -> str:
        return "Revoked" if obj.revoked_at else "Works"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("observed/", wrap(self.observed_view), name="devices_identitykey_observed"),
            path("<path:object_id>/revoke/", wrap(self.revoke_view), name="devices_identitykey_revoke"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        brand = current_brand(request)
        seen = identity_seen(brand=brand, now=utc_now()) if brand is not None else None
        extra: dict[str, Any] = {**(extra_context or {}), "identity": seen}
        return super().changelist_view(request, extra)

    @method_decorator(sensitive_post_parameters("public_key"))
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a public key and its id."""
        self.require_role(request, None, Role.ADMIN)
        brand = current_brand(request)
        if brand is None:
            raise PermissionDenied("Make a brand first: a key belongs to one.")
        back = reverse("admin:devices_identitykey_changelist")
        form = IdentityKeyForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                key = identity_key_add(
                    brand=brand,
                    kid=form.cleaned_data["kid"],
                    public_key=form.cleaned_data["public_key"],
                    by=request.user,  # type: ignore[arg-type]
                )
            except CannotUseKey as refusal:
                form.add_error("kid", str(refusal))
            else:
                self.log_addition(request, key, "Added the key.")
                messages.success(request, f"Tokens signed with the key {key.kid} are valid from now on.")
                return HttpResponseRedirect(back)
        form.forget_refused_key()
        return TemplateResponse(
            request,
            "backoffice/identity_key_add.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "back": back,
                "title": f"New identity key of {brand}",
                "explanation": "Your server signs a short token for who is logged in; with the public key we check it. "
                "Several keys work side by side, so that one can follow another.",
                "form": form,
                "button": "Add the key",
                "make_a_pair": MAKE_A_PAIR,
            },
        )

    def observed_view(self, request: HttpRequest) -> HttpResponse:
        """What checking tokens has seen in the last 14 days."""
        self.require_role(request, None, Role.VIEWER)
        brand = current_brand(request)
        if brand is None:
            raise PermissionDenied("Make a brand first: what is seen belongs to one.")
        return TemplateResponse(
            request,
            "backoffice/identity_observed.html",
            {
                **self.admin_site.each_context(request),
                **identity_seen(brand=brand, now=utc_now()),
                "opts": self.opts,
                "title": "What checking identities has seen",
            },
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then end the key for good."""
        key: IdentityKey = self.object_or_404(request, object_id)
        self.require_role(request, key, Role.ADMIN)
        if request.method == "POST":
            identity_key_revoke(key=key, now=utc_now(), by=request.user)  # type: ignore[arg-type]
            self.log_change(request, key, "Revoked the key.")
            messages.success(request, f"The key {key.kid} is revoked.")
            return HttpResponseRedirect(reverse("admin:devices_identitykey_changelist"))
        others = IdentityKey.objects.filter(brand=key.brand_id, revoked_at__isnull=True).exclude(pk=key.pk).exists()
        return self.confirm_page(
            request,
            key,
            title=f"Revoke the key {key.kid}?",
            explanation="Tokens signed with it are refused within two seconds, and what they have proven ends: "
            "open pages ask your server for a new token. A revoked key never works again."
            + ("" if others else " It is the only key: where identity is enforced, nobody can log in without one."),
            button="Revoke",
            danger=True,
            back=reverse("admin:devices_identitykey_change", args=[key.pk]),
        )
