"""Flows that marketers get ready-made."""

from typing import Any

from campaigns.journey.kinds import ANY_OUTCOME
from campaigns.journey.parse import VERSION

ASK_FOR_PUSH_PERMISSION = "Ask for push permission"


def ask_for_push_permission(*, popup_id: int, welcome_id: int) -> dict[str, Any]:
    """The draft of *Ask for permission*: popup; on Allowed a welcome push; every other answer ends it."""
    return _flow(
        _popup("a1", popup_id, allowed="a2"),
        _push("a2", welcome_id, then="a3"),
        {"key": "a3", "kind": "stop", "settings": {}, "next": {}},
    )


def push_once(*, push_id: int) -> dict[str, Any]:
    """The draft of *Push to a segment*: one push."""
    return _flow(_push("a1", push_id))


def announce(*, popup_id: int) -> dict[str, Any]:
    """The draft of *Announcement popup*: one popup, whatever the answer."""
    return _flow(_popup("a1", popup_id))


def _flow(*activities: dict[str, Any]) -> dict[str, Any]:
    return {"version": VERSION, "start": activities[0]["key"], "activities": list(activities)}


def _popup(key: str, popup_id: int, **ways: str) -> dict[str, Any]:
    """A popup that waits for its answer as long as its resource says."""
    return {"key": key, "kind": "popup", "settings": {"popup": popup_id}, "next": ways}


def _push(key: str, push_id: int, then: str = "") -> dict[str, Any]:
    settings = {"push": push_id, "target_devices": "all"}
    return {"key": key, "kind": "push", "settings": settings, "next": {ANY_OUTCOME: then} if then else {}}
