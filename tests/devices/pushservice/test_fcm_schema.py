"""The local FCM refuses what Google's reference does not list, so that a wrong body cannot pass our own tests."""

import pytest

from devices.pushservice.fcm_schema import WrongField, check_message

GOOD = {
    "token": "t",
    "data": {"a": "b"},
    "notification": {"title": "x"},
    "android": {"ttl": "0s", "priority": "HIGH", "notification": {"channel_id": "c"}},
    "apns": {"headers": {"apns-priority": "5"}, "payload": {"aps": {"badge": 1}}},
}


def test_a_documented_message_is_taken():
    check_message(GOOD)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"colour": "red"}, "message"),
        ({"notification": {"icon": "x"}}, "message.notification"),
        ({"notification": {"title": 1}}, "message.notification.title"),
        ({"data": {"a": 1}}, "message.data[0].value"),
        ({"data": {"google.x": "1"}}, "message.data"),
        ({"data": {"from": "1"}}, "message.data"),
        ({"android": {"ttl": 60}}, "message.android.ttl"),
        ({"android": {"ttl": "2419201s"}}, "message.android.ttl"),
        ({"android": {"priority": "5"}}, "message.android.priority"),
        ({"android": {"notification": {"channelId": "c"}}}, "message.android.notification"),
        ({"apns": {"headers": {"apns-priority": "7"}}}, "message.apns.headers"),
        ({"apns": {"headers": {"apns-collapse-id": "x" * 65}}}, "message.apns.headers"),
        ({"apns": {"headers": {"apns-expiration": 5}}}, "message.apns.headers"),
        ({"apns": {"aps": {}}}, "message.apns"),
    ],
)
def test_what_google_would_refuse_is_refused_by_its_path(change, path):
    with pytest.raises(WrongField) as problem:
        check_message(GOOD | change)

    assert problem.value.path == path
