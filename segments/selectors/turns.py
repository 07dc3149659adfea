"""One long question at a time for each member of staff: a newer one takes the place of the one before."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable, QueryCanceled

from segments.selectors.bounded import TooSlow
from smartpush.common.database.advisory_locks import LockOf, lock_of_text_cancel_others, lock_of_text_hold


@contextmanager
def newest_only(*, what: str, staff_id: int, brand_id: int) -> Iterator[None]:
    """Cancel an older question of the same kind, as a newer one will this; raises TooSlow where one stays in the way.

    Somebody who types faster than the database counts has one statement running, not one for each key.
    """
    key = f"{what}:{brand_id}:{staff_id}"
    with transaction.atomic():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                lock_of_text_cancel_others(lock=LockOf.STAFF_QUESTION, text=key)
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                lock_of_text_hold(lock=LockOf.STAFF_QUESTION, text=key)
                cursor.execute("SET LOCAL lock_timeout = DEFAULT")
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable | QueryCanceled):
                raise TooSlow from error
            raise
        yield
