"""Declarative Web Push for Safari: a document that the browser can show even when our service worker is gone.

The members are those of the W3C Push API's declarative push message (editor's draft of 2025) as WebKit ships it since
Safari 18.4. WebKit first took `app_badge` as text inside the notification and the draft has it as a number beside it;
both are written, and each reader leaves the other alone.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

MAGIC = 8030  # the RFC of generic push; what tells a declarative message from any other JSON
_APPLE = "push.apple.com"


def shows_declarative(endpoint: str) -> bool:
    """Whether the browser behind this endpoint reads declarative messages: Apple's push service serves Safari alone."""
    host = urlsplit(endpoint).hostname or ""
    return host == _APPLE or host.endswith(f".{_APPLE}")


def declarative(*, message: Mapping[str, Any], home: str) -> dict[str, Any] | None:
    """The declarative part of a message of ours; None where it has no https address to lead to.

    `home` is the brand's own page, for a message that opens nothing by itself: `navigate` is required. `mutable` hands
    the message to our service worker where there is one; it then reports and shows, and the browser only steps in.
    """
    navigate = message.get("url") or home
    if not navigate.startswith("https://"):
        return None
    notification: dict[str, Any] = {
        "title": message["title"],
        "lang": message["lang"],
        "dir": message["dir"],
        "body": message["body"],
        "navigate": navigate,
        "tag": message["tag"],
        "silent": bool(message.get("silent")),
        "data": {"smartpush": {"id": message["id"], "report": message["report"]}},
    }
    for name in ("icon", "image", "badge"):
        if message.get(name):
            notification[name] = message[name]
    actions = [
        {"action": item["action"], "title": item["title"], "navigate": item["url"]}
        for item in message.get("actions", [])
        if item["url"].startswith("https://")  # the browser itself knows no button that only closes
    ]
    if actions:
        notification["actions"] = actions
    document: dict[str, Any] = {"web_push": MAGIC, "notification": notification, "mutable": True}
    badge = message.get("app_badge")
    if badge is not None:
        notification["app_badge"] = str(badge)
        document["app_badge"] = badge
    return document
