"""A bad optional part costs nothing but itself: what is kept, what is told, and what alone is refused."""

import base64
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices.models import Brand, Device, EndUser, Event, PropertyDefinition
from smartpush.api.sdk.auth import _sites
from smartpush.common.calls.left_out import MOST, LeftOutCode
from tests.api.page import event, post
from tests.api.phone import Phone
from tests.api.server.client import Server
from tests.support.identity_tokens import Signer
from tests.support.native import native_app
from tests.support.people import person


def told(answer: dict) -> list[tuple[str, str]]:
    return [(one["field"], one["code"]) for one in answer.get("left_out", [])]


@pytest.mark.parametrize(
    ("field", "given", "most"),
    [
        ("app_version", "2026.11.30-feature/checkout-redesign+4711", 32),
        ("model", "Samsung Galaxy S26 Ultra Special Edition for the Olympic Games in Milan", 64),
        ("os_version", "Android 16 (Baklava) QPR2 Beta 3.1, security 2026-11", 32),
        ("browser_version", "1" * 90, 32),
        ("os", "a system of a very long name", 16),
    ],
)
def test_a_text_of_a_native_session_that_is_too_long_is_shortened(brand, field, given, most):
    phone = Phone(native_app(brand, "android"))
    answer = phone.session(external_id="ann", device={field: given})
    assert (answer["status"], phone.device.holder.external_id) == ("allowed", "ann")
    if field != "browser_version":  # an app has no browser
        assert getattr(phone.device, field) == given[:most]
    assert told(answer) == [(f"device.{field}", "shortened")]
    assert str(most) in answer["left_out"][0]["message"]


@pytest.mark.parametrize("path", ["session", "identify"])
def test_a_bad_property_leaves_the_visitor_named_and_the_good_ones_kept(page, path):
    page.session()
    given = {"tier": "gold", "tags": ["a", "b"], "city": {"name": "Rome"}, "n" * 65: 1, "": 2, "age": 30}
    answer = page.session(path=path, external_id="n1", properties=given)
    assert answer["end_user"]["anonymous"] is False
    assert person(page.brand, "n1").properties == {"tier": "gold", "age": 30}
    assert told(answer) == [
        ("properties.tags", "wrong_type"),
        ("properties.city", "wrong_type"),
        ("properties." + "n" * 65, "too_long"),
        ("properties", "too_long"),
    ]
    accepted = page.call("events", events=[event()])
    assert accepted["accepted"] == 1


@pytest.mark.parametrize(
    ("given", "kept", "code"),
    [
        ({f"p{n}": n for n in range(70)}, 64, "too_many"),
        ({f"p{n}": "ε" * 1000 for n in range(6)}, 4, "too_large"),
        ({"n": 10**400}, 0, "too_large"),
        ({"n": -(10**400)}, 0, "too_large"),
        ({"n": 10**300}, 1, None),
        ("text", 0, "wrong_type"),
        ([1, 2], 0, "wrong_type"),
    ],
)
def test_of_too_many_properties_the_first_are_kept(page, given, kept, code):
    answer = page.session(external_id="ann", properties=given)
    assert len(person(page.brand, "ann").properties) == kept
    assert {one[1] for one in told(answer)} == ({code} if code else set())
    answer = page.call("events", events=[event(properties=given)])
    assert len(Event.objects.get(name="deposit").properties) == kept
    assert {one[1] for one in told(answer)} == ({code} if code else set())


def test_properties_of_another_type_than_the_brands_are_told(page, brand):
    Server(brand).users({"external_id": "ann", "properties": {"balance": 5, "born": "1990-01-01"}})
    answer = page.session(external_id="ann", properties={"balance": "much", "born": "long ago", "bal\u200bance": 1})
    assert told(answer) == [
        ("properties.balance", "property_type"),
        ("properties.born", "property_type"),
        ("properties.bal\u200bance", "characters"),
    ]
    assert "a number" in answer["left_out"][0]["message"]
    assert told(page.session(external_id="ann", properties={"balance": 6})) == []


