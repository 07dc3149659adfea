"""Where a brand's clicks may lead."""

from devices.brands.models import App, Brand
from smartpush.common.addresses.origins import HOST_WITH_PORT, origin_hosts


def click_hosts(*, brand: Brand) -> frozenset[str]:
    """Return the hosts of the brand's websites in use and those that its settings add.

    A website on a port of its own also adds `host:port`. An origin that no browser sends adds nothing.
    """
    origins = App.objects.filter(brand=brand, kind=App.Kind.WEB, archived_at=None).values_list("origin", flat=True)
    return frozenset(brand.click_hosts).union(*map(origin_hosts, origins))


def click_host_names(*, brand: Brand) -> tuple[str, ...]:
    """Return the click hosts as pages and apps are told: names without ports, in order."""
    return tuple(sorted(host for host in click_hosts(brand=brand) if not HOST_WITH_PORT.search(host)))


def home_page(*, brand: Brand) -> str:
    """The start page of the brand's first website on https; empty where it has none."""
    websites = App.objects.filter(
        brand=brand, kind=App.Kind.WEB, archived_at=None, origin__startswith="https://"
    ).order_by("pk")
    origin = websites.values_list("origin", flat=True).first()
    return f"{origin}/" if origin else ""
