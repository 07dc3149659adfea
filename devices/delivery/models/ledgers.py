"""The two ledgers: one push to one device, one popup for one end user; and what they are told from above."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.db.models.functions import Now

from devices.brands.models.brands import Brand
from devices.delivery.popup_outcomes import ENDED, OPEN, PopupOutcome
from devices.people.models.end_users import EndUser, TargetDevices


class Lane(models.TextChoices):
    URGENT = "urgent", "Urgent"
    BULK = "bulk", "Bulk"


class Dispatch(models.Model):
    """What the delivery side is told from above: whose send this is, its content, policies, and whether it runs."""

    class Source(models.TextChoices):
        JOURNEY = "journey", "Journey"
        TEST = "test", "Test"
        PROFILE = "profile", "Profile"
        API = "api", "API"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped"

    class Purpose(models.TextChoices):
        MARKETING = "marketing", "Marketing"
        OPERATIONAL = "operational", "Operational"

    class Policy(models.TextChoices):
        AT_LEAST_ONCE = "at_least_once", "Send again when unsure"
        AT_MOST_ONCE = "at_most_once", "Never send twice"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    day = models.DateField(help_text="Day of origin: the partition that its deliveries live in.")
    source = models.CharField(max_length=8, choices=Source)
    source_key = models.CharField(max_length=80, help_text="Unique name of the send, such as v12:a2.")
    campaign_ref = models.BigIntegerField(null=True, blank=True, db_index=True)
    label = models.CharField(max_length=200, blank=True)
    content = models.JSONField()
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.MARKETING)
    lane = models.CharField(max_length=8, choices=Lane, default=Lane.URGENT)
    policy = models.CharField(max_length=16, choices=Policy, default=Policy.AT_LEAST_ONCE)
    target_devices = models.CharField(max_length=8, choices=TargetDevices, default=TargetDevices.ALL)
    ttl = models.IntegerField(default=86_400, help_text="Seconds.")
    urgency = models.CharField(max_length=8, default="normal")
    quiet_policy = models.CharField(
        max_length=8,
        choices=[("", "The brand's"), *Brand.QuietPolicy.choices],
        blank=True,
        default="",
        db_default="",
        help_text="Empty: the brand's own for marketing, at any hour for operational messages.",
    )
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    stop_reason = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "dispatches"
        constraints = [
            models.UniqueConstraint(fields=["brand", "day", "source_key"], name="devices_dispatch_once"),
            models.CheckConstraint(
                condition=Q(source__in=["journey", "test", "profile", "api"]), name="devices_dispatch_source"
            ),
            models.CheckConstraint(
                condition=Q(target_devices__in=["all", "web", "native"]), name="devices_dispatch_target_devices"
            ),
            models.CheckConstraint(condition=Q(state__in=["running", "stopped"]), name="devices_dispatch_state"),
            models.CheckConstraint(condition=Q(lane__in=["urgent", "bulk"]), name="devices_dispatch_lane"),
            models.CheckConstraint(
                condition=Q(purpose__in=["marketing", "operational"]), name="devices_dispatch_purpose"
            ),
            models.CheckConstraint(
                condition=Q(policy__in=["at_least_once", "at_most_once"]), name="devices_dispatch_policy"
            ),
            models.CheckConstraint(condition=Q(ttl__gte=0) & Q(ttl__lte=2_419_200), name="devices_dispatch_ttl"),
            models.CheckConstraint(
                condition=Q(quiet_policy__in=["", "wait", "skip", "ignore"]), name="devices_dispatch_quiet_policy"
            ),
        ]
        indexes = [
            # What segments ask of pushes about a category.
            models.Index(
                "brand",
                KT("content__category"),
                condition=Q(content__has_key="category"),
                name="devices_dispatch_category",
            ),
        ]

    def __str__(self) -> str:
        return self.label or self.source_key


class DeliveryChunk(models.Model):
    """Some thousands of deliveries of one dispatch to one push service under one key: the unit of work."""

    class State(models.TextChoices):
        READY = "ready", "Ready"
        LEASED = "leased", "Leased"
        DONE = "done", "Done"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    dispatch = models.ForeignKey(
        Dispatch, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    day = models.DateField()
    lane = models.CharField(max_length=8, choices=Lane)
    origin = models.CharField(max_length=255)
    sender = models.CharField(
        max_length=120, blank=True, default="", db_default="", help_text="The key it goes out under, as in SendBudget."
    )
    size = models.IntegerField()
    expires_from = models.DateTimeField(null=True, blank=True, help_text="When the first of its waiting rows expires.")
    state = models.CharField(max_length=8, choices=State, default=State.READY, db_default="ready")
    attempt = models.IntegerField(default=0, db_default=0, help_text="Fencing number: results carry it.")
    leased_until = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(
        null=True, blank=True, db_column="rung_at", help_text="When a job was last queued for it."
    )
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "leased_until"], condition=~Q(state="done"), name="devices_chunk_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["ready", "leased", "done"]), name="devices_chunk_state"),
            models.CheckConstraint(condition=Q(lane__in=["urgent", "bulk"]), name="devices_chunk_lane"),
        ]

    def __str__(self) -> str:
        return f"Chunk {self.pk}"


class Delivery(models.Model):
    """One push to one device. Real key (id, day), partitioned by the dispatch's day (docs/adr/0005)."""

    class State(models.TextChoices):
        READY = "ready", "Ready"
        SENDING = "sending", "Sending"
        ACCEPTED = "accepted", "Accepted"
        FAILED = "failed", "Failed"
        GONE = "gone", "Gone"
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Cancelled"
        UNKNOWN = "unknown", "Unknown"
        SUPPRESSED = "suppressed", "Suppressed"

    id = models.BigAutoField(primary_key=True)
    day = models.DateField()
    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    dispatch = models.ForeignKey(
        Dispatch, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="deliveries"
    )
    end_user = models.ForeignKey(
        EndUser, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    device = models.ForeignKey(
        "devices.Device", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    enrolment_id = models.BigIntegerField(null=True)
    step_seq = models.IntegerField(null=True)
    request_id = models.BigIntegerField(null=True, help_text="A send outside journeys: its idempotency key row.")
    origin = models.CharField(max_length=255)
    variables = models.JSONField(null=True, help_text="Event properties for personalisation.")
    state = models.CharField(max_length=10, choices=State, db_default="ready", default=State.READY)
    hold_reason = models.CharField(max_length=16, blank=True, default="", db_default="")
    reason = models.CharField(max_length=40, blank=True, default="", db_default="")
    chunk_id = models.BigIntegerField(null=True)
    attempt = models.IntegerField(default=0, db_default=0, help_text="The chunk's fencing number while sending.")
    tries = models.SmallIntegerField(default=0, db_default=0)
    http_status = models.SmallIntegerField(null=True)
    next_attempt_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    displayed_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    clicked_action = models.CharField(max_length=32, blank=True, default="", db_default="")
    closed_at = models.DateTimeField(null=True)
    counted = ArrayField(
        models.BigIntegerField(), null=True, editable=False, help_text="The cap counters that it was counted in."
    )

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "ready",
                        "sending",
                        "accepted",
                        "failed",
                        "gone",
                        "expired",
                        "cancelled",
                        "unknown",
                        "suppressed",
                    ]
                ),
                name="devices_delivery_state",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(state="ready") & Q(chunk_id__isnull=True),
                name="devices_delivery_uncut",
            ),
            models.Index(fields=["chunk_id"], condition=Q(chunk_id__isnull=False), name="devices_delivery_chunk"),
            models.Index(fields=["end_user", "created_at"], name="devices_delivery_user"),
            models.Index(
                fields=["device"],
                condition=Q(state__in=["ready", "sending"]),
                name="devices_delivery_open_device",
            ),
            models.Index(fields=["dispatch", "state"], name="devices_delivery_dispatch"),
        ]

    def __str__(self) -> str:
        return f"Delivery {self.pk}: {self.state}"


