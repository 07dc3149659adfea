"""Entering and changing a campaign's state keep out of each other's way.

An entry holds the campaign's lock shared until its transaction ends, a change of state holds it alone: after *pause*
or *disable* has answered nobody enters any more, and whoever entered before is there to be ended. An advisory lock,
because a row lock would write to the campaign's row at every event.
"""

from collections.abc import Iterable

from smartpush.common.database.advisory_locks import LockOf, lock_of_hold, lock_of_share


def lock_entries(*, campaign_ids: Iterable[int]) -> None:
    """Hold off changes of state until this transaction ends; taken in the order of ids."""
    lock_of_share(lock=LockOf.CAMPAIGN_ENTRIES, numbers=campaign_ids)


def lock_state(*, campaign_id: int) -> None:
    """Hold off entries, and other changes of state, until this transaction ends."""
    lock_of_hold(lock=LockOf.CAMPAIGN_ENTRIES, number=campaign_id)
