"""Opting somebody out of pushes from their profile, and back in."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from devices.admin.base import BrandScopedAdmin
from devices.models import EndUser
from devices.selectors.preferences import opt_out_is_own_word
from devices.selectors.staff import Role, has_brand_role
from devices.services.preferences import OptedOutThemselves, opt_out_lift, opt_out_set
from smartpush.common.clock import utc_now

OWN_WORD = (
    "They opted out themselves. Only an admin of the brand may undo that, and only when the person has asked for it: "
    "ask one, or let the person change it on their preference page."
)


class ProfileOptOut(BrandScopedAdmin):
    """The two pages behind the profile's card of choices."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/opt-out/", wrap(self.opt_out_view), name="devices_enduser_opt_out"),
            path("<path:object_id>/opt-in/", wrap(self.opt_in_view), name="devices_enduser_opt_in"),
            *super().get_urls(),
        ]

    def opt_out_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then opt the end user out for them."""
        end_user: EndUser = self.object_or_404(request, object_id)
        self.require_role(request, end_user, Role.EDITOR)
        if request.method == "POST":
            if opt_out_set(end_user_id=end_user.pk, opted_out=True, by="staff", now=utc_now()):
                self.log_change(request, end_user, "Opted out.")
                messages.success(request, f"{end_user} is opted out.")
            else:
                messages.info(request, f"{end_user} was opted out already.")
            return HttpResponseRedirect(_profile(end_user))
        return self._ask(
            request,
            end_user,
            title=f"Opt {end_user} out?",
            explanation="They get no pushes any more on any device, except operational ones where the brand says so. "
            "It is recorded as done by staff, with the time.",
            button="Opt out",
            danger=True,
        )

    def opt_in_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then lift the opt-out; the end user's own is for admins."""
        end_user: EndUser = self.object_or_404(request, object_id)
        self.require_role(request, end_user, Role.EDITOR)
        own_word_too = has_brand_role(request.user, end_user.brand_id, Role.ADMIN)
        if request.method == "POST":
            try:
                lifted = opt_out_lift(end_user_id=end_user.pk, own_word_too=own_word_too, now=utc_now())
            except OptedOutThemselves:
                raise PermissionDenied(OWN_WORD) from None
            if lifted:
                self.log_change(request, end_user, "Opted back in.")
                messages.success(request, f"{end_user} gets pushes again.")
            else:
                messages.info(request, f"{end_user} was not opted out.")
            return HttpResponseRedirect(_profile(end_user))
        if not own_word_too and opt_out_is_own_word(end_user=end_user):
            raise PermissionDenied(OWN_WORD)
        return self._ask(
            request,
            end_user,
            title=f"Opt {end_user} back in?",
            explanation="Do this only when the person has asked for it. It is recorded as done by staff, with the "
            "time. An opt-out by your own servers stays.",
            button="Opt back in",
            danger=False,
        )

    def _ask(
        self, request: HttpRequest, end_user: EndUser, *, title: str, explanation: str, button: str, danger: bool
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "original": end_user,
            "explanation": explanation,
            "button": button,
            "danger": danger,
            "back": _profile(end_user),
        }
        return TemplateResponse(request, "shared/confirm.html", context)


def _profile(end_user: EndUser) -> str:
    return f"{reverse('admin:devices_enduser_change', args=[end_user.pk])}#choices"
