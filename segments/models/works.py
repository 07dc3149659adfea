"""Work that comes round for a segment: when it is due, who has it, how long it took and what it failed with."""

from django.db import models
from django.db.models import Q

from segments.models.segments import Segment


class SegmentWork(models.Model):
    """One kind of work for one segment. A job is only the doorbell: whoever takes the lease does what is due."""

    class Kind(models.TextChoices):
        SWEEP = "sweep", "Compare who is in it with who is kept as in it"
        SIZE = "size", "Compute its size"
        MARK = "mark", "Mark everybody in it never contact"

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="works", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind)
    due_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempt = models.IntegerField(default=0, db_default=0)
    done_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0, db_default=0, help_text="That it took when it was last done.")
    failure = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="Why it was not done when it was last tried."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["segment", "kind"], name="segments_segmentwork_once"),
            models.CheckConstraint(condition=Q(kind__in=["sweep", "size", "mark"]), name="segments_segmentwork_kinds"),
        ]
        indexes = [models.Index(fields=["due_at"], name="segments_segmentwork_due")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.segment_id}"
