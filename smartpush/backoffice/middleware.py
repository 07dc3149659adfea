"""Times in the back office are those of the brand that is looked at, shown and typed alike."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from devices.selectors.current_brand import current_brand


class BrandTimeZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("admin:index")) or not request.user.is_staff:
            return self.get_response(request)
        brand = current_brand(request)
        with timezone.override(brand.time_zone if brand is not None else "UTC"):
            return self.get_response(request)
