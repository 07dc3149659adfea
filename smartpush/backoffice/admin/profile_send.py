"""Send a push from an end user's profile: which one, and to which kind of devices."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from assets.admin.seen import SeenRevisionForm
from assets.models import PushResource
from assets.services import CannotSendTest, push_profile_send
from devices.admin.base import BrandScopedAdmin
from devices.brands.selectors.staff import Role
from devices.models import Brand, EndUser, TargetDevices
from smartpush.common.numbers import counted
from smartpush.common.time.clock import utc_now


class SendForm(SeenRevisionForm):
    push = forms.ModelChoiceField(
        queryset=PushResource.objects.none(),
        widget=UnfoldAdminSelectWidget(),
        empty_label="Choose a push",
        help_text="Its saved revision is sent, personalised for them.",
    )
    target_devices = forms.ChoiceField(
        label="To",
        choices=TargetDevices.choices,
        initial=TargetDevices.ALL,
        widget=UnfoldAdminRadioSelectWidget(),
    )

    def __init__(self, *args: Any, brand: Brand, preferred: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pushes = PushResource.objects.filter(brand=brand, archived_at=None, current_revision__isnull=False)
        self.fields["push"].queryset = pushes.select_related("current_revision")  # type: ignore[attr-defined]
        self.newest_of(brand)
        if preferred != TargetDevices.ALL:
            label = TargetDevices(preferred).label
            self.fields[
                "target_devices"
            ].help_text = f"Their profile says “{label}”: a message goes only where both agree."


class ProfileSend(BrandScopedAdmin):
    """The button on the profile page and the page behind it."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.send_view)
        return [path("<path:object_id>/send/", view, name="devices_enduser_send"), *super().get_urls()]

    def send_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a push and the kind of devices, then send."""
        end_user: EndUser = self.object_or_404(request, object_id)
        self.require_role(request, end_user, Role.PUBLISHER)
        profile = reverse("admin:devices_enduser_change", args=[end_user.pk])
        form = SendForm(
            request.POST if request.method == "POST" else None,
            brand=end_user.brand,
            preferred=end_user.target_devices,
        )
        if form.is_valid() and form.seen_check(form.cleaned_data["push"]):
            push: PushResource = form.cleaned_data["push"]
            assert push.current_revision is not None  # the choices are filtered by it
            try:
                made = push_profile_send(
                    revision=push.current_revision,
                    end_user=end_user,
                    target_devices=form.cleaned_data["target_devices"],
                    by=request.user,  # type: ignore[arg-type]
                    now=utc_now(),
                )
            except CannotSendTest as refusal:
                form.add_error(None, str(refusal))
            else:
                devices = counted(number=len(made), one="device")
                messages.success(request, f"“{push}” is on its way to {devices} of {end_user}.")
                return HttpResponseRedirect(f"{profile}#timeline")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": end_user,
            "title": f"Send a push to {end_user}",
            "explanation": "It counts as marketing: opt-outs, quiet hours and frequency caps hold.",
            "form": form,
            "button": "Send",
            "back": profile,
        }
        return TemplateResponse(request, "backoffice/form_page.html", context)
