"""A segment: a named selection of end users."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from devices.models import Brand


class Segment(models.Model):
    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", "Rules"
        IMPORTED = "imported", "Imported list"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DYNAMIC)
    rules = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "name"], name="segments_segment_name"),
            models.CheckConstraint(condition=Q(kind__in=["dynamic", "imported"]), name="segments_segment_kind"),
        ]

    def __str__(self) -> str:
        return self.name
