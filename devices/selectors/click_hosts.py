"""Where a brand's clicks may lead."""

from urllib.parse import urlsplit

from devices.models import App, Brand


def click_hosts(*, brand: Brand) -> frozenset[str]:
    """The hosts of the brand's websites in use and those that its settings add."""
    origins = App.objects.filter(brand=brand, kind=App.Kind.WEB, archived_at=None).values_list("origin", flat=True)
    return frozenset({*(host for origin in origins if (host := urlsplit(origin).hostname)), *brand.click_hosts})


def home_page(*, brand: Brand) -> str:
    """The start page of the brand's first website on https; empty where it has none."""
    websites = App.objects.filter(
        brand=brand, kind=App.Kind.WEB, archived_at=None, origin__startswith="https://"
    ).order_by("pk")
    origin = websites.values_list("origin", flat=True).first()
    return f"{origin}/" if origin else ""
