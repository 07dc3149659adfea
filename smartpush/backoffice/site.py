"""The admin site: Unfold's look, our login, our rights, our content security policy."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from unfold.sites import UnfoldAdminSite

from devices.brands.selectors.brand_pages import OtherBrand, address_in, form_check, page_open
from devices.brands.selectors.current_brand import choose_brand, current_brand, staff_brands
from smartpush import __version__
from smartpush.backoffice.access.known_browsers import browser_remember
from smartpush.backoffice.access.login import StaffLoginForm
from smartpush.backoffice.access.set_password import SetPassword
from smartpush.backoffice.access.two_step import two_step
from smartpush.backoffice.other_brand import Field, other_brand
from smartpush.backoffice.overview import overview

# Unfold's Alpine evaluates expressions; nothing outside /admin/ is given this policy.
_relaxed = csp_replace(settings.ADMIN_CONTENT_SECURITY_POLICY)


def _owner(view: Any) -> Any:
    """The object whose method a view is, through what is wrapped around it."""
    while view is not None:
        owner = getattr(view, "__self__", None)
        if owner is not None:
            return owner
        view = getattr(view, "__wrapped__", None)
    return None


def _fields(owner: Any) -> dict[str, Field]:
    """Return what an admin's forms call their fields and choices, as far as the tables and the forms say."""
    found: dict[str, Field] = {}
    for one in (owner, *getattr(owner, "inlines", ())):
        model, form = getattr(one, "model", None), getattr(one, "form", None)
        for field in model._meta.concrete_fields if model is not None else ():
            choices = {str(value): str(label) for value, label in field.flatchoices}
            found[field.name] = Field(str(capfirst(field.verbose_name)), choices)
        for name, shown in getattr(form, "base_fields", {}).items():
            if shown.label:
                found[name] = Field(str(shown.label), found[name].choices if name in found else {})
    return found


def _after_choosing(request: HttpRequest) -> str:
    """Where another brand is shown: the same list, or the overview, as an object or a begun form has one brand."""
    match = request.resolver_match
    here = match is not None and "object_id" not in match.kwargs and not (match.url_name or "").endswith("_add")
    return request.path if here and request.method == "GET" else reverse("admin:index")


class BackofficeSite(UnfoldAdminSite):
    site_title = "smartpush"
    site_header = "smartpush"
    index_title = "Overview"
    login_form = StaffLoginForm
    login_template = "backoffice/login.html"
    index_template = "backoffice/overview.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only pages made for this site: those that third-party apps bring know no brands and delete without asking."""
        if hasattr(admin_class, "deleting"):  # devices.admin.deleting; its package cannot be imported this early
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """A page for staff, which stays in its brand and refuses forms of another one."""
        inner: Callable[..., Any] = super().admin_view(self._in_its_brand(view), cacheable)
        return _relaxed(inner)

    def _in_its_brand(self, view: Callable[..., Any]) -> Callable[..., Any]:
        owner = _owner(view)  # a BrandScopedAdmin, another admin without brands, or this site
        # Pages of an object learn their brand as they read it; a view that takes its upload itself checks by itself.
        by_itself = not getattr(owner, "brand_path", "") or getattr(view, "csrf_exempt", False)

        @wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            page_open(request)
            try:
                if not by_itself and "object_id" not in kwargs:
                    form_check(request)
                return view(request, *args, **kwargs)
            except OtherBrand as refusal:
                secret = getattr(owner, "secret_fields", ())
                return other_brand(
                    request,
                    refusal,
                    context_of=self.each_context,
                    secret_fields=secret,
                    fields_of=lambda: _fields(owner),
                )

        return page

    @method_decorator([_relaxed, never_cache])
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().login(request, extra_context)
        if request.method == "POST" and response.status_code == 302 and request.user.is_authenticated:
            browser_remember(request, response, username=request.user.get_username())
        return response

    def get_urls(self) -> list[URLPattern]:
        return [
            path("brand/", self.admin_view(require_POST(self.choose_brand)), name="choose_brand"),
            path("set-password/<uidb64>/<token>/", _relaxed(SetPassword.as_view()), name="set_password"),
            path("two-step/", self.admin_view(self.two_step), name="two_step"),
            *super().get_urls(),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().each_context(request)
        if self.has_permission(request):
            context |= {
                "templates": {"navigation": "backoffice/navigation.html"},
                "staff_brands": staff_brands(request),
                "current_brand": current_brand(request),
                "after_choosing": _after_choosing(request),
                "version": __version__,
            }
        return context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        extra = {**overview(request, current_brand(request)), **(extra_context or {})}
        return super().index(request, extra)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        """Django's list of an app's tables says nothing to a marketer: the overview does."""
        return redirect("admin:index")

    def choose_brand(self, request: HttpRequest) -> HttpResponse:
        """Show another brand from here on; POST `brand` and `next`. Other tabs stay in theirs."""
        chosen = request.POST.get("brand", "")
        brand = choose_brand(request, int(chosen)) if chosen.isdecimal() and len(chosen) < 19 else None
        if brand is None:
            messages.error(request, "That is not one of your brands.")
        target = request.POST.get("next", "")
        if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
            target = reverse("admin:index")
        if brand is not None and len(staff_brands(request)) > 1:
            target = address_in(request, brand, target)
        return HttpResponseRedirect(target)

    def two_step(self, request: HttpRequest) -> HttpResponse:
        """Set up or take away this member of staff's authenticator app."""
        return two_step(request, self.each_context(request))
