"""Where windows of time begin and end, on the days on which clocks and calendars are at their worst."""

import json
from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest
from django.db import connection

from segments.conditions import Context
from segments.sql import Sql
from segments.windows import clean, window, window_around, within

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def ends(operator, value, now, zone):
    found = window(clean(operator, value), now, zone)
    return tuple(None if end is None else end.astimezone(UTC).isoformat()[:19] for end in (found.low, found.high))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def back(count, unit):
    return {"count": count, "unit": unit}


@pytest.mark.parametrize(
    ("operator", "value", "now", "zone", "low", "high"),
    [
        # The same time of day, though a day had 23 hours or 25; hours are hours.
        ("in_the_last", back(1, "day"), utc(2026, 3, 29, 12), "Europe/Berlin", "2026-03-28T13:00:00", None),
        ("in_the_last", back(1, "day"), utc(2026, 10, 25, 12), "Europe/Berlin", "2026-10-24T11:00:00", None),
        ("in_the_last", back(24, "hour"), utc(2026, 3, 29, 12), "Europe/Berlin", "2026-03-28T12:00:00", None),
        # 02:30 was skipped yesterday: the instant of the change; it comes twice: the first.
        ("in_the_last", back(1, "day"), utc(2026, 3, 30, 0, 30), "Europe/Berlin", "2026-03-29T01:00:00", None),
        ("in_the_last", back(1, "day"), utc(2026, 10, 26, 1, 30), "Europe/Berlin", "2026-10-25T00:30:00", None),
        # Months that are too short, and the leap day.
        ("in_the_last", back(1, "month"), utc(2026, 3, 31, 12), "UTC", "2026-02-28T12:00:00", None),
        ("in_the_last", back(1, "month"), utc(2028, 3, 31, 12), "UTC", "2028-02-29T12:00:00", None),
        ("in_the_last", back(12, "month"), utc(2028, 2, 29, 12), "UTC", "2027-02-28T12:00:00", None),
        ("in_the_next", back(3, "month"), utc(2026, 11, 30, 12), "UTC", "2026-11-30T12:00:00", "2027-02-28T12:00:00"),
        # Monday; the month; a year's end.
        ("in_current", {"unit": "week"}, NOON, "UTC", "2026-11-16T00:00:00", "2026-11-23T00:00:00"),
        ("in_current", {"unit": "month"}, utc(2026, 12, 31, 23), "UTC", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        ("in_current", {"unit": "day"}, NOON, "Pacific/Kiritimati", "2026-11-20T10:00:00", "2026-11-21T10:00:00"),
        ("in_current", {"unit": "day"}, NOON, "Etc/GMT+12", "2026-11-20T12:00:00", "2026-11-21T12:00:00"),
        # A day that begins at one o'clock; one that never was.
        ("on", {"date": "2018-11-04"}, NOON, "America/Sao_Paulo", "2018-11-04T03:00:00", "2018-11-05T02:00:00"),
        ("on", {"date": "2011-12-30"}, NOON, "Pacific/Apia", "2011-12-30T10:00:00", "2011-12-30T10:00:00"),
        ("before", {"date": "2026-12-01"}, NOON, "Asia/Kolkata", None, "2026-11-30T18:30:00"),
        ("after", {"date": "2026-12-01"}, NOON, "Asia/Kolkata", "2026-12-01T18:30:00", None),
    ],
)
def test_a_window_begins_and_ends_by_the_clock_on_the_wall(operator, value, now, zone, low, high):
    found = ends(operator, value, now, zone)
    wanted = (low, now.isoformat()[:19] if operator == "in_the_last" else high)
    assert found == wanted


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("2026-11-20", True),
        ("2026-11-20T12:00", True),
        ("2026-11-20 12:00:00.5", True),
        ("2026-11-20T12:00+05:30", True),
        ("2026-11-20T12:00-2359", True),
        ("2028-02-29", True),
        ("2000-02-29", True),
        ("0001-01-01T00:00+23:59", True),
        ("9999-12-31T23:59:59.999999-23:59", True),
        ("2026-02-29", False),
        ("1900-02-29", False),
        ("2026-04-31", False),
        ("2026-11-20T24:00", False),
        ("2026-11-20T12:00:60", False),
        ("2026-11-20T12:00+24:00", False),
        ("12026-11-20", False),
        ("0000-01-01", False),
        ("infinity", False),
        ("tomorrow", False),
        ("2026-11-20\n", False),
        ("२०२६-11-20", False),
        ("", False),
    ],
)
def test_a_stored_date_is_read_or_is_no_date_but_never_an_error(stored, read):
    with connection.cursor() as cursor:
        cursor.execute("SELECT segments_date_in(to_jsonb(%s::text), NULL, NULL, NULL, NULL)", [stored])
        assert cursor.fetchone()[0] is (True if read else None)


@pytest.mark.parametrize(
    ("operator", "value", "now"),
    [
        ("before_the_last", back(1, "day"), utc(2026, 3, 30, 0, 30)),
        ("before_the_last", back(1, "month"), utc(2026, 3, 29, 1)),
        ("before", {"date": "2018-11-04"}, NOON),
        ("before", {"date": "2011-12-30"}, NOON),
    ],
)
def test_everybodys_own_clock_is_the_one_of_their_zone(operator, value, now):
    moment = clean(operator, {**value, "zone": "user"})
    sql = within(Sql("at"), moment, Context(1, now, "Europe/Athens"), Sql("zone"))
    others, usual = sql.params[:2]
    table = json.loads(others)
    for name in available_timezones():
        own = window(moment, now, name).high
        assert datetime.fromisoformat(table.get(name, usual)) == own, name


@pytest.mark.parametrize("now", [utc(2026, 12, 1, 2), utc(2026, 11, 30, 20), utc(2026, 3, 1, 2), utc(2026, 11, 23, 3)])
@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("in_current", {"unit": "month"}),
        ("in_current", {"unit": "week"}),
        ("in_the_last", back(1, "month")),
        ("on", {"date": "2026-12-01"}),
    ],
)
def test_what_an_index_looks_through_holds_the_window_of_every_zone(operator, value, now):
    moment = clean(operator, {**value, "zone": "user"})
    around = window_around(moment, Context(1, now, "UTC"))
    for name in available_timezones():
        own = window(moment, now, name)
        assert around.low <= own.low <= own.high <= around.high, name
