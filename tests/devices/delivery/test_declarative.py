"""What Safari is sent: a declarative document by the published rules, with our own message beside it; and UTM tags.

The rules are those of the Push API's declarative push message (W3C editor's draft, 2025): `web_push` is the number
8030; `notification` an object whose `title` and `navigate` are required text, `navigate` a URL that parses; `dir` one
of three words; `silent` a boolean; each action has text `action`, `title` and `navigate`; `app_badge` an unsigned
integer; `mutable` a boolean.
"""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import pytest

from assets.services.push import SAMPLE_ROW
from devices.delivery.sending.render import BrandFacts, payload_render
from devices.delivery.sending.tagging import utm_tagged
from devices.delivery.transports.encryption import MAX_PLAINTEXT

FACTS = BrandFacts(name="Acme", click_hosts=frozenset({"www.example.com"}), home="https://www.example.com/")
SAFARI = replace(SAMPLE_ROW, endpoint="https://web.push.apple.com/abc", expires_at=datetime(2026, 12, 1, tzinfo=UTC))
VARIANT = {
    "title": "Hi {{ user.first_name | default: 'you' }}",
    "message": "There",
    "icon": "https://cdn.example.net/i.png",
    "url": "https://www.example.com/bonus",
    "buttons": [
        {"id": "b1", "title": "Play", "url": "https://www.example.com/play"},
        {"id": "b2", "title": "Close", "url": ""},
    ],
}


def sent(row=SAFARI, facts=FACTS, **changes):
    content = {"default_language": "en", "variants": {"en": VARIANT}} | changes
    payload = payload_render(row=row, day=date(2026, 11, 23), content=content, brand=facts)
    assert len(payload) <= MAX_PLAINTEXT
    return json.loads(payload)


def fault(document):
    """The first published rule that the document breaks, or None."""
    notification = document.get("notification")
    if type(document.get("web_push")) is not int or document["web_push"] != 8030:
        return "web_push"
    if not isinstance(notification, dict):
        return "notification"
    for name in ("title", "navigate"):
        if not isinstance(notification.get(name), str) or not notification[name]:
            return name
    for name in ("lang", "body", "tag", "icon", "image", "badge"):
        if not isinstance(notification.get(name, ""), str):
            return name
    if notification.get("dir", "auto") not in {"auto", "ltr", "rtl"}:
        return "dir"
    if type(notification.get("silent", False)) is not bool or type(document.get("mutable", False)) is not bool:
        return "silent"
    badge = document.get("app_badge", 0)
    if type(badge) is not int or not 0 <= badge < 2**64:
        return "app_badge"
    addresses = [notification["navigate"]]
    for action in notification.get("actions", []):
        if not all(isinstance(action.get(name), str) and action[name] for name in ("action", "title", "navigate")):
            return "actions"
        addresses.append(action["navigate"])
    absolute = all(urlsplit(address).scheme == "https" and urlsplit(address).netloc for address in addresses)
    return None if absolute else "navigate"


def test_safari_gets_a_declarative_document_by_the_published_rules():
    document = sent(app_badge=3, silent=True)
    assert fault(document) is None
    notification = document["notification"]
    assert (notification["title"], notification["body"], notification["lang"]) == ("Hi you", "There", "en")
    assert (notification["dir"], notification["silent"]) == ("ltr", True)
    assert notification["navigate"] == "https://www.example.com/bonus"
    # The second button has no address and only closes: the browser itself knows no such button.
    assert [item["navigate"] for item in notification["actions"]] == ["https://www.example.com/play"]
    assert (document["app_badge"], notification["app_badge"], document["mutable"]) == (3, "3", True)


def test_our_own_message_comes_first_so_that_the_service_worker_handles_it():
    document = sent()
    assert next(iter(document)) == "smartpush"
    ours = document["smartpush"]
    assert (ours["title"], ours["url"]) == ("Hi you", "https://www.example.com/bonus")
    assert document["notification"]["tag"] == ours["tag"]
    assert document["notification"]["data"]["smartpush"] == {"id": ours["id"], "report": ours["report"]}


@pytest.mark.parametrize("endpoint", ["https://fcm.googleapis.com/x", "https://push.apple.com.evil.example/x", ""])
def test_nobody_else_gets_one(endpoint):
    assert list(sent(row=replace(SAFARI, endpoint=endpoint))) == ["smartpush"]


def test_a_push_that_opens_nothing_leads_to_the_brands_page_and_without_one_it_is_not_declarative():
    quiet = {"en": VARIANT | {"url": "", "buttons": []}}
    document = sent(variants=quiet)
    assert fault(document) is None
    assert document["notification"]["navigate"] == "https://www.example.com/"
    assert list(sent(variants=quiet, facts=replace(FACTS, home=""))) == ["smartpush"]


def test_a_right_to_left_language_is_shown_so():
    document = sent(default_language="ar", variants={"ar": VARIANT})
    assert (document["notification"]["lang"], document["notification"]["dir"]) == ("ar", "rtl")


def test_what_does_not_fit_twice_is_sent_once():
    assert list(sent(variants={"en": VARIANT | {"message": "x" * 2000}})) == ["smartpush"]


def test_the_number_on_the_icon_can_be_taken_away_and_is_else_left_alone():
    assert sent(app_badge=0)["app_badge"] == 0
    assert "app_badge" not in sent()
    assert "app_badge" not in sent()["notification"]


def test_the_click_and_the_buttons_carry_the_tags():
    document = sent(utm={"source": "smartpush", "medium": "push"})
    tags = "?utm_source=smartpush&utm_medium=push"
    assert (
        document["smartpush"]["url"] == document["notification"]["navigate"] == f"https://www.example.com/bonus{tags}"
    )
    assert document["smartpush"]["actions"][0]["url"] == f"https://www.example.com/play{tags}"
    assert document["smartpush"]["actions"][1]["url"] == ""


@pytest.mark.parametrize(
    ("url", "tagged"),
    [
        ("https://a.example/", "https://a.example/?utm_source=s%26p&utm_campaign=x%20y"),
        ("https://a.example/?q=%C3%A9+1#top", "https://a.example/?q=%C3%A9+1&utm_source=s%26p&utm_campaign=x%20y#top"),
        ("https://a.example/?utm_source=mine", "https://a.example/?utm_source=mine&utm_campaign=x%20y"),
        ("shop://books/42", "shop://books/42"),
        ("", ""),
    ],
)
def test_tags_are_added_to_web_addresses_and_leave_what_is_there(url, tagged):
    assert utm_tagged(url, {"source": "s&p", "campaign": "x y", "medium": ""}) == tagged