def test_what_is_said_of_a_person_who_is_not_proven_is_told(brand, page):
    page.session(external_id="ann")
    Signer(brand)
    Brand.objects.update(identity_mode="enforce")
    _sites.clear()  # what is remembered for two seconds
    answer = page.session(properties={"vip": True}, language="el")
    assert told(answer) == [("language", "unproven"), ("properties", "unproven")]
    assert person(brand, "ann").properties == {}


@pytest.mark.parametrize("language", ["C", "POSIX", "English", "123", "e", "x" * 65, ["en"], {}, True, 7])
def test_a_language_that_is_none_costs_neither_identify_nor_the_first_event(page, language):
    answer = page.session(path="identify", external_id="ann", language=language)
    assert answer["end_user"]["external_id"] == "ann"
    assert [one[0] for one in told(answer)] == ["language"]
    assert page.call("events", events=[event()])["accepted"] == 1


@pytest.mark.parametrize(
    "occurred_at", ["2026-11-30T10:00:00", "2026-11-30", "yesterday", 1764500000, "2026-02-30T10:00:00Z", ["now"]]
)
def test_an_event_whose_time_cannot_be_told_is_kept_with_the_time_of_receipt(page, occurred_at):
    page.session(external_id="ann")
    before = datetime.now(UTC)
    answer = page.call("events", events=[event("first"), event(occurred_at=occurred_at)])
    assert (answer["accepted"], answer["errors"]) == (2, [])
    assert Event.objects.get(name="deposit").occurred_at >= before
    offset_missing = isinstance(occurred_at, str) and occurred_at.startswith("2026-11-30")
    assert told(answer) == [("events.1.occurred_at", "no_offset" if offset_missing else "unreadable")]
    assert "time of receipt" in answer["left_out"][0]["message"]


@pytest.mark.parametrize(
    ("ago", "kept", "codes"),
    [
        (timedelta(days=2000), timedelta(days=3), ["out_of_range"]),
        (timedelta(days=3, minutes=1), timedelta(days=3), ["out_of_range"]),
        (timedelta(days=2, hours=23), timedelta(days=2, hours=23), []),
        (-timedelta(minutes=4), timedelta(0), []),
        (-timedelta(minutes=6), timedelta(0), ["out_of_range"]),
        (-timedelta(days=2000), timedelta(0), ["out_of_range"]),
    ],
)
def test_a_time_that_no_event_of_now_can_have_is_changed_and_told(page, ago, kept, codes):
    page.session(external_id="ann")
    now = datetime.now(UTC)
    answer = page.call("events", events=[event("first"), event(occurred_at=(now - ago).isoformat())])
    assert (answer["accepted"], answer["errors"]) == (2, [])
    assert told(answer) == [("events.1.occurred_at", code) for code in codes]
    assert abs(Event.objects.get(name="deposit").occurred_at - (now - kept)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    "written", ["{:%Y-%m-%dT%H:%M:%S}.1234567Z", "{:%Y-%m-%dt%H:%M:%S},123z", "{:%Y-%m-%d %H:%M:%S}+0000"]
)
def test_an_events_time_may_be_written_as_programs_write_it(page, written):
    page.session(external_id="ann")
    at = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    answer = page.call("events", events=[event(occurred_at=written.format(at))])
    assert "left_out" not in answer
    assert abs(Event.objects.get(name="deposit").occurred_at - at) < timedelta(seconds=1)


def test_a_long_id_of_an_event_still_tells_it_apart(page):
    page.session(external_id="ann")
    one, other = event(id="x" * 300), event(id="x" * 299 + "y")
    answer = page.call("events", events=[one, other, one])
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    assert ("events.0.id", "shortened") in told(answer)


