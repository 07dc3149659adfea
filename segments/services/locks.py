"""What is decided from all segments of a brand together is decided by one at a time."""

from django.db import connection

_CLASS = 0x7372  # keeps our numbers apart from other advisory locks


def segments_lock(*, brand_id: int) -> None:
    """Until this transaction ends nobody else changes rules or deletes a segment of the brand."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_CLASS, brand_id])
