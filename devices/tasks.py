"""Jobs: load by id, make one service call."""

import time

from devices.models import DeliveryChunk
from devices.services.outbox import chunk_overdue
from devices.services.sending import chunk_send
from smartpush.common.clock import utc_now

# django-q2 ends a job at its timeout; no new chunk is begun this late.
_LAST_START_SECONDS = 100.0


def send_chunk(chunk_id: int) -> None:
    """Send one chunk of deliveries, then those of its lane that nobody came for; another's chunk is left alone."""
    began = time.monotonic()
    chunk_send(chunk_id=chunk_id, now=utc_now())
    lane = DeliveryChunk.objects.filter(pk=chunk_id).values_list("lane", flat=True).first()
    while lane is not None and time.monotonic() - began < _LAST_START_SECONDS:
        overdue = chunk_overdue(lane=lane, now=utc_now())
        if overdue is None:
            return
        chunk_send(chunk_id=overdue, now=utc_now())
