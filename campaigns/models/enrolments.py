"""Enrolments: one end user's way through one version of a campaign, step by step."""

from django.db import models
from django.db.models import Q

from campaigns.models.campaigns import Campaign, CampaignVersion
from devices.models import EndUser
from smartpush.common.numbers import counted


class EntryGuard(models.Model):
    """The entries so far of one (campaign, end user), by which re-entry is decided."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    end_user = models.ForeignKey(EndUser, on_delete=models.CASCADE, related_name="+")
    entries = models.IntegerField(default=1)
    last_entered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "end_user"], name="campaigns_entryguard_once")]

    def __str__(self) -> str:
        return counted(number=self.entries, one="entry", many="entries")


class Enrolment(models.Model):
    """Where one end user is in one version. `at_kind` and `wake_at` are what the engine's set statements claim by."""

    class State(models.TextChoices):
        ACTIVE = "active", "Active"
        DONE = "done", "Done"
        EXITED = "exited", "Exited"

    class Arm(models.TextChoices):
        """Who gets no messages, so that the others can be compared with them; '' gets them."""

        CONTROL = "control", "Control group"
        HOLDOUT = "holdout", "Global control group"

    day = models.DateField(help_text="Day of entry: the partition of its step runs.")
    brand_id = models.BigIntegerField()
    campaign = models.ForeignKey(
        Campaign, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="enrolments"
    )
    version = models.ForeignKey(
        CampaignVersion, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    end_user = models.ForeignKey(
        EndUser, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    entry_key = models.CharField(max_length=64, help_text="Event id, schedule slot in ISO, or once.")
    run_key = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Of a campaign that is keyed by an event property: its value, or the SHA-256 of a longer one.",
    )
    arm = models.CharField(max_length=8, choices=Arm, blank=True, default="", db_default="")
    device_id = models.BigIntegerField(null=True, help_text="The device of the event that let them in.")
    variables = models.JSONField(null=True, help_text="The event's properties, for personalisation.")
    exclusive = models.BooleanField(default=True, help_text="Only one such run may be open; false for every_time.")
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE, db_default="active")
    at_key = models.CharField(max_length=16)
    at_kind = models.CharField(max_length=32)
    step_seq = models.IntegerField(default=0, db_default=0)
    waiting_for = models.CharField(max_length=32, blank=True, default="", db_default="")
    awaited_event = models.CharField(max_length=64, blank=True, default="", db_default="")
    state_data = models.JSONField(default=dict, db_default={}, help_text="What activities keep, such as loop counts.")
    wake_at = models.DateTimeField(null=True)
    entered_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    exit_reason = models.CharField(max_length=32, blank=True, default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "end_user", "entry_key"], name="campaigns_enrolment_entry"),
            models.UniqueConstraint(
                fields=["campaign", "end_user"],
                condition=Q(state="active", exclusive=True),
                name="campaigns_enrolment_one_open",
            ),
            # The one above goes in 0.5.0, when no process of before run keys is left; from then on runs may be keyed.
            models.UniqueConstraint(
                fields=["campaign", "end_user", "run_key"],
                condition=Q(state="active", exclusive=True),
                name="campaigns_enrolment_one_open_key",
            ),
            models.CheckConstraint(condition=Q(arm__in=["", "control", "holdout"]), name="campaigns_enrolment_arm"),
            models.CheckConstraint(
                condition=Q(state__in=["active", "done", "exited"]), name="campaigns_enrolment_state"
            ),
        ]
        indexes = [
            models.Index(fields=["at_kind", "wake_at"], condition=Q(state="active"), name="campaigns_enrolment_due"),
            models.Index(fields=["end_user"], name="campaigns_enrolment_user"),
            models.Index(fields=["campaign", "state"], name="campaigns_enrolment_campaign"),
            models.Index(
                fields=["brand_id", "awaited_event", "end_user"],
                condition=Q(state="active") & ~Q(awaited_event=""),
                name="campaigns_enrolment_awaited",
            ),
        ]

    def __str__(self) -> str:
        return f"Enrolment {self.pk}"


class StepRun(models.Model):
    """One executed step. Real key (enrolment, step_seq, day), partitioned by the enrolment's day (docs/adr/0005)."""

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    brand_id = models.BigIntegerField(null=True, help_text="Empty for steps of before 0.4.0.")
    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="step_runs"
    )
    step_seq = models.IntegerField()
    version_id = models.BigIntegerField()
    key = models.CharField(max_length=16)
    kind = models.CharField(max_length=32)
    outcome = models.CharField(max_length=32, blank=True, default="", db_default="")
    ran_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["version_id", "key"], name="campaigns_steprun_step")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.outcome}"
