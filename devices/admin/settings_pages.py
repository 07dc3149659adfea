"""Settings of a brand that have pages of their own: VAPID keys."""

from django.contrib import admin

from devices.admin.base import ReadOnlyAdmin
from devices.models import VapidKey
from devices.selectors.staff import Role


@admin.register(VapidKey)
class VapidKeyAdmin(ReadOnlyAdmin):
    view_role = Role.ADMIN
    list_display = ["public_key", "active", "created_at"]
    fields = ["brand", "public_key", "active", "created_at"]
