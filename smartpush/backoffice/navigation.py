"""The sidebar."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from devices.brands.selectors.brand_pages import plain_address
from devices.brands.selectors.staff import Role, has_role_anywhere


def _is_here(request: HttpRequest, link: str) -> bool:
    """Whether the page is the link's list or below it, whichever of the two addresses names the brand."""
    return plain_address(request, request.path).startswith(plain_address(request, link))


def _item(request: HttpRequest, title: str, icon: str, model: str) -> dict[str, Any] | None:
    """A link to a model's list, when it is registered and this member of staff may open it."""
    site = admin.site
    for registered, model_admin in site._registry.items():
        if registered._meta.label_lower == model:
            if not model_admin.has_module_permission(request):
                return None
            try:
                link = reverse(f"admin:{model.replace('.', '_')}_changelist")
            except NoReverseMatch:
                return None
            return {"title": title, "icon": icon, "link": link, "active": _is_here(request, link)}
    return None


_GROUPS: list[tuple[str, list[tuple[str, str, str]]]] = [
    ("Audience", [("End users", "group", "devices.enduser"), ("Segments", "donut_small", "segments.segment")]),
    ("Campaigns", [("Campaigns", "account_tree", "campaigns.campaign")]),
    (
        "Marketing › Assets",
        [
            ("Push", "notifications", "assets.pushresource"),
            ("Popups", "web_asset", "assets.popupresource"),
            ("Images", "image", "assets.image"),
            ("Push categories", "category", "devices.pushcategory"),
        ],
    ),
    (
        "Delivery",
        [
            ("Deliveries", "send", "devices.delivery"),
            ("Popup offers", "ad_units", "devices.popupoffer"),
            ("Events", "bolt", "devices.event"),
            ("Consent records", "fact_check", "devices.consentrecord"),
        ],
    ),
    (
        "Operation",
        [
            ("Dispatches", "outbox", "devices.dispatch"),
            ("Chunks", "view_module", "devices.deliverychunk"),
            ("Sending limits", "front_hand", "devices.sendbudget"),
            ("Incidents", "error", "devices.incident"),
        ],
    ),
    (
        "Settings",
        [
            ("Brands", "storefront", "devices.brand"),
            ("Apps", "devices", "devices.app"),
            ("VAPID keys", "key", "devices.vapidkey"),
            ("Identity", "verified_user", "devices.identitykey"),
            ("API keys", "api", "devices.apikey"),
            ("Frequency caps", "speed", "devices.frequencycap"),
            ("Staff memberships", "badge", "devices.brandmembership"),
            ("Staff accounts", "person", "auth.user"),
            ("Groups", "groups", "auth.group"),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's navigation groups for this member of staff."""
    index = reverse("admin:index")
    first: dict[str, Any] = {"title": "Overview", "icon": "monitoring", "link": index}
    first["active"] = plain_address(request, request.path) == plain_address(request, index)
    groups: list[dict[str, Any]] = [{"items": [first]}]
    if not has_role_anywhere(request.user, Role.VIEWER):
        return groups
    for title, entries in _GROUPS:
        items = [item for entry in entries if (item := _item(request, *entry)) is not None]
        if items:
            groups.append({"title": title, "items": items})
    return groups
