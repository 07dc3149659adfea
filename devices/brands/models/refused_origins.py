"""Origins whose calls were refused: a short list for each brand, so that a wrong origin can be found and mended."""

from django.db import models
from django.db.models import Q

from devices.brands.models.brands import Brand


class RefusedOrigin(models.Model):
    """A page that called with a brand's key from an origin that is not registered; kept for a week, 20 a brand.

    `count` and `last_at` are close enough to find a mistake by: the hour, and what each process saw up to its last
    writing.
    """

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="refused_origins")
    origin = models.CharField(max_length=255, help_text="As browsers send it; `null` for a page without one.")
    count = models.BigIntegerField(default=1, db_default=1)
    last_at = models.DateTimeField(help_text="The hour in which it was refused last.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "origin"], name="devices_refusedorigin_once"),
            models.CheckConstraint(condition=Q(count__gt=0) & ~Q(origin=""), name="devices_refusedorigin_filled"),
        ]

    def __str__(self) -> str:
        return self.origin
