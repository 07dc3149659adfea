"""All advisory locks of the product: their numbers, what each is for, and the statements that take them.

A number never changes and is never given to another lock: during an upgrade, processes of the release before take the
same locks. PostgreSQL keeps locks of one number apart from locks of two, so `Lock` and `LockOf` cannot meet.
"""

import enum
from collections.abc import Iterable

from smartpush.common.database import statements


@enum.unique
class Lock(enum.IntEnum):
    """Locks of which there is one."""

    TICKER = 0x736D7469636B  # held by the session of the ticker at work
    SEGMENT_WORK = 0x776F726B  # one worker at a time claims a piece of segment work


@enum.unique
class LockOf(enum.IntEnum):
    """Locks of which there is one for each number that goes with it, named at each member."""

    CAMPAIGN_ENTRIES = 0x6A6F  # campaign: entries (shared) and changes of its state keep out of each other's way
    IMAGE_PLACES = 0x696D  # place: so many uploaded pictures are decoded at once
    SEGMENT_RULES = 0x7372  # brand: what is decided from all its segments together is decided by one at a time
    SEGMENT_MEMBERS = 0x7365  # brand: an evaluation never sees half a baseline
    STAFF_QUESTION = 0x5E67  # hash of a kind of question, brand and member of staff: one runs, the newest


# Two locks of one number have a hash for theirs: of the name of the partition that is made, and of the brand whose
# refused origins are written.
_PARTITION = "hashtext(%s)"
_REFUSED_ORIGINS = "hashtextextended('refused-origins', %s)"

# Those that hold a text's lock or wait for it, but for whoever asks. One that just ended is not among them, and an
# idle one takes no notice.
_CANCEL_OTHERS = """
SELECT pg_cancel_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND classid = %s AND objid = hashtext(%s)::bit(32)::bigint::oid AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
"""


def _run(statement: str, *values: int | str | list[int]) -> object:
    """Run the statement and return the first value of its first row; a wait returns an empty one."""
    found: object = statements.value(statement, values)
    return found


def lock_hold(*, lock: Lock) -> None:
    """Wait for the lock and hold it until this transaction ends."""
    _run("SELECT pg_advisory_xact_lock(%s)", lock.value)


def lock_keep_try(*, lock: Lock) -> bool:
    """Hold the lock for as long as this database session lives; returns False where another holds it."""
    return bool(_run("SELECT pg_try_advisory_lock(%s)", lock.value))


def lock_of_hold(*, lock: LockOf, number: int) -> None:
    """Wait for the lock of this number and hold it until this transaction ends."""
    _run("SELECT pg_advisory_xact_lock(%s, %s)", lock.value, number)


def lock_of_hold_try(*, lock: LockOf, number: int) -> bool:
    """Hold it until this transaction ends; returns False, without waiting, where another holds it."""
    return bool(_run("SELECT pg_try_advisory_xact_lock(%s, %s)", lock.value, number))


def lock_of_share(*, lock: LockOf, numbers: Iterable[int]) -> None:
    """Wait for the locks of these numbers, in their order, and share them until this transaction ends."""
    ordered = sorted(set(numbers))
    if ordered:
        _run(
            "SELECT pg_advisory_xact_lock_shared(%s, id) FROM (SELECT unnest(%s::int[]) AS id ORDER BY 1) ids",
            lock.value,
            ordered,
        )


def lock_of_text_hold(*, lock: LockOf, text: str) -> None:
    """Wait for the lock of the text's hash and hold it until this transaction ends."""
    _run("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", lock.value, text)


def lock_of_text_cancel_others(*, lock: LockOf, text: str) -> None:
    """Cancel the statements of all others that hold the lock of the text's hash or wait for it."""
    _run(_CANCEL_OTHERS, lock.value, text)


def partition_hold(*, name: str) -> None:
    """Hold the making of the partition until this transaction ends."""
    _run(f"SELECT pg_advisory_xact_lock({_PARTITION})", name)


def refused_origins_hold_try(*, brand_id: int) -> bool:
    """Hold the turn of writing the brand's refused origins; returns False, without waiting, where another has it."""
    return bool(_run(f"SELECT pg_try_advisory_xact_lock({_REFUSED_ORIGINS})", brand_id))
