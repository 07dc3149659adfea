"""Entering and changing a campaign's state keep out of each other's way.

An entry holds the campaign's lock shared until its transaction ends, a change of state holds it alone: after *pause*
or *disable* has answered nobody enters any more, and whoever entered before is there to be ended. An advisory lock,
because a row lock would write to the campaign's row at every event.
"""

from collections.abc import Iterable

from django.db import connection

_CLASS = 0x6A6F  # keeps our numbers apart from other advisory locks


def lock_entries(*, campaign_ids: Iterable[int]) -> None:
    """Hold off changes of state until this transaction ends; taken in the order of ids."""
    ids = sorted(set(campaign_ids))
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(%s, id) FROM (SELECT unnest(%s::int[]) AS id ORDER BY 1) ids",
            [_CLASS, ids],
        )


def lock_state(*, campaign_id: int) -> None:
    """Hold off entries, and other changes of state, until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_CLASS, campaign_id])
