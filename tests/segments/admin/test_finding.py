"""The field picker finds, beside the fields, events and markers that the brand really has."""

import pytest

from devices.models import EndUser
from tests.segments.admin.conftest import address
from tests.segments.admin.events import happened


@pytest.fixture
def found(editor):
    def found(typed):
        return editor.get(address("find"), {"q": typed}).json()["found"]

    return found


@pytest.fixture
def seen(brand, theirs):
    EndUser.objects.filter(brand=brand).update(js_markers=["DEPOSITOR", "NEWS"], external_markers=[])
    for name in ("deposit", "first-deposit", "page_view", "orderTotal"):
        happened(brand, name)
    happened(theirs, "deposit-of-theirs")
    EndUser.objects.filter(brand=theirs).update(js_markers=["DEPOSIT_THEIRS"])


def test_a_word_finds_events_and_markers_of_this_brand_alone(found, seen):
    marker, event, other = found("Deposit")
    assert event == {"id": "event", "label": "deposit", "group": "Events", "params": {"name": "deposit"}}
    assert other["params"] == {"name": "first-deposit"}
    assert (marker["id"], marker["value"], marker["group"]) == ("js_markers", "DEPOSITOR", "JS markers")
    assert marker["count"] >= 20


@pytest.mark.parametrize(
    ("typed", "labels"),
    [
        ("view, page", ["page_view"]),
        ("PAGE_VIEW", ["page_view"]),
        ("event deposit first", ["first-deposit"]),
        ("js marker news", ["NEWS"]),
        ("deposits", ["DEPOSITOR", "deposit", "first-deposit"]),
        ("event is deposit", ["DEPOSITOR", "deposit", "first-deposit"]),
        ("property of the deposit", ["DEPOSITOR", "deposit", "first-deposit"]),
        ("total", ["orderTotal"]),
        ("ordertot", ["orderTotal"]),
        ("depositt", ["DEPOSITOR", "deposit", "first-deposit"]),
        ("page veiw", ["page_view"]),
        ("orderTotla", ["orderTotal"]),
        ("evnt deposit", ["deposit", "first-deposit"]),
        ("deposit gone", []),
        ("posit", []),  # words are found by their beginnings
        ("des", []),  # a short word is no plural
        ("event", []),  # the field itself is what is meant
        ("d", []),
        ("", []),
        ("\x00", []),
        ("withdrawal", []),
    ],
)
def test_all_words_have_to_be_in_it_and_one_of_them_in_its_own_name(found, seen, typed, labels):
    assert [item["label"] for item in found(typed)] == labels


def test_a_slip_finds_nothing_beside_what_has_the_word(found, brand, seen):
    happened(brand, "depositt")
    assert [item["label"] for item in found("depositt")] == ["depositt"]


def test_what_is_too_slow_finds_nothing_and_fails_nothing(found, seen, monkeypatch):
    monkeypatch.setattr("segments.selectors.names.suggesting.WITHIN", 0)
    assert found("deposit") == []
