"""The one reader of ISO 8601, and that segments read the same of what is stored."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from smartpush.common.time.moments import CannotReadMoment, instant_read, is_date, moment_read

TEN = datetime(2026, 11, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-30T10:00:00Z", TEN),
        ("2026-11-30t10:00:00z", TEN),
        ("2026-11-30 10:00Z", TEN),
        ("2026-11-30T12:00:00+02:00", TEN),
        ("2026-11-30T12:00:00+0200", TEN),
        ("2026-11-30T12:00:00+02", TEN),
        ("2026-11-30T04:30:00-05:30", TEN),
        ("2026-11-30T10:00:00-00:00", TEN),
        ("20261130T100000Z", TEN),
        ("2026-11-30T10:00:00.1Z", TEN.replace(microsecond=100_000)),
        ("2026-11-30T10:00:00,123Z", TEN.replace(microsecond=123_000)),
        ("2026-11-30T10:00:00.1234567Z", TEN.replace(microsecond=123_456)),
        ("2026-11-30T10:00:00.123456789012345Z", TEN.replace(microsecond=123_456)),
        ("2026-11-30T10:00:00.9999999Z", TEN.replace(microsecond=999_999)),
    ],
)
def test_an_instant_is_read_however_it_is_written(text, at):
    assert instant_read(text) == at


@pytest.mark.parametrize("text", ["2026-11-30", "2026-11-30T10:00:00", "2026-11-30 10:00", "20261130T100000"])
def test_a_time_without_an_offset_is_no_instant(text):
    with pytest.raises(CannotReadMoment, match="offset") as problem:
        instant_read(text)
    assert problem.value.code == "no_offset"
    assert moment_read(text).tzinfo is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-02-30T10:00:00Z",
        "2026-11-30T24:00:00Z",
        "2026-11-30T10:60:00Z",
        "2026-11-30T10:00:00+24:00",
        "2026-11-30T10:00:00+01:75",
        "2026-1130T10:00:00Z",
        "2026-11-30T1000:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "२०२६-11-30T10:00:00Z",
        "2026-11-30T10:00:00+01:0\u0665",
        "2026-11-30T10:00:00Z\n",
        "2026-11-30T10:00:00." + "1" * 90 + "Z",
        1764500000,
        True,
        None,
        ["2026-11-30T10:00:00Z"],
    ],
)
def test_what_is_no_time_says_so(text):
    with pytest.raises(CannotReadMoment) as problem:
        instant_read(text)
    assert problem.value.code == "unreadable"
    assert "such as" in str(problem.value)


@pytest.mark.parametrize("text", ["20261130", "20261130T100000Z", "2026", "30.11.2026", 20261130])
def test_a_property_in_the_basic_form_is_no_date(text):
    """Numbers of orders look like it, and stored dates are compared as text first."""
    assert not is_date(text)


ZONES = st.none() | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
WRITTEN = st.builds(
    lambda at, zone, letter, point, digits, colon, utc: (
        at.strftime("%Y").zfill(4)
        + at.strftime(f"-%m-%d{letter}%H:%M:%S")
        + (point + digits if digits else "")
        + ("" if zone is None else utc if not zone.utcoffset(None) else _offset(zone, colon))
    ),
    st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)),  # noqa: DTZ001  by the wall clock
    ZONES,
    st.sampled_from("Tt "),
    st.sampled_from(".,"),
    st.text("0123456789", max_size=12),
    st.sampled_from([":", ""]),
    st.sampled_from("Zz"),
)


def _offset(zone: timezone, colon: str) -> str:
    minutes = int(zone.utcoffset(None).total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(text=WRITTEN)
def test_segments_read_the_same_of_what_is_stored(text):
    assert is_date(text)
    at = moment_read(text)
    at = at.astimezone(UTC) if at.tzinfo else at  # PostgreSQL takes no offsets beyond 16 hours
    sides = (at, at + timedelta(microseconds=1))
    instants, walls = (sides, (None, None)) if at.tzinfo else ((None, None), sides)
    with connection.cursor() as cursor:
        cursor.execute("SELECT segments_date_in(to_jsonb(%s::text), %s, %s, %s, %s)", [text, *instants, *walls])
        assert cursor.fetchone()[0] is True
        later = [None if one is None else one + timedelta(microseconds=1) for one in (*instants, *walls)]
        cursor.execute("SELECT segments_date_in(to_jsonb(%s::text), %s, %s, %s, %s)", [text, *later])
        assert cursor.fetchone()[0] is False


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.from_regex(
        r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]([Tt _][0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.,;][0-9]{0,8})?)?"
        r"([Zz]|[+-][0-9]{2}:?[0-9]{0,2})?)?\Z"
    )
)
@example("1900-02-29")
@example("2000-02-29")
@example("2026-11-30T10:00:00." + "1" * 60 + "Z")
def test_what_is_a_date_to_the_one_is_a_date_to_the_other(text):
    with connection.cursor() as cursor:
        cursor.execute("SELECT segments_date_in(to_jsonb(%s::text), NULL, NULL, NULL, NULL)", [text])
        assert (cursor.fetchone()[0] is True) == is_date(text)
