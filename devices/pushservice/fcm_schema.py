"""The fields of an FCM message as Google's HTTP v1 reference lists them: what is not in it, Google refuses."""

import re
from collections.abc import Callable, Mapping
from typing import Any

MAX_TTL = 2_419_200
_DURATION = re.compile(r"(\d{1,7})(\.\d{1,9})?s")
_RESERVED = re.compile(r"from|gcm.*|google.*|message_type")


class WrongField(ValueError):
    """A field that Google would refuse; `path` as it names it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(problem)
        self.path = path


Check = Callable[[Any, str], None]


def _is(*kinds: type) -> Check:
    def check(value: Any, path: str) -> None:
        if type(value) not in kinds:
            raise WrongField(path, f"Invalid value at '{path}'")

    return check


def _one_of(*values: str) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, str) or value.lower() not in values:
            raise WrongField(path, f"Invalid value at '{path}'")

    return check


def _texts(value: Any, path: str) -> None:
    if not isinstance(value, dict):
        raise WrongField(path, f"Invalid value at '{path}'")
    for index, (name, item) in enumerate(value.items()):
        if not isinstance(item, str):
            raise WrongField(f"{path}[{index}].value", f"Invalid value at '{path}[{index}].value' (TYPE_STRING)")
        if _RESERVED.fullmatch(name):
            raise WrongField(path, f"Invalid data payload key: {name}")


def _duration(value: Any, path: str) -> None:
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > MAX_TTL:
        raise WrongField(path, f"Invalid value at '{path}' (type.googleapis.com/google.protobuf.Duration)")


def _apns_headers(value: Any, path: str) -> None:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise WrongField(path, f"Invalid value at '{path}'")
    wrong = (
        value.get("apns-priority", "10") not in ("1", "5", "10")
        or not value.get("apns-expiration", "0").isdigit()
        or len(value.get("apns-collapse-id", "").encode()) > 64
    )
    if wrong:
        raise WrongField(path, "Invalid APNs header")


def _struct(fields: Mapping[str, Check]) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise WrongField(path, f"Invalid value at '{path}'")
        for name, item in value.items():
            if name not in fields:
                raise WrongField(
                    path,
                    f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field.",
                )
            fields[name](item, f"{path}.{name}")

    return check


_TEXT, _FLAG, _OBJECT, _LIST = _is(str), _is(bool), _is(dict), _is(list)
_LABEL = _struct({"analytics_label": _TEXT})
_ANDROID_NOTIFICATION = _struct(
    dict.fromkeys(
        ("title", "body", "icon", "color", "sound", "tag", "click_action", "body_loc_key", "title_loc_key",
         "channel_id", "ticker", "event_time", "image"),
        _TEXT,
    )
    | dict.fromkeys(
        ("sticky", "local_only", "default_sound", "default_vibrate_timings", "default_light_settings"), _FLAG
    )
    | dict.fromkeys(("body_loc_args", "title_loc_args", "vibrate_timings"), _LIST)
    | {
        "notification_priority": _TEXT,
        "visibility": _TEXT,
        "notification_count": _is(int),
        "light_settings": _OBJECT,
        "proxy": _TEXT,
    }
)  # fmt: skip
_MESSAGE = _struct(
    {
        "name": _TEXT,
        "token": _TEXT,
        "fid": _TEXT,
        "topic": _TEXT,
        "condition": _TEXT,
        "data": _texts,
        "notification": _struct(dict.fromkeys(("title", "body", "image"), _TEXT)),
        "android": _struct(
            {
                "collapse_key": _TEXT,
                "priority": _one_of("normal", "high"),
                "ttl": _duration,
                "restricted_package_name": _TEXT,
                "data": _texts,
                "notification": _ANDROID_NOTIFICATION,
                "fcm_options": _LABEL,
                "direct_boot_ok": _FLAG,
                "bandwidth_constrained_ok": _FLAG,
                "restricted_satellite_ok": _FLAG,
            }
        ),
        "apns": _struct(
            {
                "headers": _apns_headers,
                "payload": _OBJECT,
                "fcm_options": _struct({"analytics_label": _TEXT, "image": _TEXT}),
                "live_activity_token": _TEXT,
            }
        ),
        "webpush": _OBJECT,
        "fcm_options": _LABEL,
    }
)


def check_message(content: Mapping[str, Any]) -> None:
    """Raise WrongField for the first field that Google would not take."""
    _MESSAGE(content, "message")
