"""Two-step login for oneself: add an authenticator app (TOTP, RFC 6238), or take it away."""

import base64
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django_otp import login as otp_login
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import UnfoldAdminTextInputWidget

from smartpush.backoffice.access.login import code_wait, code_wait_words


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=8,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text="Six digits, from the app.",
    )


def two_step(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """The page: a new key until it is confirmed by a code; afterwards only the way to remove it, by a code too."""
    user: Any = request.user
    device = TOTPDevice.objects.filter(user=user).order_by("-confirmed", "-pk").first()
    if device is None:
        device = TOTPDevice.objects.create(user=user, name="Authenticator app", confirmed=False)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        problem = _changed(request, device, form.cleaned_data["code"].replace(" ", ""))
        if not problem:
            return HttpResponseRedirect(request.path)
        form.add_error("code", problem)
    secret = base64.b32encode(device.bin_key).decode().rstrip("=") if not device.confirmed else ""
    return render(
        request,
        "backoffice/two_step.html",
        {
            **context,
            "title": "Two-step login",
            "form": form,
            "device": device,
            "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            "otpauth_url": device.config_url if not device.confirmed else "",
        },
    )


@transaction.atomic
def _changed(request: HttpRequest, device: TOTPDevice, code: str) -> str:
    """Switch two-step login on or off; returns why not, empty when done."""
    locked = TOTPDevice.objects.select_for_update().get(pk=device.pk)
    if wait := code_wait(locked):
        return code_wait_words(wait)
    if not locked.verify_token(code):
        return "This code does not fit; use the newest one."
    if locked.confirmed:
        locked.delete()
        messages.success(request, "Two-step login is off.")
    else:
        locked.confirmed = True
        locked.save(update_fields=["confirmed"])
        otp_login(request, locked)
        messages.success(request, "Two-step login is on: the next login asks for a code.")
    return ""
