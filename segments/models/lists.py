"""Imported segments: their lists, and the files that filled them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from devices.models import EndUser
from segments.models.segments import Segment


class ListEntry(models.Model):
    """One end user in one imported segment. Written by set: no constraint in the database looks each one up."""

    segment = models.ForeignKey(
        Segment, on_delete=models.CASCADE, related_name="entries", db_constraint=False, db_index=False
    )
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="+", db_constraint=False)

    class Meta:
        verbose_name_plural = "list entries"
        constraints = [models.UniqueConstraint(fields=["segment", "end_user"], name="segments_listentry_once")]

    def __str__(self) -> str:
        return f"{self.end_user_id} in {self.segment_id}"


class SegmentImport(models.Model):
    """One file of external ids, from its upload to its report."""

    class Mode(models.TextChoices):
        ADD = "add", "Add these"
        REPLACE = "replace", "Replace the list by these"
        REMOVE = "remove", "Remove these"

    class State(models.TextChoices):
        RECEIVING = "receiving", "Being received"
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being matched"
        ASKING = "asking", "Waiting for a colleague's word"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN = (State.RECEIVING, State.WAITING, State.RUNNING, State.ASKING)

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="imports")
    mode = models.CharField(max_length=8, choices=Mode)
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVING)
    file_name = models.CharField(max_length=200, blank=True)
    asks = models.BooleanField(
        default=False, db_default=False, help_text="Whether the list changes only after somebody has seen the numbers."
    )
    lines = models.IntegerField(default=0, help_text="Ids in the file.")
    skipped = models.IntegerField(default=0, db_default=0, help_text="Lines that hold nothing that can be an id.")
    faults = models.JSONField(default=list, help_text="The first of those lines: their numbers and what is wrong.")
    done_lines = models.IntegerField(default=0, help_text="Those looked at so far.")
    repeated = models.IntegerField(default=0, help_text="Ids that stood in the file before.")
    unknown = models.IntegerField(default=0, help_text="Ids that no end user of the brand has.")
    added = models.IntegerField(default=0)
    removed = models.IntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)
    attempt = models.IntegerField(default=0, db_default=0, editable=False)
    leased_until = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(mode__in=["add", "replace", "remove"]), name="segments_segmentimport_mode"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["receiving", "waiting", "running", "asking", "done", "failed", "cancelled"]),
                name="segments_segmentimport_state",
            ),
            models.UniqueConstraint(
                fields=["segment"],
                condition=Q(state__in=["receiving", "waiting", "running", "asking"]),
                name="segments_segmentimport_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name or 'A list'}, {self.get_mode_display().lower()}"


class ImportLine(models.Model):
    """An id of a file on its way in; once its import is done, one that was unknown."""

    job = models.ForeignKey(
        SegmentImport, on_delete=models.CASCADE, related_name="rows", db_constraint=False, db_index=False
    )
    line = models.IntegerField(help_text="Its number in the file, from 1.")
    external_id = models.CharField(max_length=255)

    class Meta:
        indexes = [models.Index(fields=["job", "line"], name="segments_importline_job")]

    def __str__(self) -> str:
        return self.external_id


class ImportSlice(models.Model):
    """Lines of an open import that were looked up: the end users found, until the list changes by all of them."""

    job = models.ForeignKey(SegmentImport, on_delete=models.CASCADE, related_name="slices", db_index=False)
    last_line = models.IntegerField(help_text="The line of the file up to which it goes.")
    lines = models.IntegerField(help_text="Ids in it.")
    found = models.IntegerField(help_text="Those of them that an end user has, repeated ones too.")
    end_users = ArrayField(models.BigIntegerField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "last_line"], name="segments_importslice_once")]

    def __str__(self) -> str:
        return f"{self.lines} lines up to {self.last_line}"
