"""Staff login: password, and the authenticator app's code for those who have set one up."""

import math
from typing import Any

from django import forms
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import transaction
from django_otp import devices_for_user, user_has_device
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from smartpush.backoffice.access.known_browsers import browser_known_to
from smartpush.common.numbers import counted
from smartpush.common.time.clock import utc_now


class StaffLoginForm(AuthenticationForm):
    """Wrong passwords and wrong codes are counted by django-axes; a code is looked at after the right password only."""

    otp_token = forms.CharField(
        label="Code",
        required=False,
        max_length=16,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text="From your authenticator app, if you have set up two-step login.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        user = self.get_user()
        if user is None or not user_has_device(user, confirmed=True):
            return cleaned
        token = cleaned.get("otp_token", "").replace(" ", "")
        if not token:
            raise ValidationError(
                "Your account asks for a code: enter your password and the code of your authenticator app.",
                code="token_required",
            )
        device = self._device(user, token)
        if device is None:
            # Counted like a wrong password, so that a stolen password does not allow guessing the code.
            user_login_failed.send(__name__, credentials={"username": user.get_username()}, request=self.request)
            raise ValidationError(
                "This code does not fit. Enter your password and the newest code of your authenticator app.",
                code="invalid_token",
            )
        user.otp_device = device  # django-otp marks the session as verified when Django logs the user in
        return cleaned

    def _device(self, user: Any, token: str) -> TOTPDevice | None:
        """The device whose code it is; raises ValidationError while wrong codes make the account wait.

        That wait is the account's. In a browser that the account has used before it does not hold, so that somebody
        who has stolen the password cannot keep its owner out.
        """
        known = browser_known_to(self.request, user.get_username()) is not None
        with transaction.atomic():
            devices = list(devices_for_user(user, for_verify=True))
            if known:
                for device in devices:
                    device.throttle_reset(commit=False)
            waits = [code_wait(device) for device in devices]
            for device, wait in zip(devices, waits, strict=True):
                if not wait and device.verify_token(token):
                    return device
        if all(waits):
            raise ValidationError(code_wait_words(min(waits)), code="wait")
        return None


def code_wait(device: TOTPDevice) -> int:
    """Seconds until the device takes a code again after wrong ones; 0 when it does."""
    allowed, why = device.verify_is_allowed()
    if allowed:
        return 0
    until = (why or {}).get("locked_until")
    return max(1, math.ceil((until - utc_now()).total_seconds())) if until is not None else 1


def code_wait_words(seconds: int) -> str:
    """Say how long codes are not looked at, and what to do then."""
    number, unit = (seconds, "second") if seconds < 120 else (math.ceil(seconds / 60), "minute")
    length = counted(number=number, one=unit)
    return f"Too many wrong codes: none is looked at for {length}. Wait, then enter the newest one."
