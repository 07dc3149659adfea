"""How a popup can end is one list: tables, statements, journeys, rules, pages and types all read it."""

import re
from pathlib import Path

import pytest

from campaigns.segment_fields import _ANSWERS, _POPUP_OUTCOMES
from devices.delivery.popup_outcomes import ASKED, ENDED, FIRST_BUTTON, OPEN, POPUP_OUTCOMES, SAID, PopupOutcome, in_sql
from devices.models import PopupOffer
from tests.checks.sources import ROOT, product_sources

_ONE = rf"""["']({"|".join(POPUP_OUTCOMES)})["']"""
_LISTS = {
    "a list": re.compile(rf"{_ONE}\s*[,|]\s*{_ONE}\s*[,|]\s*{_ONE}"),
    "a table": re.compile(rf"{_ONE}: [^\n]*,\n\s*{_ONE}: [^\n]*,\n\s*{_ONE}: "),
    "pairs": re.compile(rf"\({_ONE}, [^\n]*\),\n\s*\({_ONE}, [^\n]*\),\n\s*\({_ONE}, "),
    "open states": re.compile(r"""["']pending["'], ["']leased["'], ["']shown["']"""),
}


def test_no_file_writes_a_list_of_its_own():
    found = {
        (path.relative_to(ROOT), what)
        for path, text in product_sources(".py", ".js", ".html", ".ts")
        if "migrations" not in path.parts
        for what, written in _LISTS.items()
        if written.search(text)
    }
    assert found == {
        (Path("devices/delivery/popup_outcomes.py"), "open states"),
        (Path("devices/npm/smartpush.d.ts"), "a list"),  # held to ours below
    }


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a list", "x = ('allowed', 'blocked', 'later')"),
        ("a list", 'x = [\n    "later",\n    "closed",\n    "no_answer",\n]'),
        ("a table", 'x = {\n    "allowed": "Yes",\n    "blocked": "No",\n    "later": "Later",\n}'),
        ("pairs", 'x = (\n    ("allowed", "Yes"),\n    ("blocked", "No"),\n    ("later", "Later"),\n)'),
        ("open states", "state IN ('pending', 'leased', 'shown')"),
    ],
)
def test_a_second_list_would_be_noticed(what, text):
    assert _LISTS[what].search(text)


def test_an_offer_is_open_or_ended_and_has_no_other_state():
    assert PopupOffer.State.values == [*OPEN, *ENDED]
    assert not {*OPEN} & {*ENDED} and {*POPUP_OUTCOMES} < {*ENDED}
    assert {state.value: state.label for state in PopupOffer.State if state in POPUP_OUTCOMES} == {
        outcome.value: outcome.label for outcome in PopupOutcome
    }


def test_what_each_group_means():
    assert {"allowed", "blocked", "dismissed"} == ASKED
    assert {"allowed", "blocked", "dismissed", "clicked"} == FIRST_BUTTON
    assert SAID == ("allowed", "blocked", "later", "closed", "dismissed")
    assert in_sql(OPEN) == "('pending', 'leased', 'shown')"


def test_pages_may_hear_of_each_outcome_and_of_showing():
    types = (ROOT / "devices/npm/smartpush.d.ts").read_text()
    (union,) = re.findall(r"type PopupState = ([^;]+);", types)
    assert sorted(re.findall(r"'(\w+)'", union)) == sorted(["shown", *POPUP_OUTCOMES])


def test_rules_name_each_outcome_in_their_own_words():
    assert _POPUP_OUTCOMES == (
        ("shown", "shown"), ("allowed", "Allowed"), ("blocked", "Blocked"), ("later", "Maybe later"),
        ("closed", "Closed"), ("dismissed", "question dismissed"), ("clicked", "clicked"), ("no_answer", "no answer"),
    )  # fmt: skip
    assert _POPUP_OUTCOMES[1:6] == _ANSWERS
