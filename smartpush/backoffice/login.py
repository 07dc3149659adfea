"""Staff login: password, and the authenticator app's code for those who have set one up."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django_otp import match_token, user_has_device
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget


class StaffLoginForm(AuthenticationForm):
    """Wrong passwords are counted by django-axes, wrong codes by the OTP device's own throttle."""

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
        device = match_token(user, token)
        if device is None:
            raise ValidationError(
                "This code does not fit. Enter your password and the newest code of your authenticator app.",
                code="invalid_token",
            )
        user.otp_device = device  # django-otp marks the session as verified when Django logs the user in
        return cleaned
