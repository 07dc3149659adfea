"""The brand of a page of the back office: read from its address, with times in its zone, shown and typed alike."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from devices.brands.selectors.brand_pages import back_office_addresses, links_stay_in, split_address
from devices.brands.selectors.current_brand import current_brand, name_brand, staff_brand

NOT_YOURS = "That is not one of your brands, or you do not work for it any more."


class BrandMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        root = reverse("admin:index")
        if not request.path.startswith(root):
            return self.get_response(request)
        with back_office_addresses(request):
            brand_id, path = split_address(request, request.path)
            if not request.user.is_staff:
                if brand_id is not None:  # only staff who are logged in have such addresses
                    return redirect_to_login(request.get_full_path(), reverse("admin:login"))
                return self.get_response(request)
            if brand_id is not None:
                brand = staff_brand(request, brand_id)
                if brand is None:
                    if request.method not in {"GET", "HEAD"}:
                        raise PermissionDenied(NOT_YOURS)
                    messages.error(request, NOT_YOURS)
                    return HttpResponseRedirect(root)
                name_brand(request, brand)
                request.path_info = f"/{path.removeprefix(root)}"
                request.urlconf = settings.ADMIN_IN_BRAND_URLCONF
                links_stay_in(request, brand)
            shown = current_brand(request)
            with timezone.override(shown.time_zone if shown is not None else "UTC"):
                return self.get_response(request)
