"""Counting calls, and whom to count them for."""

import time_machine
from django.core.cache import cache

from smartpush.common.limits import client_address, limit_exceeded


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


def test_without_proxies_nothing_that_the_caller_says_counts():
    meta = {"REMOTE_ADDR": "9.9.9.9", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}
    assert client_address(meta, trusted_proxies=0) == "9.9.9.9"


def test_behind_proxies_the_address_is_what_the_outermost_of_them_saw():
    meta = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 1.1.1.1, 10.0.0.2"}
    assert client_address(meta, trusted_proxies=1) == "10.0.0.2"
    assert client_address(meta, trusted_proxies=2) == "1.1.1.1"
    assert client_address(meta, trusted_proxies=9) == "10.0.0.1"
    assert client_address({"REMOTE_ADDR": "10.0.0.1"}, trusted_proxies=1) == "10.0.0.1"
