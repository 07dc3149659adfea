"""Who works for a brand, for its admins; accounts and groups, for superusers only."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminTextInputWidget

from devices.admin.base import BrandScopedHistoryAdmin
from devices.admin.deleting import Asks, DecidedDeleting, Named, Never
from devices.brands.selectors.brand_pages import plain_address
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.brands.services.deleting import CannotDelete, Numbers
from devices.brands.services.staff import (
    CannotChangeStaff,
    link_renew,
    membership_change_role,
    membership_remove,
    staff_add,
)
from devices.models import BrandMembership


class _SuperusersOnly(DecidedDeleting):
    list_fullwidth = True

    def get_queryset(self, request: HttpRequest) -> Any:
        """Every page of theirs reads rows through this one place, and so refuses with the same sentence."""
        if not self.has_module_permission(request):
            raise PermissionDenied("Accounts and groups are for superusers; a brand's staff have pages of their own.")
        return super().get_queryset(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        self.get_queryset(request)
        return super().add_view(request, form_url, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        self.get_queryset(request)
        return super().changelist_view(request, extra_context)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not isinstance(self.deleting, Never) and self.has_module_permission(request)

    class Media:
        js = ["backoffice/labels.js"]


@admin.register(User)
class StaffUserAdmin(_SuperusersOnly, UserAdmin):
    deleting = Never(
        "An account is switched off instead of deleted: untick Active. The history of what it did,"
        " and its memberships, would go with it.",
        "switched off",
    )
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "is_staff", "is_superuser", "is_active", "last_login"]
    readonly_fields = ["last_login", "date_joined"]
    list_filter = ["is_staff", "is_superuser", "is_active"]


@admin.register(Group)
class StaffGroupAdmin(_SuperusersOnly, GroupAdmin):
    deleting = Asks(
        takes=(
            Named(User.groups.through, "member's place in the group", "members' places in the group"),
            Named(Group.permissions.through, "permission of the group", "permissions of the group"),
        ),
        means="The accounts stay.",
    )


class StaffAddForm(forms.Form):
    name = forms.CharField(
        label="E-mail address or user name",
        max_length=150,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "ann@example.com", "autocomplete": "off"}),
        help_text="Somebody without an account gets one, and you get a link for them to set a password.",
    )
    role = forms.ChoiceField(
        choices=BrandMembership.Role.choices, widget=UnfoldAdminRadioSelectWidget(), initial=Role.VIEWER
    )


@admin.register(BrandMembership)
class BrandMembershipAdmin(BrandScopedHistoryAdmin):
    """Who works for the brand. Its admins add people and let them go; accounts themselves are the superusers'."""

    view_role = Role.ADMIN
    add_role = Role.ADMIN
    change_role = Role.ADMIN
    delete_role = Role.ADMIN
    deleting = Asks(
        means="They no longer see or change anything of the brand, from the next click on. Their account, and what"
        " they do for other brands, stay."
    )
    list_display = ["user", "role", "log_in"]
    list_filter = ["role"]
    list_select_related = ["user"]
    search_fields = ["user__username", "user__email"]
    fields = ["colleague", "role"]
    readonly_fields = ["colleague"]
    radio_fields = {"role": admin.VERTICAL}
    change_form_outer_before_template = "backoffice/membership_link.html"

    @display(description="Colleague")
    def colleague(self, obj: BrandMembership) -> str:
        """Their name without a link: accounts are the superusers' to open."""
        return str(obj.user)

    @display(description="Log-in", label={"Password not set yet": "warning", "Ready": "success", "Off": "danger"})
    def log_in(self, obj: BrandMembership) -> str:
        if not obj.user.is_active or not obj.user.is_staff:
            return "Off"
        return "Ready" if obj.user.has_usable_password() else "Password not set yet"

    def get_urls(self) -> list[URLPattern]:
        link = self.admin_site.admin_view(require_POST(self.link_view))
        return [path("<path:object_id>/link/", link, name="devices_brandmembership_link"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask who, and as what; the answer for somebody without a password shows the link, once."""
        self.require_role(request, None, Role.ADMIN)
        brand = current_brand(request)
        if brand is None:
            raise PermissionDenied("Make a brand first: staff work for one.")
        back = reverse("admin:devices_brandmembership_changelist")
        form = StaffAddForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                added = staff_add(
                    brand=brand, name=form.cleaned_data["name"], role=form.cleaned_data["role"], by=request.user
                )
            except CannotChangeStaff as refusal:
                form.add_error("name", str(refusal))
            else:
                self.log_addition(request, added.membership, "Added to the brand.")
                if added.needs_password:
                    return self._link(request, added.membership)
                messages.success(request, f"{added.membership.user} works for {brand} now.")
                return HttpResponseRedirect(back)
        return TemplateResponse(
            request,
            "backoffice/form_page.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": f"New colleague at {brand}",
                "explanation": "What they may do here is their role; each may do what the ones before it may.",
                "form": form,
                "button": "Add",
                "back": back,
            },
        )

    def link_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A new link for somebody who never set a password; the old one stops working."""
        membership: BrandMembership = self.object_or_404(request, object_id)
        self.require_role(request, membership, Role.ADMIN)
        try:
            link_renew(membership=membership, by=request.user)
        except CannotChangeStaff as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("admin:devices_brandmembership_change", args=[membership.pk]))
        membership.refresh_from_db()
        return self._link(request, membership)

    def _link(self, request: HttpRequest, membership: BrandMembership) -> HttpResponse:
        user = membership.user
        address = reverse(
            "admin:set_password",
            args=[urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)],
        )
        return TemplateResponse(
            request,
            "backoffice/shown_once.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": f"Link for {user}",
                "explanation": "This is the only time that the link is shown. Give it to them alone: who opens it "
                "first sets the password.",
                "label": "Link to set a password",
                "value": request.build_absolute_uri(plain_address(request, address)),
                "after": "It works once, within three days. A new one can be made from their entry in the list.",
                "back": reverse("admin:devices_brandmembership_changelist"),
            },
        )

    def save_model(self, request: HttpRequest, obj: BrandMembership, form: Any, change: bool) -> None:
        membership_change_role(membership=obj, role=form.cleaned_data["role"], by=request.user)

    def delete_row(self, request: HttpRequest, obj: BrandMembership, agreed: Numbers) -> Numbers:
        try:
            membership_remove(membership=obj, by=request.user)
        except CannotChangeStaff as refusal:
            raise CannotDelete(str(refusal)) from refusal
        return {}

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except CannotChangeStaff as refusal:
            return self._refused(request, refusal)

    def _refused(self, request: HttpRequest, refusal: CannotChangeStaff) -> HttpResponse:
        messages.error(request, str(refusal))
        return HttpResponseRedirect(request.path)