def test_halves_of_emoji_and_nul_are_replaced_and_told(page):
    answer = page.session(external_id="ann", properties={"nick": "Zoë \ud83d", "a\x00": "b\x00c", "fine": "🎉"})
    assert person(page.brand, "ann").properties == {"nick": "Zoë \ufffd", "a\ufffd": "b\ufffdc", "fine": "🎉"}
    assert told(answer) == [
        ("properties.nick", "characters"),
        ("properties.a\ufffd", "characters"),
        ("properties.a\ufffd", "characters"),
    ]


@pytest.mark.parametrize("name", ["ann\ud83d", "ann\x00", "ann\ufffd"])
def test_a_name_whose_characters_cannot_be_kept_is_refused(page, name):
    error = page.session(external_id=name, expect=400)
    assert list(error["fields"]) == ["external_id"]
    assert not EndUser.objects.exists()


def standard(text: str) -> str:
    """The same bytes in standard base64, with padding."""
    return base64.b64encode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))).decode()


@pytest.mark.parametrize("padded", [True, False])
def test_keys_in_standard_base64_are_taken(page, padded):
    page.allow()
    push = page.push
    for name in ("p256dh", "auth", "vapid_key"):
        text = standard(push["subscription"][name])
        push["subscription"][name] = text if padded else text.rstrip("=")
    assert page.session(external_id="ann", push=push)["status"] == "allowed"
    assert bytes(page.device.p256dh) == page.subscription.p256dh
    assert bytes(page.device.auth) == page.subscription.auth


def test_every_key_of_standard_base64_is_the_same_key(page):
    plus = slash = False
    for _ in range(40):
        page.allow()
        push = page.push
        text = standard(push["subscription"]["p256dh"])
        plus, slash = plus or "+" in text, slash or "/" in text
        push["subscription"]["p256dh"] = text
        assert page.session(push=push)["status"] == "allowed"
    assert plus and slash  # both letters that differ were tried


def test_a_mix_of_both_alphabets_is_no_key(page):
    page.allow()
    push = page.push
    push["subscription"]["auth"] = "ab+/ab-_ab+/ab-_ab+/ab"
    assert page.session(push=push, expect=400)["fields"]


def test_one_bad_report_does_not_cost_the_others(db):
    good = {"token": "x" * 40, "kind": "displayed"}
    answer = post("reports", {"reports": [good, {"kind": "displayed"}, None, good | {"kind": "opened"}]}).json()
    assert answer["accepted"] == 0  # a token that we never gave out
    assert [one["field"] for one in answer["left_out"]] == ["reports.1", "reports.2", "reports.3"]


def test_a_withdrawal_of_consent_is_kept_whatever_its_time_and_language(page):
    page.session()
    answer = page.call("consents", subject="tracking", answer="withdrawn", at="yesterday", language="x" * 90)
    assert answer["ok"] is True
    assert told(answer) == [("at", "unreadable"), ("language", "unreadable")]


def test_a_consent_that_is_none_does_not_cost_the_session(page):
    answer = page.session(external_id="ann", consent={"answer": "perhaps"})
    assert [one[0] for one in told(answer)] == ["consent"]


def test_an_answer_names_a_bounded_number_of_parts(page):
    page.session()
    bad = {f"p{n}": [n] for n in range(60)}
    answer = page.call("events", events=[event(properties=bad) for _ in range(20)])
    assert (answer["accepted"], len(answer["left_out"])) == (20, MOST)


def test_an_answer_says_nothing_where_all_was_kept_as_it_came(page):
    page.allow()
    assert "left_out" not in page.session(external_id="ann", properties={"a": 1}, language="pt_br")
    assert "left_out" not in page.call("events", events=[event()])
    assert "left_out" not in page.call("markers", operation="add", markers=["news"])


def test_a_page_learns_no_types(page):
    page.session(external_id="ann", properties={"when": "2026-11-30T10:00:00.1234567Z"})
    assert not PropertyDefinition.objects.exists()
    assert Device.objects.count() == 1


def test_every_code_is_documented_and_no_other():
    text = (Path(__file__).parents[2] / "docs/sdk.md").read_text()
    section = text[text.index("### What is left out") : text.index("## What it does by itself")]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == {code.value for code in LeftOutCode}
