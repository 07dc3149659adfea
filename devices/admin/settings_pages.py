"""Settings of a brand that have pages of their own: VAPID keys."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from devices.admin.base import ReadOnlyAdmin
from devices.admin.deleting import Never
from devices.brands.selectors.consequences import number_words
from devices.brands.selectors.current_brand import current_brand
from devices.brands.selectors.staff import Role
from devices.installations.vapid_keys import subscriptions_count
from devices.lifecycle.brands import vapid_key_add
from devices.models import VapidKey


@admin.register(VapidKey)
class VapidKeyAdmin(ReadOnlyAdmin):
    """The key pairs that a brand signs web pushes with; the private half is on no page."""

    view_role = Role.ADMIN
    add_role = Role.ADMIN
    nobody = "A key pair stays as it was made, because subscriptions work with no other. Make a new pair instead."
    deleting = Never("A key stays: subscriptions that were made with it can be reached with no other.")
    empty_hint = "With a key pair, push services know that a push comes from this brand."
    list_display = ["public_key", "active", "created_at"]
    fields = ["brand", "public_key", "active", "created_at"]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask, then make a key pair that signs for new subscriptions, as `manage.py new_vapid_key` does."""
        self.require_role(request, None, Role.ADMIN)
        brand = current_brand(request)
        if brand is None:
            raise PermissionDenied("Make a brand first: a key belongs to one.")
        back = reverse("admin:devices_vapidkey_changelist")
        if request.method == "POST":
            key = vapid_key_add(brand=brand)
            self.log_addition(request, key, "Made the key pair.")
            messages.success(request, "The new key pair signs for new subscriptions; older ones keep their key.")
            return HttpResponseRedirect(back)
        subscribed = subscriptions_count(brand_id=brand.pk)
        one = subscribed == 1
        return self.confirm_page(
            request,
            None,
            title=f"Make a new VAPID key pair for {brand}?",
            explanation="The new pair becomes the active one and signs for new subscriptions. Every older pair goes "
            "on signing for its own. A browser subscribes again under the new pair at its next visit, "
            "without a question. Do this when a private key may be known to others, or cannot be read any more.",
            numbers=[
                f"{number_words(subscribed)} {'subscription moves' if one else 'subscriptions move'} over at "
                f"{'its' if one else 'their'} next visit."
            ]
            if subscribed
            else [],
            button="Make the key pair",
            danger=False,
            back=back,
        )
