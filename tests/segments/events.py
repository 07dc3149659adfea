"""Record an event of an end user."""

from datetime import timedelta

from django.utils import timezone

from devices.models import Event
from smartpush.common.database.partitions import partitions_ensure


def happened(person, name, **properties):
    now = timezone.now() - timedelta(seconds=1)
    partitions_ensure(today=now.date())
    Event.objects.create(
        day=now.date(), brand_id=person.brand_id, end_user=person, name=name, properties=properties,
        occurred_at=now, recorded_at=now,
    )  # fmt: skip
