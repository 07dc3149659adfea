"""A campaign (a journey), its immutable versions, and their compiled steps."""

from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from devices.models import Brand
from segments.models import Segment


class Campaign(models.Model):
    """A journey as staff edit it: entry, audience, the draft of the flow, and the version that runs."""

    class Kind(models.TextChoices):
        REALTIME = "realtime", "Real-time"
        SCHEDULED = "scheduled", "Scheduled"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"
        DISABLED = "disabled", "Disabled"
        ARCHIVED = "archived", "Archived"
        EXECUTED = "executed", "Executed"

    class EntryMode(models.TextChoices):
        ONCE = "once", "Once per person"
        ONCE_WHILE_OPEN = "once_while_open", "Again after the last run has ended"
        EVERY_TIME = "every_time", "Every time"
        RESTART = "restart", "Restart: end the open run, begin again"

    class Trigger(models.TextChoices):
        """What lets end users into a real-time campaign."""

        EVENT = "event", "Something that they did"
        SEGMENT_ENTERED = "segment_entered", "Entering a segment"
        SEGMENT_LEFT = "segment_left", "Leaving a segment"

    class Purpose(models.TextChoices):
        MARKETING = "marketing", "Marketing"
        OPERATIONAL = "operational", "Operational"

    class ReadyFlow(models.TextChoices):
        """Which ready flow made the campaign."""

        ASK = "ask", "Ask for permission (simple)"
        ASK_CATEGORIES = "ask_categories", "Ask for permission (with categories)"
        SEGMENT_PUSH = "segment_push", "Push to a segment"
        ANNOUNCEMENT = "announcement", "Announcement popup"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    ready_flow = models.CharField(
        max_length=16, choices=ReadyFlow, blank=True, default="", db_default="", editable=False
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.REALTIME)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.MARKETING)
    trigger_kind = models.CharField(
        "trigger",
        max_length=16,
        choices=Trigger,
        default=Trigger.EVENT,
        db_default="event",
        help_text="Real-time: what lets end users in.",
    )
    trigger_segment = models.ForeignKey(
        Segment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns_triggered",
        verbose_name="segment watched",
        help_text="Those who are in it already do not count: it is watched from the campaign's activation on.",
    )
    trigger_event = models.CharField(
        max_length=64,
        blank=True,
        default="session",
        help_text="Real-time: the event that lets end users in. session = a visit begins; login = someone identifies.",
    )
    scheduled_at = models.DateTimeField(null=True, blank=True, help_text="Scheduled: when it starts.")
    segment = models.ForeignKey(
        Segment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name="audience",
    )
    entry_mode = models.CharField(max_length=16, choices=EntryMode, default=EntryMode.ONCE)
    entry_interval = models.IntegerField(
        default=0, help_text="Minimum time between two entries of the same end user, in seconds."
    )
    flow = models.JSONField(default=dict, blank=True, help_text="The draft of the flow.")
    current_version = models.ForeignKey(
        "campaigns.CampaignVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    launched_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "name"],
                name="campaigns_campaign_name",
                violation_error_message=(
                    "The brand has a campaign of this name already, perhaps an archived one. Choose another name."
                ),
            ),
            models.CheckConstraint(condition=Q(kind__in=["realtime", "scheduled"]), name="campaigns_campaign_kind"),
            models.CheckConstraint(
                condition=Q(trigger_kind__in=["event", "segment_entered", "segment_left"]),
                name="campaigns_campaign_trigger_kind",
            ),
            models.CheckConstraint(
                condition=Q(ready_flow__in=["", "ask", "ask_categories", "segment_push", "announcement"]),
                name="campaigns_campaign_ready_flow",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "active", "paused", "disabled", "archived", "executed"]),
                name="campaigns_campaign_state",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["marketing", "operational"]), name="campaigns_campaign_purpose"
            ),
            models.CheckConstraint(
                condition=Q(entry_mode__in=["once", "once_while_open", "every_time", "restart"]),
                name="campaigns_campaign_entry_mode",
            ),
            models.CheckConstraint(
                condition=Q(entry_interval__gte=0) & Q(entry_interval__lte=31_536_000),
                name="campaigns_campaign_entry_interval",
                violation_error_message="The minimum time between entries is a year at most. Give a shorter one.",
            ),
            # Near the end of the calendar a time of another zone cannot be read back.
            models.CheckConstraint(
                condition=Q(scheduled_at__isnull=True) | Q(scheduled_at__lt=datetime(2200, 1, 1, tzinfo=UTC)),
                name="campaigns_campaign_scheduled_at",
                violation_error_message="A campaign starts before the year 2200. Give an earlier day.",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(current_version__isnull=False),
                name="campaigns_campaign_has_version",
            ),
        ]
        indexes = [
            models.Index(
                fields=["brand", "trigger_event"],
                condition=Q(state="active", kind="realtime"),
                name="campaigns_campaign_trigger",
            ),
            models.Index(
                fields=["scheduled_at"],
                condition=Q(state="active", kind="scheduled"),
                name="campaigns_campaign_due",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CampaignVersion(models.Model):
    """What was published: settings and compiled flow; never changed afterwards."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="versions")
    number = models.IntegerField()
    graph = models.JSONField(help_text="The compiled flow.")
    entry = models.JSONField(help_text="Kind, trigger, audience rules, entry mode as they were when published.")
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="campaigns_campaignversion_number")]

    def __str__(self) -> str:
        return f"{self.campaign} v{self.number}"


class VersionStep(models.Model):
    """One activity of a version, flat, so that the engine joins it in SQL. Written at publish from `graph`."""

    version = models.ForeignKey(CampaignVersion, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=16)
    kind = models.CharField(max_length=32)
    seconds = models.IntegerField(default=0, help_text="How long it waits: a delay, or a popup for its answer.")
    target_devices = models.CharField(
        max_length=8, default="all", db_default="all", help_text="Unused since 0.4.0, which reads `settings`."
    )
    settings = models.JSONField(
        default=dict, db_default={}, help_text="The activity's settings; the engine joins length, branches and content."
    )
    next = models.JSONField(default=dict, help_text="Outcome to the key of the next activity; absent ends the journey.")
    content = models.JSONField(default=dict, help_text="What it sends or shows, as dispatches carry it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "key"], name="campaigns_versionstep_key")]

    def __str__(self) -> str:
        return f"{self.version} {self.key}"


class Launch(models.Model):
    """One start of a scheduled campaign: how far its audience has been let in.

    The audience enters by slices of the end users' buckets, each in its own transaction that moves `next_bucket` on,
    so a killed process loses at most one slice's work and the next one goes on where it stopped. Each slice enters the
    version that is current by then.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="launches")
    slot = models.DateTimeField(help_text="The time in the schedule that this run is for.")
    slice_width = models.SmallIntegerField(help_text="Buckets let in at a time.")
    next_bucket = models.SmallIntegerField(default=0)
    entered = models.IntegerField(default=0)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "launches"
        constraints = [
            models.UniqueConstraint(fields=["campaign", "slot"], name="campaigns_launch_once"),
            models.CheckConstraint(
                condition=Q(next_bucket__gte=0) & Q(next_bucket__lte=1000), name="campaigns_launch_bucket"
            ),
        ]
        indexes = [
            models.Index(fields=["started_at"], condition=Q(finished_at__isnull=True), name="campaigns_launch_open"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} at {self.slot:%Y-%m-%d %H:%M}"
