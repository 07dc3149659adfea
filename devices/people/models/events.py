"""What end users did. Partitioned by the day of the event; created in SQL by the first migration."""

from django.db import models
from django.db.models.functions import Now

from devices.brands.models.brands import Brand
from devices.people.models.end_users import EndUser


class Event(models.Model):
    """Real key (id, day): Django is told of `id` alone (docs/adr/0005)."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    end_user = models.ForeignKey(
        EndUser, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    device_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=64)
    properties = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["end_user", "name", "occurred_at"], name="devices_event_user"),
            # Who it was stands in it too: segments count by end user without a look at the rows.
            models.Index(fields=["brand", "name", "occurred_at"], include=["end_user"], name="devices_event_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.occurred_at:%Y-%m-%d %H:%M}"


class IdempotencyKey(models.Model):
    """A caller's own id for a thing, kept for a lifetime so that a replay has one effect."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    scope = models.CharField(max_length=16)
    key = models.CharField(max_length=128)
    request_hash = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="SHA-256 of the request that used it first."
    )
    response = models.JSONField(null=True, help_text="What that request was answered: its replays get the same.")
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "scope", "key"], name="devices_idempotencykey_once")]

    def __str__(self) -> str:
        return f"{self.scope}:{self.key}"


class PropertyDefinition(models.Model):
    """The type of a custom property, taken from its first value: later values must agree."""

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        BOOLEAN = "boolean", "Yes or no"
        DATE = "date", "Date and time"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=64)
    type = models.CharField(max_length=8, choices=Type)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "name"], name="devices_propertydefinition_once"),
            models.CheckConstraint(
                condition=models.Q(type__in=["text", "number", "boolean", "date"]),
                name="devices_propertydefinition_type",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_type_display()})"
