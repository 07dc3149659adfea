"""Counting calls."""

import time_machine
from django.core.cache import cache

from smartpush.common.calls.limits import limit_exceeded


def test_a_window_lets_so_many_through_and_says_when_the_next_begins():
    cache.clear()
    with time_machine.travel("2026-11-23T12:00:20Z", tick=False) as clock:
        assert [limit_exceeded(scope="t", key="a", per_minute=2) for _ in range(3)] == [None, None, 40]
        assert limit_exceeded(scope="t", key="b", per_minute=2) is None
        assert limit_exceeded(scope="u", key="a", per_minute=2) is None
        clock.shift(41)
        assert limit_exceeded(scope="t", key="a", per_minute=2) is None


def test_more_visitors_than_djangos_cache_would_hold_do_not_lose_their_counts():
    cache.clear()
    with time_machine.travel("2026-11-23T12:00:20Z", tick=False):
        limit_exceeded(scope="t", key="first", per_minute=1)
        for number in range(2000):
            limit_exceeded(scope="t", key=str(number), per_minute=1)
        assert limit_exceeded(scope="t", key="first", per_minute=1) is not None
