"""Dates in texts show on the clock of the person who reads them."""

from datetime import UTC, datetime

import pytest
import time_machine

from smartpush.common.personalisation import CannotRender, Meter, render

NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
VALUES = {
    "user": {
        "moment": "2026-11-30T23:30:00Z",
        "away": "2026-11-30T18:30:00-05:00",
        "parts": "2026-11-30T23:30:00.1234567Z",
        "mail": "Mon, 30 Nov 2026 23:30:00 +0000",
        "seconds": 1796081400,
        "digits": "1796081400",
        "wall": "2026-11-30T10:00:00",
        "day": "2026-11-30",
        "soon": "soon",
        "first": "0001-01-01T00:00:00Z",
        "last": "9999-12-31T23:59:59Z",
    }
}


def shown(text, zone):
    return render(text, VALUES, meter=Meter(zone=zone))


@pytest.mark.parametrize("name", ["'now'", "'today'"])
@pytest.mark.parametrize(
    ("zone", "words"),
    [("UTC", "30 23:30 +0000"), ("Europe/Berlin", "01 00:30 +0100"), ("America/New_York", "30 18:30 -0500"),
     ("Asia/Kolkata", "01 05:00 +0530")],
)  # fmt: skip
def test_now_and_today_are_those_of_the_zone(name, zone, words):
    with time_machine.travel(NOW, tick=False):
        assert shown(f"{{{{ {name} | date: '%d %H:%M %z' }}}}", zone) == words


@pytest.mark.parametrize("name", ["moment", "away", "parts", "mail", "seconds", "digits"])
def test_a_moment_shows_on_the_clock_of_the_zone_whatever_it_is_written_in(name):
    assert shown(f"{{{{ user.{name} | date: '%d %H:%M %Z' }}}}", "Europe/Berlin") == "01 00:30 CET"
    assert shown(f"{{{{ user.{name} | date: '%d %H:%M %Z' }}}}", "America/New_York") == "30 18:30 EST"


@pytest.mark.parametrize(("name", "words"), [("wall", "30 10:00 "), ("day", "30 00:00 ")])
def test_what_names_no_offset_stays_as_it_is_written(name, words):
    assert shown(f"{{{{ user.{name} | date: '%d %H:%M %z' }}}}", "Asia/Tokyo") == words


def test_seconds_since_1970_are_the_same_everywhere():
    for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
        assert shown("{{ user.moment | date: '%s' }}", zone) == "1796081400"
        assert shown("{{ user.moment | date: '%%s %d' }}", zone)[:3] == "%s "


def test_what_is_no_date_or_lies_beyond_all_clocks_is_shown_as_before():
    assert shown("{{ user.soon | date: '%H' }}", "Asia/Tokyo") == "soon"
    assert shown("{{ user.none | date: '%H' }}", "Asia/Tokyo") == ""
    assert shown("{{ user.first | date: '%H' }}", "America/New_York") == "00"
    assert shown("{{ user.last | date: '%H' }}", "Asia/Tokyo") == "23"


@pytest.mark.parametrize("form", ["5", "1.5", "true", "(1..2)"])
def test_a_format_that_is_no_text_is_refused_with_what_to_write(form):
    with pytest.raises(CannotRender, match="text in quotation marks") as refusal:
        shown(f"{{{{ user.moment | date: {form} }}}}", "UTC")
    assert "strftime" not in str(refusal.value)
