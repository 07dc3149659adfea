# ruff: noqa: DTZ001 - wall-clock times carry no zone
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartpush.common.time.wall_clock import ClockChange, clock_change, instant_of

ZONES = ["Europe/Athens", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC"]


def test_an_ordinary_time_is_what_clocks_there_show():
    assert instant_of(wall=datetime(2026, 7, 1, 9, 30), zone="Europe/Athens") == datetime(2026, 7, 1, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize("minute", [0, 1, 30, 59])
def test_a_time_that_clocks_skip_moves_to_the_end_of_the_gap(minute):
    # In Athens 03:00 to 04:00 does not exist on this day.
    assert instant_of(wall=datetime(2026, 3, 29, 3, minute), zone="Europe/Athens") == datetime(
        2026, 3, 29, 1, tzinfo=UTC
    )


def test_a_skipped_day_moves_to_the_start_of_the_next():
    # Samoa had no 30 December 2011.
    found = instant_of(wall=datetime(2011, 12, 30, 15), zone="Pacific/Apia")
    assert found.astimezone(ZoneInfo("Pacific/Apia")).replace(tzinfo=None) == datetime(2011, 12, 31)


def test_a_time_that_comes_twice_takes_the_first():
    assert instant_of(wall=datetime(2026, 10, 25, 3, 30), zone="Europe/Athens") == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


@given(
    wall=st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    zone=st.sampled_from(ZONES),
)
def test_it_is_the_first_instant_that_shows_at_least_the_wanted_time(wall, zone):
    there = ZoneInfo(zone)
    found = instant_of(wall=wall, zone=zone)
    assert found.astimezone(there).replace(tzinfo=None) >= wall
    before = (found - timedelta(seconds=1)).astimezone(there).replace(tzinfo=None)
    assert before < wall


@pytest.mark.parametrize(
    ("wall", "zone", "change"),
    [
        (datetime(2027, 3, 28, 1, 30), "Europe/Lisbon", ClockChange.SKIPPED),
        (datetime(2027, 3, 28, 0, 59), "Europe/Lisbon", None),
        (datetime(2027, 3, 28, 2), "Europe/Lisbon", None),
        (datetime(2027, 10, 31, 1, 30), "Europe/Lisbon", ClockChange.REPEATED),
        (datetime(2027, 10, 31, 2), "Europe/Lisbon", None),
        (datetime(2011, 12, 30, 15), "Pacific/Apia", ClockChange.SKIPPED),
        (datetime(2027, 4, 4, 1, 45), "Australia/Lord_Howe", ClockChange.REPEATED),
        (datetime(2027, 10, 31, 1, 30), "UTC", None),
    ],
)
def test_a_clock_change_skips_or_repeats_a_time(wall, zone, change):
    assert clock_change(wall=wall, zone=zone) is change
