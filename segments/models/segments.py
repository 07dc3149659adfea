"""A segment: a named selection of end users."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from devices.models import Brand


class Segment(models.Model):
    """A named selection of end users: by rules, or an imported list."""

    class Kind(models.TextChoices):
        DYNAMIC = "dynamic", "Rules"
        IMPORTED = "imported", "Imported list"

    class Ready(models.TextChoices):
        """Which of the segments that every brand begins with."""

        PUSH_ENABLED = "push_enabled", "Push enabled"
        TO_ASK = "to_ask", "To be asked"
        ASKED_LATER = "asked_later", "Asked and later"
        BLOCKED = "blocked", "Blocked"
        SUSPENDED = "suspended", "Suspended"
        DORMANT = "dormant", "Dormant 30 days"
        NEW = "new", "New this week"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DYNAMIC)
    rules = models.JSONField(default=dict)
    ready = models.CharField(max_length=16, choices=Ready, blank=True, default="", db_default="", editable=False)
    watched = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Whether it is kept who enters and who leaves.",
    )
    size = models.IntegerField(null=True, editable=False, help_text="End users when it was last computed.")
    reachable = models.IntegerField(null=True, editable=False, help_text="Those of them whom a push reached then.")
    never_contact = models.IntegerField(
        null=True, editable=False, help_text="Those of them who were marked never contact then."
    )
    ask_visited = models.IntegerField(
        null=True, editable=False, help_text="Those of them who were at Ask then and had visited."
    )
    ask_never_visited = models.IntegerField(
        null=True, editable=False, help_text="Those of them who were at Ask then and had never visited."
    )
    sized_at = models.DateTimeField("last computed", null=True, editable=False)
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
            models.UniqueConstraint(
                fields=["brand", "name"],
                name="segments_segment_name",
                violation_error_message="The brand has a segment of this name already. Choose another name.",
            ),
            models.CheckConstraint(condition=Q(kind__in=["dynamic", "imported"]), name="segments_segment_kind"),
            models.UniqueConstraint(
                fields=["brand", "ready"], condition=~Q(ready=""), name="segments_segment_ready_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    ready__in=["", "push_enabled", "to_ask", "asked_later", "blocked", "suspended", "dormant", "new"]
                ),
                name="segments_segment_ready",
            ),
            models.CheckConstraint(
                condition=Q(size__isnull=True, reachable__isnull=True, sized_at__isnull=True)
                | Q(size__gte=0, reachable__gte=0, sized_at__isnull=False),
                name="segments_segment_sized",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentSize(models.Model):
    """How many it had: one point a day, the last one computed on it."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes")
    day = models.DateField(help_text="In the brand's time zone.")
    size = models.IntegerField()
    reachable = models.IntegerField(help_text="Those whom a push reached.")

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["segment", "day"], name="segments_segmentsize_once"),
            models.CheckConstraint(
                condition=Q(size__gte=0) & Q(reachable__gte=0) & Q(reachable__lte=models.F("size")),
                name="segments_segmentsize_counts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.size}"
