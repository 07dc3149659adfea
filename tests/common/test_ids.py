"""Public ids and report tokens: reversible by us only."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartpush.common.ids import public_id, read_report_token, report_token, row_number, topic

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
