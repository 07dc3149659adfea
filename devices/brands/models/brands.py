"""A brand: a site or app family with its own keys, origins and limits; everything else belongs to one."""

import secrets
import zoneinfo
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from smartpush.common.addresses.origins import normal_origin

ORIGIN_WORDS = "Type an exact origin such as https://www.example.com: scheme and host, no path and no wildcard."


def new_public_key() -> str:
    """The key that pages show; it identifies the brand and grants nothing by itself."""
    return "pk_" + secrets.token_urlsafe(18)


TIME_ZONES = frozenset(zoneinfo.available_timezones())


def new_app_key() -> str:
    """The key inside a native app; like the brand's, it grants nothing by itself."""
    return "ak_" + secrets.token_urlsafe(18)


def validate_time_zone(value: str) -> None:
    """An unknown zone would abort a set statement later, so it is refused when written."""
    if value not in TIME_ZONES:
        raise ValidationError(f"{value!r} is not a time zone such as Europe/Athens.")


class Brand(models.Model):
    """A site or a family of apps with keys, origins and limits of its own; everything below belongs to one."""

    class IdentityMode(models.TextChoices):
        OFF = "off", "Off: page code is trusted"
        OBSERVE = "observe", "Observe: tokens are checked, failures only counted"
        ENFORCE = "enforce", "Enforce: only proven identities"

    class LogoutPolicy(models.TextChoices):
        KEEP = "keep", "Keep sending to who logged out"
        STOP = "stop", "Stop pushes at logout"

    class QuietPolicy(models.TextChoices):
        WAIT = "wait", "Wait: send when quiet hours end"
        SKIP = "skip", "Skip: do not send what falls into quiet hours"
        IGNORE = "ignore", "Ignore quiet hours"

    name = models.CharField(max_length=120)
    public_key = models.CharField(max_length=64, unique=True, default=new_public_key, editable=False)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    default_language = models.CharField(max_length=16, default="en")
    identity_mode = models.CharField(max_length=8, choices=IdentityMode, default=IdentityMode.OFF)
    logout_policy = models.CharField(max_length=8, choices=LogoutPolicy, default=LogoutPolicy.KEEP)
    click_hosts = ArrayField(
        models.CharField(max_length=253),
        default=list,
        blank=True,
        help_text="Hosts that a click may lead to, besides the brand's own web origins. One per line.",
    )
    session_minutes = models.PositiveSmallIntegerField(
        default=30,
        help_text="A page load this long after the last one begins a new session (0: every page load does).",
    )
    default_icon_url = models.URLField(max_length=500, blank=True)
    quiet_from = models.TimeField(
        "quiet hours from", null=True, blank=True, help_text="In each end user's own time zone, such as 21:00."
    )
    quiet_until = models.TimeField("quiet hours until", null=True, blank=True, help_text="Such as 08:00.")
    quiet_policy = models.CharField(
        "in quiet hours",
        max_length=8,
        choices=QuietPolicy,
        default=QuietPolicy.WAIT,
        db_default="wait",
        help_text="For marketing messages. Operational messages are sent at any hour.",
    )
    operational_ignores_opt_out = models.BooleanField(
        "operational messages reach those who opted out",
        default=False,
        db_default=False,
        help_text="For messages that an end user must get, such as a security alert. Marketing never does.",
    )
    local_pages = models.BooleanField(
        "pages on developers' own machines",
        default=False,
        db_default=False,
        help_text="Pages at http://localhost and http://127.0.0.1, on any port, may use this brand. Browsers allow push"
        " there. Never on a production server.",
    )
    sending_stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    noticed = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether changes of its end users are queued: while it has a watched segment.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["noticed"])

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["id"], condition=Q(noticed=True), name="devices_brand_noticed")]
        constraints = [
            models.CheckConstraint(
                condition=Q(identity_mode__in=["off", "observe", "enforce"]),
                name="devices_brand_identity_mode",
            ),
            models.CheckConstraint(condition=Q(logout_policy__in=["keep", "stop"]), name="devices_brand_logout_policy"),
            models.CheckConstraint(
                condition=Q(quiet_policy__in=["wait", "skip", "ignore"]), name="devices_brand_quiet_policy"
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=models.F("quiet_until"))),
                name="devices_brand_quiet_hours",
                violation_error_message="Quiet hours need a beginning and another end; leave both empty for none.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BrandMembership(models.Model):
    """Which staff work for which brand, and what they may do there."""

    class Role(models.TextChoices):
        VIEWER = "viewer", "Viewer: sees everything"
        EDITOR = "editor", "Editor: writes content, segments and drafts"
        PUBLISHER = "publisher", "Publisher: activates and sends"
        ADMIN = "admin", "Admin: brand settings and staff"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="brand_memberships")
    role = models.CharField(max_length=12, choices=Role, default=Role.VIEWER)
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "user"],
                name="devices_brandmembership_once",
                violation_error_message="This person works for the brand already. Change their role instead.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["viewer", "editor", "publisher", "admin"]),
                name="devices_brandmembership_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.brand}: {self.role}"


