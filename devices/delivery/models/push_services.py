"""What is known of push services: how each one is doing, and how much it accepts from each of our keys."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from devices.brands.models.brands import Brand


class OriginHealth(models.Model):
    """How a push service has been answering, for every brand: what one process finds out, all know."""

    origin = models.CharField(max_length=255, unique=True)
    silences = models.IntegerField(default=0, db_default=0, help_text="Requests in a row without an answer.")
    errors = models.IntegerField(default=0, db_default=0, help_text="Answers in a row that were server errors.")
    reason = models.CharField(max_length=40, blank=True, default="", db_default="")
    open_until = models.DateTimeField(null=True, blank=True, help_text="Nothing is sent before; then one at a time.")
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "push service"
        verbose_name_plural = "push services"
        constraints = [
            models.CheckConstraint(condition=Q(silences__gte=0) & Q(errors__gte=0), name="devices_originhealth_counts")
        ]

    def __str__(self) -> str:
        return self.origin


class SendBudget(models.Model):
    """What a push service accepts from one of our keys: nothing for a while, or so many messages a second.

    `sender` is `vapid:<key id>` or `fcm:<project>`; for refused credentials of a native app it is the app, `fcm:<app
    id>`. There is no row for what was never limited. The rules are in devices/delivery/push_services/pacing.py.
    """

    class Kind(models.TextChoices):
        NONE = "", "Open"
        BREAKER = "breaker", "Refuses our credentials"
        THROTTLED = "throttled", "Asked us to slow down"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    sender = models.CharField(max_length=120)
    origin = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, choices=Kind, blank=True, default="", db_default="")
    held_until = models.DateTimeField(null=True, blank=True, help_text="Nothing goes before; then one message tries.")
    held_at = models.DateTimeField(null=True, blank=True, help_text="When it was refused last.")
    refusals = models.IntegerField(default=0, db_default=0, help_text="Refusals since a message was accepted.")
    last_status = models.SmallIntegerField(null=True, blank=True)
    suspect_id = models.BigIntegerField(null=True, blank=True, help_text="The only device that was refused so far.")
    trying_until = models.DateTimeField(null=True, blank=True, help_text="One message is out to see.")
    rate = models.FloatField(null=True, blank=True, help_text="Messages a second; empty while no limit is known.")
    cycle = models.FloatField(default=0, db_default=0, help_text="Seconds from one refusal to the next, at first.")
    rising = models.BooleanField(default=False, db_default=False)
    cycle_began = models.DateTimeField(null=True, blank=True)
    cycle_taken = models.IntegerField(default=0, db_default=0)
    raised_at = models.DateTimeField(null=True, blank=True)
    next_slot = models.DateTimeField(null=True, blank=True, help_text="The next moment that no message has yet.")
    since = models.DateTimeField(db_default=Now(), help_text="When it was first refused.")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "sending limit"
        constraints = [
            models.UniqueConstraint(fields=["sender", "origin"], name="devices_sendbudget_once"),
            models.CheckConstraint(condition=Q(kind__in=["", "breaker", "throttled"]), name="devices_sendbudget_kind"),
            models.CheckConstraint(condition=Q(rate__isnull=True) | Q(rate__gt=0), name="devices_sendbudget_rate"),
        ]

    def __str__(self) -> str:
        return f"{self.origin} ({self.sender})"
