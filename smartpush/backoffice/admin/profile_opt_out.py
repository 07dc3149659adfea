"""Opting somebody out of pushes from their profile, and back in; and marking them *never contact*."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from campaigns.models import Enrolment
from campaigns.services.never_contact import people_never_contact
from devices.admin.base import BrandScopedAdmin
from devices.brands.selectors.staff import Role, has_brand_role
from devices.lifecycle.preferences import OptedOutThemselves, opt_out_lift, opt_out_set
from devices.models import Delivery, EndUser
from devices.people.selectors.preferences import opt_out_is_own_word
from smartpush.common.numbers import counted
from smartpush.common.time.clock import utc_now

OWN_WORD = (
    "They opted out themselves. Only an admin of the brand may undo that, and only when the person has asked for it: "
    "ask one, or let the person change it on their preference page."
)


NEVER_NOTE = "Only an admin of the brand may allow contact again, and only when the person has asked for it."


class ProfileOptOut(BrandScopedAdmin):
    """The pages behind the profile's card of choices."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/opt-out/", wrap(self.opt_out_view), name="devices_enduser_opt_out"),
            path("<path:object_id>/opt-in/", wrap(self.opt_in_view), name="devices_enduser_opt_in"),
            path(
                "<path:object_id>/never-contact/", wrap(self.never_contact_view), name="devices_enduser_never_contact"
            ),
            path(
                "<path:object_id>/contact-again/", wrap(self.contact_again_view), name="devices_enduser_contact_again"
            ),
            *super().get_urls(),
        ]

    def opt_out_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then opt the end user out for them."""
        end_user = self._theirs(request, object_id, Role.EDITOR)
        if request.method == "POST":
            changed = opt_out_set(end_user_id=end_user.pk, opted_out=True, by="staff", now=utc_now())
            return self._done(
                request, end_user, changed, log="Opted out.", yes="is opted out", no="was opted out already"
            )
        return self.confirm_page(
            request,
            end_user,
            title=f"Opt {end_user} out?",
            explanation="They get no pushes any more on any device and no popups, except operational ones where the "
            "brand says so; a popup that is open is closed. It is recorded as done by staff, with the time.",
            button="Opt out",
            danger=True,
            back=_profile(end_user),
        )

    def opt_in_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then lift the opt-out; the end user's own is for admins."""
        end_user = self._theirs(request, object_id, Role.EDITOR)
        own_word_too = has_brand_role(request.user, end_user.brand_id, Role.ADMIN)
        if request.method == "POST":
            try:
                changed = opt_out_lift(end_user_id=end_user.pk, own_word_too=own_word_too, now=utc_now())
            except OptedOutThemselves:
                raise PermissionDenied(OWN_WORD) from None
            return self._done(
                request, end_user, changed, log="Opted back in.", yes="gets pushes again", no="was not opted out"
            )
        if not own_word_too and opt_out_is_own_word(end_user=end_user):
            raise PermissionDenied(OWN_WORD)
        return self.confirm_page(
            request,
            end_user,
            title=f"Opt {end_user} back in?",
            explanation="Do this only when the person has asked for it. It is recorded as done by staff, with the "
            "time. An opt-out by your own servers stays.",
            button="Opt back in",
            danger=False,
            back=_profile(end_user),
        )

    def never_contact_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, with what it ends; then mark the end user."""
        end_user = self._theirs(request, object_id, Role.EDITOR)
        if request.method == "POST":
            return self._marked(request, end_user, on=True)
        journeys = Enrolment.objects.filter(end_user=end_user, state=Enrolment.State.ACTIVE).count()
        waiting = Delivery.objects.filter(end_user=end_user, state=Delivery.State.READY).count()
        return self.confirm_page(
            request,
            end_user,
            title=f"Never contact {end_user}?",
            explanation="Nothing reaches them any more: no push of any purpose, operational ones and tests included, "
            "and no popup. They enter no campaign. This ends "
            f"{counted(number=journeys, one='open journey')} and cancels "
            f"{counted(number=waiting, one='waiting message')} for good. Only an admin of the "
            "brand, or your own server, can allow contact again. It is recorded as done by staff, with the time.",
            button="Never contact",
            danger=True,
            back=_profile(end_user),
        )

    def contact_again_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then take the mark away: for admins."""
        end_user = self._theirs(request, object_id, Role.ADMIN)
        if request.method == "POST":
            return self._marked(request, end_user, on=False)
        return self.confirm_page(
            request,
            end_user,
            title=f"Allow contact with {end_user} again?",
            explanation="Do this only when the person has asked for it. Journeys and messages that were ended do not "
            "come back, and opt-outs stay. It is recorded as done by staff, with the time.",
            button="Allow contact again",
            danger=False,
            back=_profile(end_user),
        )

    def _theirs(self, request: HttpRequest, object_id: str, role: Role) -> EndUser:
        end_user: EndUser = self.object_or_404(request, object_id)
        self.require_role(request, end_user, role)
        return end_user

    def _marked(self, request: HttpRequest, end_user: EndUser, *, on: bool) -> HttpResponse:
        changed = people_never_contact(
            brand_id=end_user.brand_id, end_user_ids=[end_user.pk], on=on, by="staff", now=utc_now()
        )
        log = "Marked never contact." if on else "Never contact lifted."
        done = "is marked never contact" if on else "may be contacted again"
        return self._done(request, end_user, bool(changed), log=log, yes=done, no=f"{done} already")

    def _done(
        self, request: HttpRequest, end_user: EndUser, changed: bool, *, log: str, yes: str, no: str
    ) -> HttpResponse:
        """Write it into the history where it changed something, say so, and go back to the profile."""
        if changed:
            self.log_change(request, end_user, log)
            messages.success(request, f"{end_user} {yes}.")
        else:
            messages.info(request, f"{end_user} {no}.")
        return HttpResponseRedirect(_profile(end_user))


def _profile(end_user: EndUser) -> str:
    return f"{reverse('admin:devices_enduser_change', args=[end_user.pk])}#choices"
