"""The brand that a page of the back office shows.

An address or an object that names its brand decides. Else it is the one that the member of staff chose last, which the
session keeps for addresses that name none; only choosing writes it.
"""

from django.http import HttpRequest

from devices.brands.models import Brand
from devices.brands.selectors.staff import accessible_brands

SESSION_KEY = "brand"
_BRANDS = "_smartpush_brands"
_PAGE = "_smartpush_page_brand"


def staff_brands(request: HttpRequest) -> list[Brand]:
    """The brands that this request's member of staff may choose from, read once a request."""
    brands: list[Brand] | None = getattr(request, _BRANDS, None)
    if brands is None:
        brands = list(accessible_brands(request.user))
        setattr(request, _BRANDS, brands)
    return brands


def staff_brands_forget(request: HttpRequest) -> None:
    """Read them again when they are needed next: one has been added."""
    if hasattr(request, _BRANDS):
        delattr(request, _BRANDS)


def staff_brand(request: HttpRequest, brand_id: int) -> Brand | None:
    """The brand of this id, when it is one of theirs."""
    return next((brand for brand in staff_brands(request) if brand.pk == brand_id), None)


def named_brand(request: HttpRequest) -> Brand | None:
    """The brand that the address or the object of this page names; None where neither does."""
    named: Brand | None = getattr(request, _PAGE, None)
    return named


def name_brand(request: HttpRequest, brand: Brand) -> None:
    """Make it the brand of this page, and of no other."""
    setattr(request, _PAGE, brand)


def current_brand(request: HttpRequest) -> Brand | None:
    """The brand of this page, else the chosen one, else the first one that is theirs, else None."""
    named = named_brand(request)
    if named is not None:
        return named
    brands = staff_brands(request)
    chosen = request.session.get(SESSION_KEY) if hasattr(request, "session") else None
    return next((brand for brand in brands if brand.pk == chosen), brands[0] if brands else None)


def choose_brand(request: HttpRequest, brand_id: int) -> Brand | None:
    """Show this brand where an address names none; None, and nothing chosen, when it is not theirs."""
    brand = staff_brand(request, brand_id)
    if brand is not None and request.session.get(SESSION_KEY) != brand_id:
        request.session[SESSION_KEY] = brand_id
    return brand
