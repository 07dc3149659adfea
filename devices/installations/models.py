"""Devices, the status of each (end user, device) pair, and who held a token when."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from devices.brands.models.brands import App, Brand, VapidKey
from devices.people.models.end_users import EndUser, Status
from devices.people.models.languages import CanonicalLanguageField

_STATUSES = ["ask", "allowed", "blocked", "not_supported", "suspended"]


class Device(models.Model):
    """One browser profile or one app installation.

    `holder` is who identified last here: pushes to this device are theirs. `session_end_user` is whose session it is
    now; after logout that is an anonymous visitor while the token stays with the holder.
    """

    class Platform(models.TextChoices):
        WEB = "web", "Web"
        ANDROID = "android", "Android"
        IOS = "ios", "iOS"

    class Browser(models.TextChoices):
        CHROME = "chrome", "Chrome"
        FIREFOX = "firefox", "Firefox"
        EDGE = "edge", "Edge"
        OPERA = "opera", "Opera"
        SAMSUNG = "samsung", "Samsung Internet"
        SAFARI = "safari", "Safari"
        OTHER = "other", "Other"

    class FormFactor(models.TextChoices):
        DESKTOP = "desktop", "Desktop"
        MOBILE = "mobile", "Mobile"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    session_end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="session_devices")
    holder = models.ForeignKey(EndUser, on_delete=models.CASCADE, null=True, blank=True, related_name="devices")
    secret_hash = models.CharField(max_length=64, help_text="SHA-256 of the installation's secret.")
    platform = models.CharField(max_length=8, choices=Platform)
    browser = models.CharField(max_length=8, choices=Browser, blank=True)
    browser_version = models.CharField(max_length=32, blank=True)
    os = models.CharField(max_length=16, blank=True)
    form_factor = models.CharField(max_length=8, choices=FormFactor, blank=True)
    language = models.CharField(max_length=16, blank=True)
    language_canonical = CanonicalLanguageField()
    time_zone = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    os_version = models.CharField(max_length=32, blank=True, db_default="")
    app_version = models.CharField(max_length=32, blank=True, db_default="")
    model = models.CharField(max_length=64, blank=True, db_default="")
    native_token = models.TextField(blank=True, db_default="", help_text="Native: the FCM registration token.")
    endpoint = models.TextField(blank=True, help_text="Web: the push service's URL. Native: empty.")
    endpoint_origin = models.CharField(max_length=255, blank=True)
    p256dh = models.BinaryField(null=True, blank=True, max_length=65)
    auth = models.BinaryField(null=True, blank=True, max_length=16)
    token_hash = models.CharField(
        max_length=64,
        null=True,
        blank=True,
        help_text="SHA-256 of the endpoint or FCM token; null when dead.",
    )
    token_at = models.DateTimeField(null=True, blank=True)
    vapid_key = models.ForeignKey(VapidKey, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    unreachable_reason = models.CharField(max_length=32, blank=True)
    unreachable_at = models.DateTimeField(null=True, blank=True)
    needs_rekey = models.BooleanField(default=False, db_default=False)
    identity_proven_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when the last identity token proves who is in session here."
    )
    identity_key_id = models.BigIntegerField(null=True, blank=True, help_text="The key that the token was signed with.")
    last_seen_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "token_hash"],
                condition=Q(token_hash__isnull=False),
                name="devices_device_live_token",
            ),
            models.CheckConstraint(
                condition=Q(token_hash__isnull=True) | Q(holder__isnull=False),
                name="devices_device_token_has_holder",
            ),
            models.CheckConstraint(condition=Q(platform__in=["web", "android", "ios"]), name="devices_device_platform"),
            models.CheckConstraint(
                condition=Q(browser__in=["", "chrome", "firefox", "edge", "opera", "samsung", "safari", "other"]),
                name="devices_device_browser",
            ),
            models.CheckConstraint(
                condition=Q(form_factor__in=["", "desktop", "mobile"]), name="devices_device_form_factor"
            ),
            models.CheckConstraint(
                condition=Q(token_hash__isnull=True)
                | ~Q(platform="web")
                | (~Q(endpoint="") & Q(p256dh__isnull=False) & Q(auth__isnull=False) & Q(vapid_key__isnull=False)),
                name="devices_device_web_token_whole",
            ),
            models.CheckConstraint(
                condition=Q(token_hash__isnull=True) | Q(platform="web") | ~Q(native_token=""),
                name="devices_device_native_token_whole",
            ),
        ]
        indexes = [
            # Segments are answered from the first, the last and the one of push statuses, without the wide rows.
            models.Index(
                fields=["holder", "id"],
                include=["platform"],
                condition=Q(token_hash__isnull=False),
                name="devices_device_reachable",
            ),
            # The newest subscriber of a website, which the check of an installation asks for every four seconds.
            models.Index(
                fields=["app", "-token_at", "-id"],
                condition=Q(token_hash__isnull=False, token_at__isnull=False),
                name="devices_device_subscribed",
            ),
            models.Index(
                fields=["brand", "platform"],
                include=["holder", "session_end_user", "browser", "os", "form_factor"],
                name="devices_device_platform_idx",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_browser_display() or self.get_platform_display()} {self.browser_version}".strip()


class PushStatus(models.Model):
    """The state of one (end user, device) pair; at most one pair of a device is allowed."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="push_statuses")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="push_statuses")
    status = models.CharField(max_length=16, choices=Status, default=Status.ASK)
    reason = models.CharField(max_length=32, blank=True)
    since = models.DateTimeField()
    reported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["end_user", "device"], name="devices_pushstatus_pair"),
            models.UniqueConstraint(
                fields=["device"], condition=Q(status="allowed"), name="devices_pushstatus_one_allowed"
            ),
            models.CheckConstraint(condition=Q(status__in=_STATUSES), name="devices_pushstatus_status"),
        ]
        indexes = [models.Index(fields=["brand", "status", "end_user", "device"], name="devices_pushstatus_status_idx")]

    def __str__(self) -> str:
        return self.get_status_display()


class PushStatusChange(models.Model):
    """The history of a pair: one row a change."""

    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="+")
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    old = models.CharField(max_length=16, choices=Status, blank=True)
    new = models.CharField(max_length=16, choices=Status)
    reason = models.CharField(max_length=32, blank=True)
    cause = models.CharField(max_length=24)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(old__in=["", *_STATUSES]) & Q(new__in=_STATUSES), name="devices_pushstatuschange_statuses"
            )
        ]
        indexes = [models.Index(fields=["end_user", "-at"], name="devices_statuschange_user")]

    def __str__(self) -> str:
        return f"{self.old or 'new'} to {self.new}"


class TokenHolding(models.Model):
    """Who held which token when; closed rows are kept as evidence."""

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="+")
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    ended = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device"], condition=Q(until__isnull=True), name="devices_tokenholding_one_open"
            ),
        ]
        indexes = [models.Index(fields=["end_user", "-since"], name="devices_tokenholding_user")]

    def __str__(self) -> str:
        return f"{self.end_user} from {self.since}"
