"""Quiet hours as clocks on the wall show them, also in the nights in which clocks change."""

# ruff: noqa: DTZ001 - wall-clock times carry no zone
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.delivery.sending.caps import window_start
from devices.delivery.sending.quiet_hours import QuietHours, opening, zone_choose

NIGHT = QuietHours(time(21), time(8), "wait")
SIESTA = QuietHours(time(13), time(15, 30), "wait")
ZONES = ["Europe/Athens", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC", "Pacific/Apia"]


def at(zone: str, *parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("quiet", "shown", "opens"),
    [
        (NIGHT, (2026, 11, 23, 20, 59), None),
        (NIGHT, (2026, 11, 23, 21, 0), (2026, 11, 24, 8, 0)),
        (NIGHT, (2026, 11, 23, 23, 59), (2026, 11, 24, 8, 0)),
        (NIGHT, (2026, 11, 24, 0, 0), (2026, 11, 24, 8, 0)),
        (NIGHT, (2026, 11, 24, 7, 59), (2026, 11, 24, 8, 0)),
        (NIGHT, (2026, 11, 24, 8, 0), None),
        (SIESTA, (2026, 11, 23, 12, 59), None),
        (SIESTA, (2026, 11, 23, 13, 0), (2026, 11, 23, 15, 30)),
        (SIESTA, (2026, 11, 23, 15, 30), None),
    ],
)
def test_an_ordinary_day_is_the_same_on_every_wall(zone, quiet, shown, opens):
    expected = at(zone, *opens) if opens else None
    assert opening(quiet=quiet, at=at(zone, *shown), zone=zone) == expected


def test_kathmandu_is_three_quarters_of_an_hour_off():
    assert opening(quiet=NIGHT, at=datetime(2026, 11, 23, 15, 15, tzinfo=UTC), zone="Asia/Kathmandu") == datetime(
        2026, 11, 24, 2, 15, tzinfo=UTC
    )
    assert opening(quiet=NIGHT, at=datetime(2026, 11, 23, 15, 14, tzinfo=UTC), zone="Asia/Kathmandu") is None


@pytest.mark.parametrize(
    ("zone", "asleep", "awake", "hours"),
    [
        ("Europe/Athens", (2026, 3, 28, 21), (2026, 3, 29, 8), 10),  # put forward in the night
        ("Europe/Athens", (2026, 10, 24, 21), (2026, 10, 25, 8), 12),  # put back
        ("America/New_York", (2026, 3, 7, 21), (2026, 3, 8, 8), 10),
        ("America/New_York", (2026, 10, 31, 21), (2026, 11, 1, 8), 12),
        ("Australia/Lord_Howe", (2026, 10, 3, 21), (2026, 10, 4, 8), 10.5),  # by half an hour
        ("Australia/Lord_Howe", (2026, 4, 4, 21), (2026, 4, 5, 8), 11.5),
    ],
)
def test_a_night_in_which_clocks_change_ends_when_the_wall_says_so(zone, asleep, awake, hours):
    found = opening(quiet=NIGHT, at=at(zone, *asleep), zone=zone)
    assert found == at(zone, *awake)
    assert found - at(zone, *asleep) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("zone", "day", "ends", "opens"),
    [
        ("Europe/Athens", (2026, 3, 29), time(3, 30), (2026, 3, 29, 4, 0)),
        ("America/New_York", (2026, 3, 8), time(2, 15), (2026, 3, 8, 3, 0)),
        ("Australia/Lord_Howe", (2026, 10, 4), time(2, 10), (2026, 10, 4, 2, 30)),
    ],
)
def test_an_end_that_clocks_skip_moves_to_the_next_valid_instant(zone, day, ends, opens):
    quiet = QuietHours(time(22), ends, "wait")
    assert opening(quiet=quiet, at=at(zone, *day, 0, 30), zone=zone) == at(zone, *opens)
    assert opening(quiet=quiet, at=at(zone, *opens), zone=zone) is None


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("Europe/Athens", (2026, 10, 25), time(3, 30)),
        ("America/New_York", (2026, 11, 1), time(1, 30)),
        ("Australia/Lord_Howe", (2026, 4, 5), time(1, 45)),
    ],
)
def test_an_end_that_clocks_show_twice_is_the_first(zone, day, ends):
    quiet = QuietHours(time(22), ends, "wait")
    first = at(zone, *day, ends.hour, ends.minute, fold=0)
    second = at(zone, *day, ends.hour, ends.minute, fold=1)
    assert first < second
    assert opening(quiet=quiet, at=first - timedelta(minutes=1), zone=zone) == first
    assert opening(quiet=quiet, at=first, zone=zone) is None
    assert opening(quiet=quiet, at=second - timedelta(minutes=1), zone=zone) is None


