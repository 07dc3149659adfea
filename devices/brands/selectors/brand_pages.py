"""How a page of the back office stays in its brand: its links name the brand, and its forms carry it.

`/admin/in/<brand>/campaigns/campaign/` is the page `/admin/campaigns/campaign/` of that brand. While such a page is
made, Django's script prefix is `/admin/in/<brand>/`: every link, redirect and endpoint that is reversed leads there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.urls import get_script_prefix, get_urlconf, reverse, set_script_prefix, set_urlconf
from django.utils import timezone

from devices.brands.models import Brand
from devices.brands.selectors.current_brand import (
    current_brand,
    name_brand,
    named_brand,
    staff_brand,
    staff_brands,
    staff_brands_forget,
)

FIELD = "_brand"  # of every form that is sent to the back office
_ROOT = "_smartpush_root"


class OtherBrand(Exception):
    """A form was sent to another brand than the one it was made for; nothing has been saved."""

    def __init__(self, *, form: Brand | None, page: Brand | None, carried: bool) -> None:
        super().__init__("The form belongs to another brand.")
        self.form = form  # None: not one of theirs, or the form says none
        self.page = page
        self.carried = carried


# --- addresses ---
@contextmanager
def back_office_addresses(request: HttpRequest) -> Iterator[None]:
    """Learn where the back office is, and undo at the end what `links_stay_in` did."""
    prefix, urlconf = get_script_prefix(), get_urlconf()
    setattr(request, _ROOT, reverse("admin:index"))
    try:
        yield
    finally:
        set_script_prefix(prefix)
        set_urlconf(urlconf)


def split_address(request: HttpRequest, path: str) -> tuple[int | None, str]:
    """The brand's id that a path names, or None, and the path without it."""
    root: str = getattr(request, _ROOT)
    found = re.match(rf"{re.escape(root)}in/([0-9]{{1,18}})/(.*)", path, re.DOTALL)
    return (int(found[1]), f"{root}{found[2]}") if found else (None, path)


def plain_address(request: HttpRequest, path: str) -> str:
    """The path without a brand, for whoever works for none or for another."""
    return split_address(request, path)[1]


def brand_prefix(request: HttpRequest, brand: Brand) -> str:
    """What the paths of this brand's pages begin with."""
    return f"{getattr(request, _ROOT)}in/{brand.pk}/"


def address_in(request: HttpRequest, brand: Brand, path: str) -> str:
    """The path in this brand; one that is not of the back office stays as it is."""
    root: str = getattr(request, _ROOT)
    plain = plain_address(request, path)
    return brand_prefix(request, brand) + plain.removeprefix(root) if plain.startswith(root) else path


def links_stay_in(request: HttpRequest, brand: Brand) -> None:
    """Let every address that is reversed from now on name the brand; staff of one brand need no names."""
    if len(staff_brands(request)) > 1:
        set_script_prefix(brand_prefix(request, brand))
        set_urlconf(settings.ADMIN_IN_BRAND_URLCONF)


# --- pages ---
def page_open(request: HttpRequest) -> None:
    """Begin a page for staff: from now on its forms carry the brand, and its links stay in it."""
    request.form_carries = partial(_form_carries, request)  # type: ignore[attr-defined]  # read by csrf_token
    brand = current_brand(request)
    if brand is not None:
        links_stay_in(request, brand)


def page_show(request: HttpRequest, brand_id: int) -> None:
    """Make this the brand of the page: its choices, links and times; a form of another one is refused."""
    brand = staff_brand(request, brand_id)
    if brand is None:
        return
    if named_brand(request) != brand:
        name_brand(request, brand)
        timezone.activate(brand.time_zone)
    if hasattr(request, "form_carries"):
        links_stay_in(request, brand)
    form_check(request)


def page_lead_to(request: HttpRequest, brand: Brand) -> None:
    """Let the answer lead to a brand that this page has just made."""
    staff_brands_forget(request)
    name_brand(request, brand)
    links_stay_in(request, brand)


# --- forms ---
def _form_carries(request: HttpRequest) -> tuple[str, str]:
    brand = current_brand(request)
    return FIELD, str(brand.pk) if brand is not None else ""


def form_check(request: HttpRequest) -> None:
    """Raise OtherBrand when what was sent was made for another brand than the page's.

    Where neither the address nor an object names the brand, staff of several must say it with the form.
    """
    if request.method != "POST":
        return
    page, carried = current_brand(request), request.POST.getlist(FIELD)
    if not carried and (named_brand(request) is not None or len(staff_brands(request)) < 2):
        return
    if carried and page is not None and set(carried) == {str(page.pk)}:
        return
    number = carried[0] if carried else ""
    form = staff_brand(request, int(number)) if re.fullmatch(r"[0-9]{1,18}", number) else None
    raise OtherBrand(form=form, page=page, carried=bool(carried))