class App(models.Model):
    """One client of a brand: a web origin, or an Android or iOS app."""

    class Kind(models.TextChoices):
        WEB = "web", "Website"
        ANDROID = "android", "Android app"
        IOS = "ios", "iOS app"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="apps")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.WEB)
    name = models.CharField(max_length=120)
    origin = models.CharField(
        max_length=255, blank=True, help_text="Exact origin of a website, such as https://www.example.com"
    )
    bundle_id = models.CharField(max_length=255, blank=True, help_text="Of a native app, such as com.example.shop")
    app_key = models.CharField(
        max_length=64,
        null=True,
        blank=True,
        unique=True,
        editable=False,
        help_text="What a native app identifies with.",
    )
    fcm_project_id = models.CharField("FCM project", max_length=100, blank=True, editable=False)
    fcm_client_email = models.CharField("FCM service account", max_length=255, blank=True, editable=False)
    fcm_credentials_encrypted = models.TextField(blank=True, editable=False)
    android_channel_id = models.CharField("Android channel", max_length=64, blank=True)
    android_icon = models.CharField(
        "Android small icon", max_length=64, blank=True, help_text="Name of a drawable inside the app."
    )
    sound = models.CharField(max_length=64, blank=True, help_text='"default", or a sound file inside the app.')
    archived_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when nothing is taken from it or sent to it."
    )
    tokens_pending = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether its devices' tokens are still being set aside, or taken back, after archiving or restoring.",
    )
    tokens_upto = models.BigIntegerField(
        default=0, db_default=0, editable=False, help_text="The id of the last device that was looked at for it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["id"], condition=Q(tokens_pending=True), name="devices_app_pending")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["web", "android", "ios"]), name="devices_app_kind"),
            models.CheckConstraint(
                condition=(Q(kind="web") & ~Q(origin="") & Q(bundle_id=""))
                | (~Q(kind="web") & Q(origin="") & ~Q(bundle_id="")),
                name="devices_app_address",
                violation_error_message="A website has an origin; a native app has a bundle id.",
            ),
            models.UniqueConstraint(
                fields=["brand", "origin"],
                condition=~Q(origin=""),
                name="devices_app_origin",
                violation_error_message=(
                    "The brand has a website with this origin already, perhaps an archived one. "
                    "Give another origin, or change that website."
                ),
            ),
            models.UniqueConstraint(
                fields=["brand", "kind", "bundle_id"],
                condition=~Q(bundle_id=""),
                name="devices_app_bundle_id",
                violation_error_message=(
                    "The brand has an app with this bundle id already, perhaps an archived one. "
                    "Give another bundle id, or change that app."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()}{', archived' if self.archived_at else ''})"

    def clean(self) -> None:
        """Keep an origin in the one spelling that browsers send, whichever page or command writes it."""
        super().clean()
        if self.origin:
            origin = normal_origin(self.origin)
            if origin is None:
                raise ValidationError({"origin": ORIGIN_WORDS})
            self.origin = origin

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A native app gets its key with its first writing, whichever page or command writes it."""
        if self._state.adding and self.kind != self.Kind.WEB and not self.app_key:
            self.app_key = new_app_key()
        super().save(*args, **kwargs)


class VapidKey(models.Model):
    """A brand's application server key pair (RFC 8292); old ones keep signing for the subscriptions made with them."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="vapid_keys")
    public_key = models.CharField(max_length=100, unique=True)
    private_key_encrypted = models.TextField()
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "VAPID key"
        verbose_name_plural = "VAPID keys"
        constraints = [
            models.UniqueConstraint(
                fields=["brand"],
                condition=Q(active=True),
                name="devices_vapidkey_one_active",
                violation_error_message="The brand has an active key already. Create a new one instead.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.public_key[:12]}… of {self.brand}"