def test_a_beginning_that_clocks_skip_begins_at_the_next_valid_instant():
    quiet = QuietHours(time(3, 30), time(9), "wait")
    gap_end = at("Europe/Athens", 2026, 3, 29, 4, 0)
    assert opening(quiet=quiet, at=gap_end - timedelta(seconds=1), zone="Europe/Athens") is None
    assert opening(quiet=quiet, at=gap_end, zone="Europe/Athens") == at("Europe/Athens", 2026, 3, 29, 9)


def test_quiet_hours_that_clocks_skip_as_a_whole_are_none_that_day():
    quiet = QuietHours(time(3, 10), time(3, 50), "wait")
    for minute in range(0, 180, 5):
        instant = at("Europe/Athens", 2026, 3, 29, 2, 0) + timedelta(minutes=minute)
        assert opening(quiet=quiet, at=instant, zone="Europe/Athens") is None


@given(
    quiet=st.builds(QuietHours, st.times(), st.times(), st.just("wait")).filter(lambda q: q.begins != q.ends),
    instant=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda d: d.replace(tzinfo=UTC)),
    zone=st.sampled_from(ZONES),
)
def test_an_opening_lies_ahead_within_a_day_and_at_the_brands_time_or_the_end_of_a_gap(quiet, instant, zone):
    opens = opening(quiet=quiet, at=instant, zone=zone)
    if opens is None:
        return
    assert instant < opens <= instant + timedelta(hours=26)
    shown = opens.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    before = (opens - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    jumped = before.utcoffset() != opens.astimezone(ZoneInfo(zone)).utcoffset()
    assert shown.time() == quiet.ends or jumped


def test_the_first_known_zone_is_chosen():
    assert zone_choose("Asia/Kathmandu", "Europe/Athens") == "Asia/Kathmandu"
    assert zone_choose("", None, "Mars/Olympus", "Europe/Athens", "UTC") == "Europe/Athens"
    assert zone_choose("", None) == "UTC"


@pytest.mark.parametrize(
    ("period", "zone", "shown", "began"),
    [
        ("hour", "Asia/Kathmandu", datetime(2026, 11, 23, 12, 50, 9), datetime(2026, 11, 23, 12)),
        ("day", "Asia/Kathmandu", datetime(2026, 11, 23, 18, 14), datetime(2026, 11, 22, 18, 15)),
        ("day", "Asia/Kathmandu", datetime(2026, 11, 23, 18, 15), datetime(2026, 11, 23, 18, 15)),
        ("week", "Europe/Athens", datetime(2026, 11, 22, 21, 59), datetime(2026, 11, 15, 22)),
        ("week", "Europe/Athens", datetime(2026, 11, 22, 22, 0), datetime(2026, 11, 22, 22)),
        ("week", "Europe/Athens", datetime(2026, 10, 26, 3), datetime(2026, 10, 25, 22)),  # clocks put back on Sunday
        ("day", "America/Havana", datetime(2026, 3, 8, 12), datetime(2026, 3, 8, 5)),  # midnight is in the gap
    ],
)
def test_windows_of_caps_begin_where_the_brand_is(period, zone, shown, began):
    found = window_start(period=period, at=shown.replace(tzinfo=UTC), zone=zone)
    assert found == began.replace(tzinfo=UTC)
