"""One long question at a time for each member of staff: a newer one takes the place of the one before."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable, QueryCanceled

from segments.selectors.bounded import TooSlow

_CLASS = 0x5E67  # keeps our numbers apart from other advisory locks
# Those that hold the lock or wait for it; whoever just ended is not among them, and an idle one takes no notice.
_CANCEL = """
SELECT pg_cancel_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND classid = %s AND objid = hashtext(%s)::bit(32)::bigint::oid AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
"""


@contextmanager
def newest_only(*, what: str, staff_id: int, brand_id: int) -> Iterator[None]:
    """Cancel an older question of the same kind, as a newer one will this; raises TooSlow where one stays in the way.

    Somebody who types faster than the database counts has one statement running, not one for each key.
    """
    key = f"{what}:{brand_id}:{staff_id}"
    with transaction.atomic():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_CANCEL, [_CLASS, key])
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_CLASS, key])
                cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable | QueryCanceled):
                raise TooSlow from error
            raise
        yield
