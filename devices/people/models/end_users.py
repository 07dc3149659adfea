"""A person known by the brand's own external id, or an anonymous visitor before login."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from devices.brands.models.brands import Brand
from devices.people.models.languages import CanonicalLanguageField


class TargetDevices(models.TextChoices):
    ALL = "all", "All"
    WEB = "web", "Web"
    NATIVE = "native", "Native apps"


class Status(models.TextChoices):
    """The states of a push permission (PRODUCT, PushStatus)."""

    ASK = "ask", "Ask"
    ALLOWED = "allowed", "Allowed"
    BLOCKED = "blocked", "Blocked"
    NOT_SUPPORTED = "not_supported", "Browser Not Supported"
    SUSPENDED = "suspended", "Suspended"


BUCKETS = 1000


class EndUser(models.Model):
    """A person known by the brand's `external_id`, or an anonymous visitor before login."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=255, null=True, blank=True)
    language = models.CharField(max_length=16, blank=True)
    language_canonical = CanonicalLanguageField()
    time_zone = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    properties = models.JSONField(default=dict, blank=True)
    js_markers = ArrayField(models.CharField(max_length=64), default=list, db_default=[], blank=True)
    external_markers = ArrayField(models.CharField(max_length=64), default=list, db_default=[], blank=True)
    backoffice_markers = ArrayField(models.CharField(max_length=64), default=list, db_default=[], blank=True)
    bucket = models.SmallIntegerField(
        help_text="0 to 999, a hash: for sampling, splits and sharded sweeps.", db_default=0
    )
    last_session_at = models.DateTimeField(null=True, blank=True)
    last_session_status = models.CharField(
        "push status of the last session", max_length=16, choices=Status, default=Status.ASK, db_default="ask"
    )
    last_session_device_id = models.BigIntegerField(null=True, blank=True)
    target_devices = models.CharField(max_length=8, choices=TargetDevices, default=TargetDevices.ALL, db_default="all")
    platform_opt_out = models.BooleanField(default=False, db_default=False)
    user_opt_out = models.BooleanField(default=False, db_default=False)
    never_contact = models.BooleanField(
        default=False,
        db_default=False,
        help_text="No message of any purpose and no popup reaches this person, and they enter no campaign.",
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "external_id"],
                condition=Q(external_id__isnull=False),
                name="devices_enduser_external_id",
                violation_error_message="The brand has an end user with this id already. Choose another id.",
            ),
            models.CheckConstraint(
                condition=Q(last_session_status__in=["ask", "allowed", "blocked", "not_supported", "suspended"]),
                name="devices_enduser_last_session_status",
            ),
            models.CheckConstraint(
                condition=Q(target_devices__in=["all", "web", "native"]),
                name="devices_enduser_target_devices",
            ),
            models.CheckConstraint(
                condition=Q(bucket__gte=0) & Q(bucket__lt=BUCKETS),
                name="devices_enduser_bucket",
                violation_error_message="The number of the control group is out of range. Leave it as it was.",
            ),
            models.CheckConstraint(
                condition=Q(external_id__isnull=True) | ~Q(external_id=""),
                name="devices_enduser_external_id_filled",
                violation_error_message="An id of an end user is not empty. Give one.",
            ),
        ]
        indexes = [
            models.Index(fields=["brand", "last_session_status", "id"], name="devices_enduser_status"),
            models.Index(fields=["brand", "bucket"], name="devices_enduser_bucket_idx"),
            models.Index(fields=["brand", "-last_session_at"], name="devices_enduser_last_seen"),
            # For "begins with", which a plain index serves only in the C collation.
            models.Index(
                F("brand"), OpClass(F("external_id"), name="varchar_pattern_ops"), name="devices_enduser_prefix"
            ),
            # Few people: counts leave them out, and the list shows them.
            models.Index(fields=["brand", "id"], condition=Q(never_contact=True), name="devices_enduser_never_contact"),
            # Those of Ask whom nobody can ask yet: people whom the brand's server named and who never came.
            models.Index(
                fields=["brand", "id"],
                condition=Q(last_session_status="ask", last_session_at__isnull=True),
                name="devices_enduser_never_visited",
            ),
            GinIndex(fields=["js_markers"], name="devices_enduser_js_markers"),
            GinIndex(fields=["external_markers"], name="devices_enduser_ext_markers"),
            GinIndex(fields=["backoffice_markers"], name="devices_enduser_bo_markers"),
        ]

    def __str__(self) -> str:
        return self.external_id or f"Visitor {self.pk}"

    @property
    def anonymous(self) -> bool:
        """True for a visitor who has not logged in."""
        return self.external_id is None
