"""Websites and native apps of a brand: archived when they are no longer used, with their devices kept.

A native app's Firebase key file goes in and never comes out again.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget

from devices.admin.archiving import ArchivedFilter
from devices.admin.checking import CheckingAdmin
from devices.admin.deleting import Asks, Named, Question, question_page
from devices.admin.forms import AppForm
from devices.brands.selectors.staff import Role
from devices.delivery.push_services.budgets import NATIVE_ORIGIN
from devices.delivery.services.fcm_accounts import app_credentials_check, app_credentials_remove, app_credentials_set
from devices.delivery.transports.fcm.credentials import MAX_FILE
from devices.delivery.transports.fcm.key_files import CredentialsRefused, key_file_text
from devices.installations.apps import DeviceNumbers, app_devices
from devices.installations.archiving import app_archive, app_restore, tokens_follow
from devices.installations.tokens import native_origin
from devices.models import App, Device, SendBudget
from smartpush.common.addresses.origins import LOCAL_ORIGIN
from smartpush.common.time.clock import utc_now

_ADDRESS = ["kind", "name", "origin", "bundle_id"]


def _moment(at: datetime) -> str:
    return date_format(timezone.localtime(at), "j M, H:i")


class NativeAppForm(AppForm):
    key_file = forms.FileField(
        label="Firebase key file",
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".json,application/json"}),
        help_text="Firebase console, Project settings, Service accounts, Generate new private key. It is kept "
        "encrypted and never shown again; another file replaces it.",
    )

    class Meta(AppForm.Meta):
        fields = [*AppForm.Meta.fields, "android_channel_id", "android_icon", "sound"]
        help_texts = {
            "android_channel_id": "The id of a notification channel that the app makes. Empty: its default one.",
            "android_icon": "Name of a drawable inside the app. Empty: its default one.",
            "sound": "The word default, or a sound file inside the app. Empty: no sound.",
        }

    def clean_key_file(self) -> str:
        """The text of the file, checked as far as that can be done without asking Google."""
        upload = self.cleaned_data.get("key_file")
        if not upload:
            return ""
        try:
            text = key_file_text(upload.read(2 * MAX_FILE + 1))  # UTF-16 has two bytes a character
            app_credentials_check(text=text)
        except CredentialsRefused as refusal:
            raise ValidationError(str(refusal)) from None
        return text


@admin.register(App)
class AppAdmin(CheckingAdmin):
    form = AppForm
    add_role = Role.ADMIN
    change_role = Role.ADMIN
    delete_role = Role.ADMIN
    archive_role = Role.ADMIN
    deleting = Asks(
        bars=(Named(Device, "device", "devices"),),
        instead="Devices have used it, and they and their push statuses would go with it. Archive it instead:"
        " nothing is sent to it then, and it can be restored.",
        typed=True,
        means="No device has used it. A page or an app that carries its address or key is refused from then on.",
    )
    list_display = ["name", "kind", "address", "pushes", "installation", "created_at"]
    search_fields = ["name", "origin", "bundle_id"]
    list_filter = [ArchivedFilter, "kind"]
    change_form_outer_before_template = "devices/app.html"

    @display(description="Origin or bundle id")
    def address(self, obj: App) -> str:
        return obj.origin or obj.bundle_id

    @display(description="Pushes", label={"Ready": "success", "No Firebase key": "warning", "Archived": "default"})
    def pushes(self, obj: App) -> str:
        if obj.archived_at is not None:
            return "Archived"
        return "Ready" if obj.kind == App.Kind.WEB or obj.fcm_credentials_encrypted else "No Firebase key"

    @display(description="Installation")
    def installation(self, obj: App) -> str:
        """A link to the page that checks it."""
        if obj.kind != App.Kind.WEB:
            return "–"
        return format_html('<a class="sp-link" href="{}">Check</a>', reverse("admin:devices_app_check", args=[obj.pk]))

    @display(description="Firebase project")
    def project(self, obj: App) -> str:
        return obj.fcm_project_id or "None: messages to this app wait until its key file is here."

    @display(description="Sending")
    def sending(self, obj: App) -> str:
        """What holds the app's messages, in words."""
        if obj.archived_at is not None:
            return "Nothing is sent: it is archived."
        origin, now = native_origin(obj.pk), utc_now()
        credentials = Q(sender=origin, origin=origin)
        project = Q(sender=f"fcm:{obj.fcm_project_id}", origin=NATIVE_ORIGIN)
        holds = SendBudget.objects.filter(credentials | project, brand_id=obj.brand_id, held_until__gt=now)
        hold = holds.exclude(kind=SendBudget.Kind.NONE).order_by("kind").first()
        if hold is None or hold.held_until is None:
            return "Nothing is held." if obj.fcm_credentials_encrypted else "Held: there is no key."
        until = _moment(hold.held_until)
        if hold.kind != SendBudget.Kind.BREAKER:
            return f"Firebase asked to slow down. Messages are held until {until}, or until they expire."
        if not obj.fcm_credentials_encrypted:
            return f"Held: there is no key. The next look is at {until}; a key file sends them at once."
        refused = "this key, or the APNs key in the Firebase project," if obj.kind == App.Kind.IOS else "this key"
        return (
            f"Held: Firebase refuses {refused} since {_moment(hold.since)}. The next try is at {until};"
            " another key file sends what waits at once. Messages that expire meanwhile are not sent."
        )

    # --- archiving ---
    def archive_row(self, row: App) -> str:
        found = app_devices(app=row)
        app_archive(app=row, now=utc_now())
        tokens_follow(now=utc_now())  # a small app is done at once; the ticker goes on with a large one
        return f"Archived, with {found.words}."

    def restore_row(self, row: App) -> str:
        found = app_devices(app=row)
        app_restore(app=row)
        tokens_follow(now=utc_now())
        return f"Restored, with {found.words}."

    def archive_numbers(self, row: App) -> tuple[str, ...]:
        return (app_devices(app=row).words,)

    def archive_words(self, row: App) -> str:
        if row.archived_at is not None:
            return (
                "Its calls are taken again, and messages go to its devices again. Those that have withdrawn their"
                " permission meanwhile are noticed at the next message or visit. It has:"
            )
        place = "page" if row.kind == App.Kind.WEB else "app"
        return (
            "Its devices stay, with their statuses and their history, but nothing is sent to them: messages that wait"
            f" for them end as suppressed. The {place} can no longer report visits and events, and clicks no longer"
            " lead to its address unless it is one of the brand's click hosts. You can restore it later. It has:"
        )

    def undeletable_context(self, request: HttpRequest, obj: App) -> Mapping[str, Any]:
        return self.instead_of_deleting(request, obj)

    def name_to_type(self, obj: App) -> str:
        return obj.name

    # --- the Firebase key ---
    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/remove-key/", wrap(self.remove_key_view), name="devices_app_remove_key"),
            *super().get_urls(),
        ]

    def remove_key_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask with the devices that would not be reached, then forget the key."""
        app: App = self.object_or_404(request, object_id)
        self.require_role(request, app, Role.ADMIN)
        back = reverse("admin:devices_app_change", args=[app.pk])
        if not app.fcm_credentials_encrypted:
            messages.info(request, "There is no Firebase key to remove.")
            return HttpResponseRedirect(back)
        found = app_devices(app=app)
        question = self._key_question(app, found, back)
        if request.method != "POST" or "seen" not in request.POST:
            return question_page(self, request, app, question)
        problem = question.answered(request)
        if problem:
            return question_page(self, request, app, replace(question, problem=problem), status=409)
        project = app.fcm_project_id
        app_credentials_remove(app=app)
        self.log_change(request, app, f"Removed the Firebase key of {project}, with {found.words}.")
        messages.warning(request, "The Firebase key is gone. Messages to this app wait.")
        return HttpResponseRedirect(back)

    def _key_question(self, app: App, found: DeviceNumbers, back: str) -> Question:
        return Question(
            title=f"Remove the Firebase key of “{app.name}”?",
            explanation="Messages to this app wait until there is another key, or expire. The key cannot be shown or"
            " brought back: you would make a new one in the Firebase console. It reaches:",
            button="Remove the key",
            back=back,
            numbers=(found.words,),
            seen=f"{found.devices},{found.reachable}",
            name=app.name,
        )

    # --- a website shows its origin, a native app what it needs to send ---
    def _is_native(self, obj: App | None) -> bool:
        return obj is not None and obj.kind != App.Kind.WEB

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = NativeAppForm if self._is_native(obj) else AppForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return []
        if self._is_native(obj):
            return ["kind", "app_key", "project", "fcm_client_email", "sending"]
        # The one that stands for developers' own machines is made and put away by the brand's switch.
        return ["kind", "origin"] if obj.origin == LOCAL_ORIGIN else ["kind"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": _ADDRESS})]
        if not self._is_native(obj):
            return [(None, {"fields": ["kind", "name", "origin"]})]
        shown = ["sound"] if obj.kind == App.Kind.IOS else ["android_channel_id", "android_icon", "sound"]
        has_key = bool(obj.fcm_credentials_encrypted)
        firebase = ["project", *(["fcm_client_email"] if has_key else []), "sending"]
        if self.has_change_permission(request, obj):
            firebase.append("key_file")
        return [
            (None, {"fields": ["kind", "name", "bundle_id", "app_key"]}),
            ("Firebase Cloud Messaging", {"fields": firebase}),
            ("How its notifications look and sound", {"fields": shown}),
        ]

    def save_model(self, request: HttpRequest, obj: App, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.cleaned_data.get("key_file"):
            app_credentials_set(app=obj, text=form.cleaned_data["key_file"], now=utc_now())
            self.message_user(request, "The Firebase key is kept. Messages that waited for it are on their way.")

    def response_add(self, request: HttpRequest, obj: App, post_url_continue: str | None = None) -> HttpResponse:
        """A native app's page is where its key is shown and its Firebase key goes."""
        if not self._is_native(obj):
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, "The app is here. Put its key into the app, and the Firebase key file below.")
        return HttpResponseRedirect(reverse("admin:devices_app_change", args=[obj.pk]))