class PopupOffer(models.Model):
    """One popup for one end user; at most one open offer each."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        LEASED = "leased", "Being shown"
        SHOWN = "shown", "Shown"
        ALLOWED = PopupOutcome.ALLOWED.value, PopupOutcome.ALLOWED.label
        BLOCKED = PopupOutcome.BLOCKED.value, PopupOutcome.BLOCKED.label
        LATER = PopupOutcome.LATER.value, PopupOutcome.LATER.label
        CLOSED = PopupOutcome.CLOSED.value, PopupOutcome.CLOSED.label
        DISMISSED = PopupOutcome.DISMISSED.value, PopupOutcome.DISMISSED.label
        NO_ANSWER = PopupOutcome.NO_ANSWER.value, PopupOutcome.NO_ANSWER.label
        CLICKED = PopupOutcome.CLICKED.value, PopupOutcome.CLICKED.label
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Cancelled"

    brand = models.ForeignKey(Brand, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    dispatch = models.ForeignKey(
        Dispatch,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="popup_offers",
    )
    end_user = models.ForeignKey(
        EndUser, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    enrolment_id = models.BigIntegerField(null=True)
    step_seq = models.IntegerField(null=True)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING, db_default="pending")
    device_id = models.BigIntegerField(null=True)
    leased_tab = models.CharField(max_length=40, blank=True, default="", db_default="")
    leased_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="When the browser's own question was answered.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["end_user"],
                condition=Q(state__in=list(OPEN)),
                name="devices_popupoffer_one_open",
            ),
            models.UniqueConstraint(
                fields=["enrolment_id", "step_seq"],
                condition=Q(enrolment_id__isnull=False),
                name="devices_popupoffer_step",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*OPEN, *ENDED]),
                name="devices_popupoffer_state",
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(state__in=list(OPEN)),
                name="devices_popupoffer_open",
            ),
            models.Index(
                fields=["finished_at"],
                condition=Q(enrolment_id__isnull=False) & Q(finished_at__isnull=False),
                name="devices_popupoffer_ended",
            ),
            models.Index(fields=["end_user", "created_at"], name="devices_popupoffer_user"),
            models.Index(fields=["dispatch", "state"], name="devices_popupoffer_dispatch"),
        ]

    def __str__(self) -> str:
        return f"Popup {self.pk}: {self.state}"
