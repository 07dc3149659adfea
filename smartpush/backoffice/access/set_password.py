"""The page behind a new colleague's link: they set their own password, once."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpResponse
from django.urls import reverse_lazy
from unfold.widgets import UnfoldAdminPasswordWidget


class NewPasswordForm(SetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class SetPassword(PasswordResetConfirmView):
    """Django keeps the token in the session and out of the address, so that no referrer tells it."""

    form_class = NewPasswordForm
    template_name = "backoffice/set_password.html"
    success_url = reverse_lazy("admin:login")
    title = "Set your password"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the admin site's own, which its layout takes its colours from."""
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}

    def form_valid(self, form: Any) -> HttpResponse:
        """Say what to do next: log in with it."""
        response = super().form_valid(form)
        messages.success(self.request, f"Your password is set. Log in as {form.user.get_username()}.")
        return response
