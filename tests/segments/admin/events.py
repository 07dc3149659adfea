"""Record an event of somebody in a brand."""

from datetime import timedelta

from django.utils import timezone

from devices.models import EndUser, Event
from smartpush.common.database.partitions import partitions_ensure


def happened(brand, name, **properties):
    now = timezone.now() - timedelta(seconds=1)
    partitions_ensure(today=now.date())
    whose = EndUser.objects.filter(brand=brand).first()
    Event.objects.create(
        day=now.date(), brand=brand, end_user=whose, name=name, properties=properties, occurred_at=now, recorded_at=now
    )
