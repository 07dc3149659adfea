"""docs/native/payload.md is what is really sent: its examples have exactly our fields, and its keys our values."""

import json
import re
from pathlib import Path

import pytest

from devices.models import Dispatch
from tests.support.native import Phone, native_app
from tests.support.sending import variant

pytestmark = pytest.mark.django_db
PAGE = Path(__file__).resolve().parents[3] / "docs" / "native" / "payload.md"
EXAMPLES = [json.loads(block)["message"] for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.S)]
WORDS = variant(
    title="Your order is on its way",
    message="It comes on Friday.",
    url="https://books.example/orders/12",
    deep_link="harbour://orders/12",
    image="https://books.example/i.png",
    buttons=[{"id": "b1", "title": "Track", "url": "", "deep_link": "harbour://orders/12/track"}],
)


def leaves(value, path=""):
    if not isinstance(value, dict):
        return {path}
    return {leaf for name, item in value.items() for leaf in leaves(item, f"{path}/{name}")}


@pytest.fixture
def sent(channel):
    def send(kind, words=WORDS, *, content=None, **fields):
        app = native_app(
            channel.brand, kind, url=channel.service.url, sound="default", android_channel_id="offers",
            android_icon="ic_push",
        )  # fmt: skip
        phone = Phone(app, channel.service.fcm_tokens(1)[0])
        phone.open("ann")
        dispatch = channel.dispatch(variants={"en": words}, **fields)
        if content:
            row = Dispatch.objects.get(pk=dispatch)
            row.content |= content
            row.save(update_fields=["content"])
        channel.add(dispatch, phone)
        channel.send_due()
        return channel.service.messages(token=phone.token)[0]["message"]

    return send


@pytest.mark.parametrize(("kind", "example"), list(zip(["android", "ios"], EXAMPLES, strict=True)))
def test_the_page_s_example_has_exactly_the_fields_that_are_sent(sent, kind, example):
    message = sent(kind, content={"app_badge": 1})

    assert leaves(message) == leaves(example)
    assert message["notification"] == example["notification"]
    fixed = {key: value for key, value in message["data"].items() if key not in _CHANGING}
    assert fixed == {key: value for key, value in example["data"].items() if key not in _CHANGING}


_CHANGING = {"smartpush_id", "smartpush_report_url", "smartpush_report_token"}


def test_every_data_key_is_text_under_our_prefix_and_on_the_page(sent):
    data = sent("android")["data"]

    assert all(key.startswith("smartpush_") and isinstance(value, str) and value for key, value in data.items())
    table = PAGE.read_text().partition("## Data keys")[2].partition("##")[0]
    assert data.keys() == set(re.findall(r"`(smartpush_[a-z_]+)`", table))


def test_without_link_and_buttons_their_keys_are_left_out(sent):
    data = sent("ios", variant())["data"]

    assert not {"smartpush_link", "smartpush_actions"} & data.keys()


def test_without_a_deep_link_the_address_is_opened_with_its_tags(sent):
    data = sent("android", variant(url="https://books.example/a"), content={"utm": {"source": "push"}})["data"]

    assert data["smartpush_link"] == "https://books.example/a?utm_source=push"


def test_a_silent_push_has_no_sound(sent):
    assert "sound" not in sent("ios", content={"silent": True})["apns"]["payload"]["aps"]


def test_one_set_of_buttons_has_one_category_and_another_set_another(sent, channel):
    first = sent("ios")["apns"]["payload"]["aps"]["category"]

    assert re.fullmatch(r"smartpush_[0-9a-f]{16}", first)
    other = {**WORDS, "buttons": [{"id": "b1", "title": "Other", "url": ""}]}
    phone = Phone(channel.brand.apps.get(kind="ios"), channel.service.fcm_tokens(1)[0])
    phone.open("bob")
    channel.push(phone, key="other", variants={"en": other})
    assert channel.service.messages(token=phone.token)[0]["message"]["apns"]["payload"]["aps"]["category"] != first


@pytest.mark.parametrize(("kind", "field"), [("android", "ttl"), ("ios", "apns-expiration")])
def test_the_time_to_live_is_what_is_left_of_it(sent, channel, kind, field):
    message = sent(kind, ttl=120)

    if kind == "android":
        assert 110 <= int(message["android"]["ttl"].removesuffix("s")) <= 120
    else:
        assert 110 <= int(message["apns"]["headers"][field]) - channel.now.timestamp() <= 121
