"""Public ids and report tokens: reversible by us only."""

from datetime import UTC, date, datetime

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from smartpush.common.ids import (
    preference_token,
    public_id,
    read_preference_token,
    read_report_token,
    report_token,
    row_number,
    topic,
)

KINDS = ["device", "end_user", "offer", "delivery"]
ROWS = st.integers(0, 2**63 - 1)
DAYS = st.dates(date(2020, 1, 1), date(2190, 1, 1))


@given(kind=st.sampled_from(KINDS), number=ROWS)
def test_a_public_id_leads_back_to_its_row_and_to_no_other_kind(kind, number):
    public = public_id(kind, number)
    assert len(public) == 16
    assert row_number(kind, public) == number
    assert [row_number(other, public) for other in KINDS if other != kind] == [None] * 3


@given(number=ROWS, day=DAYS)
def test_a_report_token_leads_back_to_its_delivery(number, day):
    token = report_token(number, day)
    assert len(token) == 36
    assert read_report_token(token) == (number, day)


@given(number=ROWS, place=st.integers(0, 35), letter=st.sampled_from("AQgw09_-"))
def test_one_changed_letter_makes_both_worthless(number, place, letter):
    token, public = report_token(number, date(2026, 11, 23)), public_id("offer", number)
    forged = token[:place] + letter + token[place + 1 :]
    assert forged == token or read_report_token(forged) is None
    spot = place % 16
    wrong = public[:spot] + letter + public[spot + 1 :]
    assert wrong == public or row_number("offer", wrong) is None


@given(text=st.text(max_size=60))
def test_anything_else_is_nothing(text):
    assert row_number("offer", text) is None
    assert read_report_token(text) is None


@pytest.mark.parametrize("dirt", ["=", " ", "\n", "!", "é"])
def test_there_is_one_way_to_write_each(dirt):
    public, token = public_id("offer", 7), report_token(7, date(2026, 11, 23))
    assert row_number("offer", public[:5] + dirt + public[5:]) is None
    assert row_number("offer", public + dirt) is None
    assert read_report_token(token + dirt) is None
    assert read_report_token(token.replace("-", "+").replace("_", "/") + dirt) is None


def test_neighbours_have_nothing_in_common():
    ids = [public_id("offer", number) for number in range(1000)]
    assert len(set(ids)) == 1000
    assert len({public[:3] for public in ids}) > 900


def test_ids_of_another_key_are_not_ours(settings):
    public, token = public_id("offer", 7), report_token(7, date(2026, 11, 23))
    settings.SMARTPUSH_ID_KEY = "another key of thirty-two characters"
    assert row_number("offer", public) is None
    assert read_report_token(token) is None


def test_a_topic_is_one_of_a_message_and_fits_the_header():
    assert len(topic(1)) == 32
    assert topic(1) == topic(1) != topic(2)


def test_what_an_accepted_key_made_is_read_and_the_newest_makes_all(settings):
    old, new = settings.SMARTPUSH_ID_KEY, "another key of thirty-two characters"
    day, until = date(2026, 11, 23), datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    public, report, link = public_id("offer", 7), report_token(7, day), preference_token(7, until)
    settings.SMARTPUSH_ID_KEY, settings.SMARTPUSH_ACCEPTED_ID_KEYS = new, ("x" * 32, old)
    assert row_number("offer", public) == 7
    assert read_report_token(report) == (7, day)
    assert read_preference_token(link) == (7, until)
    assert row_number("device", public) is None
    made = public_id("offer", 7), report_token(7, day), preference_token(7, until)
    assert not {public, report, link} & set(made)
    settings.SMARTPUSH_ACCEPTED_ID_KEYS = ()
    assert (row_number("offer", made[0]), read_report_token(made[1])) == (7, (7, day))
    assert read_preference_token(made[2]) == (7, until)
    assert (row_number("offer", public), read_report_token(report), read_preference_token(link)) == (None,) * 3


def test_a_process_that_does_not_make_ids_with_the_new_key_yet_reads_them(settings):
    """So a rotation begins: every process accepts the new key before the first one uses it."""
    old, new = settings.SMARTPUSH_ID_KEY, "another key of thirty-two characters"
    settings.SMARTPUSH_ID_KEY = new
    made = public_id("device", 7)
    settings.SMARTPUSH_ID_KEY, settings.SMARTPUSH_ACCEPTED_ID_KEYS = old, (new,)
    assert row_number("device", made) == 7


@given(number=ROWS, day=DAYS, place=st.integers(0, 35), letter=st.sampled_from("AQgw09_-"))
def test_two_keys_accept_no_forgery(number, day, place, letter):
    with override_settings(SMARTPUSH_ACCEPTED_ID_KEYS=("another key of thirty-two characters",)):
        token = report_token(number, day)
        forged = token[:place] + letter + token[place + 1 :]
        assert forged == token or read_report_token(forged) is None
