"""Alerts for operators and marketers: one row from the beginning of a problem to its end."""

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, Now

from devices.brands.models.brands import Brand


class Incident(models.Model):
    """A problem of one kind with one subject, of one brand or of the whole installation; at most one is open."""

    class Kind(models.TextChoices):
        KEY_REFUSED = "key_refused", "A push service refuses our key"
        SERVICE_LIMITS = "service_limits", "A push service limits sending"
        SERVICE_SILENT = "service_silent", "A push service does not answer"
        SERVICE_FAILS = "service_fails", "A push service answers with errors"
        KEY_UNREADABLE = "key_unreadable", "A key cannot be decrypted"
        TEMPLATE_LIMIT = "template_limit", "A text is too costly to fill in"
        REDIS_AWAY = "redis_away", "Redis does not answer"

    brand = models.ForeignKey(
        Brand, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty: every brand."
    )
    kind = models.CharField(max_length=20, choices=Kind)
    subject = models.CharField(max_length=255, help_text="What it is about, such as the address of a push service.")
    detail = models.CharField(max_length=500, blank=True, default="", db_default="")
    count = models.BigIntegerField(default=1, db_default=1, help_text="How often it was noted.")
    since = models.DateTimeField()
    last_at = models.DateTimeField(help_text="When it was noted last.")
    until = models.DateTimeField(null=True, blank=True, help_text="When it was over; empty while it goes on.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Coalesce("brand", Value(0, output_field=models.BigIntegerField())),
                "kind",
                "subject",
                condition=Q(until__isnull=True),
                name="devices_incident_one_open",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        "key_refused",
                        "service_limits",
                        "service_silent",
                        "service_fails",
                        "key_unreadable",
                        "template_limit",
                        "redis_away",
                    ]
                ),
                name="devices_incident_kind",
            ),
        ]
        indexes = [models.Index(fields=["brand", "-since"], name="devices_incident_brand")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"
