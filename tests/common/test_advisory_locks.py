"""Every advisory lock has its number in one list, which no other lock has and no release changes."""

import enum
import inspect
import re

import pytest
from django.db import connection, transaction

from smartpush.common.database import advisory_locks
from smartpush.common.database.advisory_locks import Lock, LockOf, lock_of_hold_try, lock_of_text_hold
from tests.checks.sources import product_sources

_TAKES = re.compile(r"pg_(?:try_)?advisory")


def test_only_the_list_takes_advisory_locks():
    owner = inspect.getsourcefile(advisory_locks)
    others = [str(path) for path, text in product_sources(".py", ".sql") if _TAKES.search(text) and str(path) != owner]
    assert others == [], "take locks by smartpush/common/database/advisory_locks.py"


def test_no_statement_names_a_number_of_its_own():
    calls = re.findall(r"pg_(?:try_)?advisory_(?:xact_)?lock(?:_shared)?\((.*?)[,)]", inspect.getsource(advisory_locks))
    assert len(calls) >= 7
    assert set(calls) <= {"%s", "{_PARTITION}", "{_REFUSED_ORIGINS}"}


def test_no_two_locks_share_a_number():
    numbers = [lock.value for kind in (Lock, LockOf) for lock in kind.__members__.values()]
    assert len(numbers) == len(set(numbers))
    with pytest.raises(ValueError, match="duplicate"):
        enum.unique(enum.IntEnum("Twice", {"ONE": 1, "OTHER": 1}))


def test_processes_of_the_release_before_take_the_same_locks():
    assert {lock.name: lock.value for kind in (Lock, LockOf) for lock in kind} == {
        "TICKER": 126913941693291, "SEGMENT_WORK": 2003792491,
        "CAMPAIGN_ENTRIES": 27247, "IMAGE_PLACES": 26989, "SEGMENT_RULES": 29554, "SEGMENT_MEMBERS": 29541,
        "STAFF_QUESTION": 24167,
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_one_for_each_number_and_ends_with_its_transaction():
    other = connection.copy()
    try:
        with other.cursor() as cursor:

            def free(key: str) -> bool:
                cursor.execute(f"SELECT pg_try_advisory_xact_lock({key})")
                return bool(cursor.fetchone()[0])

            with transaction.atomic():
                assert lock_of_hold_try(lock=LockOf.SEGMENT_RULES, number=7)
                lock_of_text_hold(lock=LockOf.STAFF_QUESTION, text="count")
                assert [free("29554, 7"), free("24167, hashtext('count')")] == [False, False]
                assert [free("29554, 8"), free("29541, 7"), free("24167, hashtext('list')")] == [True, True, True]
            assert free("29554, 7")
    finally:
        other.close()
