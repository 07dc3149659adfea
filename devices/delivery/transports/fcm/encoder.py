"""The one place that knows firebase-admin's message classes and its private encoder.

firebase-admin checks what each field may hold and writes it as FCM's HTTP v1 call wants it; its own client would send
each message on a thread of its own and repeat POSTs by itself, so the bytes leave over our wire. What we rely on is
held by tests/devices/delivery/transports/test_fcm_encoder.py: an upgrade that changes it fails there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from firebase_admin import messaging
from firebase_admin._messaging_encoder import MessageEncoder

from devices.delivery.transports.base import SendRefused

MAX_PAYLOAD = 4096
"""Bytes of what is shown and handed to the app, by FCM and by APNs."""

_LOW = frozenset({"very-low", "low"})


@dataclass(frozen=True, slots=True)
class NativeMessage:
    """One message to one app installation; `ttl` in seconds, `expires_at` in Unix seconds, `data` all text."""

    token: str = field(repr=False)
    platform: Literal["android", "ios"]
    title: str
    body: str
    data: Mapping[str, str]
    tag: str
    ttl: int
    expires_at: int
    urgency: str = "normal"
    image: str = ""
    sound: str = ""
    channel_id: str = ""
    icon: str = ""
    badge: int | None = None
    category: str = ""
    thread: str = ""


def encode(message: NativeMessage) -> bytes:
    """The body of FCM's send call; raises SendRefused: fcm_message_invalid, payload_too_large."""
    whole = messaging.Message(
        data=dict(message.data),
        notification=messaging.Notification(title=message.title, body=message.body),
        android=_android(message) if message.platform == "android" else None,
        apns=_apns(message) if message.platform == "ios" else None,
    )
    whole.token = message.token  # not by the constructor: it warns that installation ids are to replace tokens
    try:
        document: dict[str, Any] = MessageEncoder().default(whole)
    except ValueError as problem:
        raise SendRefused("fcm_message_invalid") from problem
    body = _json({"message": document})
    # The whole body is more than what counts: only one near the limit is worth counting.
    if len(body) > MAX_PAYLOAD and _counted(document) > MAX_PAYLOAD:
        raise SendRefused("payload_too_large")
    return body


def _counted(document: dict[str, Any]) -> int:
    """Bytes of what is shown and handed to the app: not the address, nor how the message travels."""
    parts = {
        "notification": document.get("notification"),
        "data": document.get("data"),
        "android": document.get("android", {}).get("notification"),
        "apns": document.get("apns", {}).get("payload"),
    }
    return len(_json({name: value for name, value in parts.items() if value}))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _android(message: NativeMessage) -> messaging.AndroidConfig:
    # No collapse_key: a device keeps four of them at most, and would lose the others while it is offline. A message
    # that was sent again replaces itself by its tag.
    return messaging.AndroidConfig(
        priority="normal" if message.urgency in _LOW else "high",
        ttl=message.ttl,
        notification=messaging.AndroidNotification(
            channel_id=message.channel_id or None,
            icon=message.icon or None,
            sound=message.sound or None,
            image=message.image or None,
            tag=message.tag,
        ),
    )


def _apns(message: NativeMessage) -> messaging.APNSConfig:
    return messaging.APNSConfig(
        headers={
            "apns-push-type": "alert",
            "apns-priority": "5" if message.urgency in _LOW else "10",
            "apns-expiration": str(message.expires_at),
            "apns-collapse-id": message.tag,
        },
        payload=messaging.APNSPayload(
            messaging.Aps(
                badge=message.badge,
                sound=message.sound or None,
                category=message.category or None,
                thread_id=message.thread or None,
                mutable_content=True,
            )
        ),
        fcm_options=messaging.APNSFCMOptions(image=message.image) if message.image else None,
    )
