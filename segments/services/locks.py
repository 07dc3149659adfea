"""What is decided from all segments of a brand together is decided by one at a time."""

from smartpush.common.database.advisory_locks import LockOf, lock_of_hold


def segments_lock(*, brand_id: int) -> None:
    """Until this transaction ends nobody else changes rules or deletes a segment of the brand."""
    lock_of_hold(lock=LockOf.SEGMENT_RULES, number=brand_id)
