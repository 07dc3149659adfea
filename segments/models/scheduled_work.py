"""Recurring work for a segment: when it is due, who holds its lease, how long it took, and its last failure."""

from django.db import models
from django.db.models import Q

from segments.models.segments import Segment


class SegmentWork(models.Model):
    """One kind of work for one segment. A job only notifies a worker: the worker that takes the lease does the work."""

    class Kind(models.TextChoices):
        SWEEP = "sweep", "Compare who is in it with who is kept as in it"
        SIZE = "size", "Compute its size"
        MARK = "mark", "Mark everybody in it never contact"

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="works", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    due_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True, db_column="rung_at")
    leased_until = models.DateTimeField(null=True)
    attempt = models.IntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0, db_default=0, help_text="How long it took the last time.")
    failure = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="Why the last attempt failed."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "kind"], name="segments_segmentwork_once"),
            models.CheckConstraint(condition=Q(kind__in=["sweep", "size", "mark"]), name="segments_segmentwork_kinds"),
        ]
        indexes = [models.Index(fields=["due_at"], name="segments_segmentwork_due")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.segment_id}"
