"""Frequency caps: how many messages a purpose may send in a window, and how many it has."""

from django.db import models
from django.db.models import Q

from devices.brands.models.brands import Brand
from smartpush.common.numbers import counted


class FrequencyCap(models.Model):
    """At most so many pushes of one purpose an hour, day or week: to one end user, or of the whole brand."""

    class Scope(models.TextChoices):
        END_USER = "end_user", "To one end user"
        BRAND = "brand", "To everyone together"

    class Period(models.TextChoices):
        HOUR = "hour", "An hour"
        DAY = "day", "A day"
        WEEK = "week", "A week"

    class Purpose(models.TextChoices):
        MARKETING = "marketing", "Marketing"
        OPERATIONAL = "operational", "Operational"

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="frequency_caps")
    purpose = models.CharField(max_length=12, choices=Purpose, default=Purpose.MARKETING)
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.END_USER)
    period = models.CharField(max_length=4, choices=Period, default=Period.DAY)
    most = models.PositiveIntegerField("at most")

    class Meta:
        ordering = ["purpose", "scope", "period"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "purpose", "scope", "period"],
                name="devices_frequencycap_once",
                violation_error_message="The brand has a cap of this purpose, scope and period. Change that one.",
            ),
            models.CheckConstraint(
                condition=Q(most__gte=1),
                name="devices_frequencycap_most",
                violation_error_message="A cap lets at least one message through. Give a number from 1 up.",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=["marketing", "operational"]), name="devices_frequencycap_purpose"
            ),
            models.CheckConstraint(condition=Q(scope__in=["end_user", "brand"]), name="devices_frequencycap_scope"),
            models.CheckConstraint(condition=Q(period__in=["hour", "day", "week"]), name="devices_frequencycap_period"),
        ]

    def __str__(self) -> str:
        pushes = counted(number=self.most, one=f"{self.purpose} push", many=f"{self.purpose} pushes")
        return f"{pushes} {self.get_period_display().lower()}"


class CapCounter(models.Model):
    """What was counted against a cap in one window; written only by the gate, refunded on definite failure."""

    cap = models.ForeignKey(
        FrequencyCap, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    end_user_id = models.BigIntegerField(default=0, help_text="0: the whole brand.")
    window_start = models.DateTimeField(db_index=True)
    count = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cap", "end_user_id", "window_start"], name="devices_capcounter_once"),
            models.CheckConstraint(condition=Q(count__gte=0), name="devices_capcounter_count"),
        ]

    def __str__(self) -> str:
        return f"{self.count} since {self.window_start}"
