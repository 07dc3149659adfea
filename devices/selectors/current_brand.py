"""The brand that a member of staff is looking at: one at a time, kept in the session."""

from django.http import HttpRequest

from devices.models import Brand
from devices.selectors.staff import accessible_brands

SESSION_KEY = "brand"
_CACHE = "_smartpush_brands"


def staff_brands(request: HttpRequest) -> list[Brand]:
    """The brands that this request's member of staff may choose from, read once a request."""
    brands: list[Brand] | None = getattr(request, _CACHE, None)
    if brands is None:
        brands = list(accessible_brands(request.user))
        setattr(request, _CACHE, brands)
    return brands


def current_brand(request: HttpRequest) -> Brand | None:
    """The chosen brand, else the first one that is theirs, else None."""
    brands = staff_brands(request)
    chosen = request.session.get(SESSION_KEY) if hasattr(request, "session") else None
    for brand in brands:
        if brand.pk == chosen:
            return brand
    return brands[0] if brands else None


def choose_brand(request: HttpRequest, brand_id: int) -> Brand | None:
    """Make this the current brand and return it; None, and nothing chosen, when it is not theirs."""
    for brand in staff_brands(request):
        if brand.pk == brand_id:
            if request.session.get(SESSION_KEY) != brand_id:
                request.session[SESSION_KEY] = brand_id
            return brand
    return None
