"""Whose answers to a segment's rules may have changed, until somebody looks at them again."""

from django.db import models
from django.db.models.functions import Now


class ChangedEndUser(models.Model):
    """One row a changed row and person, written by triggers for brands that are `noticed` (docs/adr/0008).

    Only ever inserted and taken away; plain numbers, because nothing may be looked up on the way in.
    """

    brand_id = models.BigIntegerField()
    end_user_id = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["brand_id", "id"], name="devices_changedenduser_queue")]

    def __str__(self) -> str:
        return f"{self.end_user_id} at {self.at}"
