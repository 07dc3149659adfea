"""Who is in a watched segment, and each time that somebody entered or left it.

The tables keep the names that their first release gave them (docs/glossary.md).
"""

from django.db import models
from django.db.models import Q

from devices.models import EndUser
from segments.models.segments import Segment


class SegmentMembership(models.Model):
    """Whether one end user is in one watched segment.

    `epoch` counts how often they have entered; 0 for people who were in it when the watching began.
    """

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    inside = models.BooleanField()
    epoch = models.IntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "segments_presence"
        constraints = [models.UniqueConstraint(fields=["segment", "end_user"], name="segments_presence_once")]

    def __str__(self) -> str:
        return f"{self.end_user_id} {'in' if self.inside else 'out of'} {self.segment_id}"


class MembershipChange(models.Model):
    """One end user entered or left one watched segment: at most once each in an epoch."""

    class Kind(models.TextChoices):
        ENTERED = "entered", "Entered"
        LEFT = "left", "Left"

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    epoch = models.IntegerField()
    kind = models.CharField(max_length=8, choices=Kind)
    at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True, help_text="When campaigns were told of it.")

    class Meta:
        db_table = "segments_passage"
        constraints = [
            models.UniqueConstraint(fields=["segment", "end_user", "epoch", "kind"], name="segments_passage_once"),
            models.CheckConstraint(condition=Q(kind__in=["entered", "left"]), name="segments_passage_kind"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(taken_at__isnull=True), name="segments_passage_untaken"),
            models.Index(fields=["segment", "at"], name="segments_passage_when"),
        ]

    def __str__(self) -> str:
        return f"{self.end_user_id} {self.kind} {self.segment_id}"
