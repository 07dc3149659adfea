"""What we rely on in firebase-admin: its message classes, its checks, and its private encoder.

The table of fields is FCM's HTTP v1 reference (projects.messages): the name of each field that we send, the type and
the form that its JSON has there. An upgrade of firebase-admin that changes a body fails here.
"""

import json
import re
import warnings

import pytest
from firebase_admin import messaging
from firebase_admin._messaging_encoder import MessageEncoder

from devices.delivery.transports.base import SendRefused
from devices.delivery.transports.fcm.encoder import NativeMessage, encode

TOKEN = "c0ffee:APA91b-x_y"
EVERYTHING = {
    "token": TOKEN,
    "title": "Grüße, Ann",
    "body": "There is “more”",
    "data": {"smartpush_v": "1", "smartpush_link": "harbour://p/1"},
    "tag": "T" * 32,
    "ttl": 3600,
    "expires_at": 1_800_000_000,
    "image": "https://books.example/i.png",
    "sound": "bell.caf",
    "channel_id": "offers",
    "icon": "ic_push",
    "badge": 3,
    "category": "smartpush_0011",
    "thread": "abc",
}


def body(platform: str, **fields) -> dict:
    return json.loads(encode(NativeMessage(platform=platform, **(EVERYTHING | fields))))


TEXT = re.compile(r".+", re.S)
FIELDS = [
    ("android", "token", str, TEXT),
    ("android", "notification.title", str, TEXT),
    ("android", "notification.body", str, TEXT),
    ("android", "data.smartpush_link", str, TEXT),
    ("android", "android.priority", str, re.compile(r"high|normal")),
    ("android", "android.ttl", str, re.compile(r"\d+(\.\d{1,9})?s")),
    ("android", "android.notification.channel_id", str, TEXT),
    ("android", "android.notification.icon", str, TEXT),
    ("android", "android.notification.sound", str, TEXT),
    ("android", "android.notification.tag", str, TEXT),
    ("android", "android.notification.image", str, re.compile(r"https://.+")),
    ("ios", "token", str, TEXT),
    ("ios", "notification.title", str, TEXT),
    ("ios", "notification.body", str, TEXT),
    ("ios", "data.smartpush_link", str, TEXT),
    ("ios", "apns.headers.apns-push-type", str, re.compile(r"alert")),
    ("ios", "apns.headers.apns-priority", str, re.compile(r"10|5|1")),
    ("ios", "apns.headers.apns-expiration", str, re.compile(r"\d{1,10}")),
    ("ios", "apns.headers.apns-collapse-id", str, re.compile(r".{1,64}")),
    ("ios", "apns.payload.aps.badge", int, None),
    ("ios", "apns.payload.aps.sound", str, TEXT),
    ("ios", "apns.payload.aps.category", str, TEXT),
    ("ios", "apns.payload.aps.thread-id", str, TEXT),
    ("ios", "apns.payload.aps.mutable-content", int, None),
    ("ios", "apns.fcm_options.image", str, re.compile(r"https://.+")),
]


def leaves(value, path=""):
    if not isinstance(value, dict):
        return {path}
    return {leaf for name, item in value.items() for leaf in leaves(item, f"{path}.{name}".lstrip("."))}


@pytest.mark.parametrize(("platform", "path", "kind", "form"), FIELDS, ids=lambda value: str(value)[:40])
def test_each_field_has_the_name_type_and_form_of_fcm_s_reference(platform, path, kind, form):
    value = body(platform)["message"]
    for name in path.split("."):
        value = value[name]

    assert type(value) is kind
    assert form is None or form.fullmatch(value)


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_nothing_is_sent_that_the_table_does_not_name(platform):
    known = {path for kind, path, *_ in FIELDS if kind == platform} | {"data.smartpush_v"}

    whole = body(platform)

    assert list(whole) == ["message"]
    assert leaves(whole["message"]) == known


def test_an_android_body_is_exactly_this():
    assert body("android") == {
        "message": {
            "token": TOKEN,
            "notification": {"title": "Grüße, Ann", "body": "There is “more”"},
            "data": {"smartpush_v": "1", "smartpush_link": "harbour://p/1"},
            "android": {
                "priority": "high",
                "ttl": "3600s",
                "notification": {
                    "channel_id": "offers",
                    "icon": "ic_push",
                    "sound": "bell.caf",
                    "image": "https://books.example/i.png",
                    "tag": "T" * 32,
                },
            },
        }
    }


def test_an_ios_body_is_exactly_this():
    assert body("ios") == {
        "message": {
            "token": TOKEN,
            "notification": {"title": "Grüße, Ann", "body": "There is “more”"},
            "data": {"smartpush_v": "1", "smartpush_link": "harbour://p/1"},
            "apns": {
                "headers": {
                    "apns-push-type": "alert",
                    "apns-priority": "10",
                    "apns-expiration": "1800000000",
                    "apns-collapse-id": "T" * 32,
                },
                "payload": {
                    "aps": {
                        "badge": 3,
                        "sound": "bell.caf",
                        "category": "smartpush_0011",
                        "thread-id": "abc",
                        "mutable-content": 1,
                    }
                },
                "fcm_options": {"image": "https://books.example/i.png"},
            },
        }
    }


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_what_is_not_set_is_not_sent(platform):
    empty = dict.fromkeys(("image", "sound", "channel_id", "icon", "category", "thread"), "")

    message = body(platform, badge=None, **empty)["message"]

    assert not leaves(message) & {
        path for _, path, *_ in FIELDS if path.rpartition(".")[2] in {"image", "sound", "badge", "category", "icon"}
    }


def test_a_badge_of_nought_takes_the_number_away_and_is_sent():
    assert body("ios", badge=0)["message"]["apns"]["payload"]["aps"]["badge"] == 0


@pytest.mark.parametrize(
    ("urgency", "android", "apns"),
    [("very-low", "normal", "5"), ("low", "normal", "5"), ("normal", "high", "10"), ("high", "high", "10")],
)
def test_urgency_becomes_each_platform_s_priority(urgency, android, apns):
    assert body("android", urgency=urgency)["message"]["android"]["priority"] == android
    assert body("ios", urgency=urgency)["message"]["apns"]["headers"]["apns-priority"] == apns


@pytest.mark.parametrize("platform", ["android", "ios"])
def test_the_size_counts_bytes_of_what_is_shown_and_handed_over_but_not_the_address(platform):
    def fits(text: str, **fields) -> bool:
        try:
            encode(NativeMessage(platform=platform, **(EVERYTHING | {"body": text} | fields)))
        except SendRefused as refusal:
            assert refusal.code == "payload_too_large"
            return False
        return True

    room = next(count for count in range(3000, 4096) if not fits("x" * (count + 1)))
    assert fits("x" * room)
    assert fits("x" * room, token=TOKEN * 99)
    assert fits("x" * (room - 3) + "€")
    assert not fits("x" * (room - 2) + "€")


@pytest.mark.parametrize("fields", [{"data": {"smartpush_v": 1}}, {"ttl": -1}, {"token": ""}])
def test_firebase_admin_s_own_checks_stop_a_body_that_fcm_would_refuse(fields):
    with pytest.raises(SendRefused, match="fcm_message_invalid"):
        encode(NativeMessage(platform="android", **(EVERYTHING | fields)))


def test_a_token_is_still_taken_by_the_private_encoder_without_its_constructor_s_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        body("android")
    message = messaging.Message(notification=messaging.Notification(title="a"))
    message.token = "t"
    assert MessageEncoder().default(message) == {"notification": {"title": "a"}, "token": "t"}
