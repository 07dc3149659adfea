"""Flows that marketers get ready-made."""

from typing import Any

from devices.delivery.popup_outcomes import POPUP_OUTCOMES

ASK_FOR_PUSH_PERMISSION = "Ask for push permission"
_NO_WAY_ON = dict.fromkeys(POPUP_OUTCOMES)


def ask_for_push_permission(*, popup_id: int, welcome_id: int) -> dict[str, Any]:
    """The draft of *Ask for permission*: popup; on Allowed a welcome push; every other answer ends it."""
    return {
        "version": 1,
        "start": "a1",
        "activities": [
            _popup("a1", popup_id, allowed="a2"),
            {"key": "a2", "kind": "push", "push": welcome_id, "target_devices": "all", "next": "a3"},
            {"key": "a3", "kind": "stop"},
        ],
    }


def push_once(*, push_id: int) -> dict[str, Any]:
    """The draft of *Push to a segment*: one push."""
    push = {"key": "a1", "kind": "push", "push": push_id, "target_devices": "all", "next": None}
    return {"version": 1, "start": "a1", "activities": [push]}


def announce(*, popup_id: int) -> dict[str, Any]:
    """The draft of *Announcement popup*: one popup, whatever the answer."""
    return {"version": 1, "start": "a1", "activities": [_popup("a1", popup_id)]}


def _popup(key: str, popup_id: int, **ways: str) -> dict[str, Any]:
    """A popup that waits for its answer as long as its resource says."""
    return {"key": key, "kind": "popup", "popup": popup_id, "timeout": None, "next": _NO_WAY_ON | ways}
