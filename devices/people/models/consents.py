"""What end users were asked and what they answered, and the categories that they can tick."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, Upper
from simple_history.models import HistoricalRecords

from devices.brands.models.brands import Brand


class PushCategory(models.Model):
    """Something that an end user can choose to hear about; the choice is kept as a JS marker."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="push_categories")
    marker = models.CharField(max_length=64, help_text="The JS marker that a tick sets, such as SPORTS.")
    name = models.CharField(max_length=120, help_text="What end users read, in the brand's default language.")
    description = models.CharField(max_length=200, blank=True)
    translations = models.JSONField(default=dict, blank=True, help_text='{"el": {"name": "...", "description": "..."}}')
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "push categories"
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "marker"],
                name="devices_pushcategory_marker",
                violation_error_message=(
                    "The brand has a category with this marker already, perhaps an archived one. Choose another marker."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(marker="") & ~Q(name=""),
                name="devices_pushcategory_filled",
                violation_error_message="A category needs a name and a marker. Give both.",
            ),
            models.CheckConstraint(
                condition=Q(marker=Upper("marker")),
                name="devices_pushcategory_marker_upper",
                violation_error_message="Markers are written in capital letters. Write it so.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ConsentRecord(models.Model):
    """One answer of an end user, as proof: only ever inserted."""

    class Subject(models.TextChoices):
        TRACKING = "tracking", "Use of the site with smartpush"
        POPUP = "popup", "A popup"
        PREFERENCES = "preferences", "Preferences"
        OPT_OUT = "opt_out", "Opt-out"
        NEVER_CONTACT = "never_contact", "Never contact"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    end_user_id = models.BigIntegerField()
    device_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=16, choices=Subject)
    answer = models.CharField(max_length=16, help_text="given, withdrawn, or a popup's outcome.")
    by = models.CharField(max_length=16, default="end_user", help_text="end_user, staff or platform.")
    popup_revision_id = models.BigIntegerField(null=True)
    offer_id = models.BigIntegerField(null=True)
    language = models.CharField(max_length=16, blank=True)
    origin = models.CharField(max_length=255, blank=True)
    markers = ArrayField(models.CharField(max_length=64), default=list)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(subject__in=["tracking", "popup", "preferences", "opt_out", "never_contact"]),
                name="devices_consentrecord_subjects",
            ),
            models.CheckConstraint(
                condition=Q(by__in=["end_user", "staff", "platform"]), name="devices_consentrecord_by"
            ),
        ]
        indexes = [
            models.Index(fields=["end_user_id", "-at"], name="devices_consentrecord_user"),
            models.Index(fields=["brand", "-at", "-id"], name="devices_consentrecord_brand"),
        ]

    def __str__(self) -> str:
        return f"{self.get_subject_display()}: {self.answer}"
