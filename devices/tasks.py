"""Jobs: load by id, make one service call."""

from devices.delivery.sending import lane_send
from devices.models import DeliveryChunk
from smartpush.common.time.clock import utc_now


def send_chunk(chunk_id: int) -> None:
    """Send one chunk of deliveries, and further ones of its lane as long as there is room; another's is left alone."""
    lane = DeliveryChunk.objects.filter(pk=chunk_id).values_list("lane", flat=True).first()
    if lane is not None:
        lane_send(chunk_id=chunk_id, lane=lane, now=utc_now())
