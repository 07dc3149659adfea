"""Examples of what pages and apps send, by operation."""

from typing import Any

_ME = {"id": "qL2c9XvTn0Wb5RkE", "secret": "m3oC0Gk8v2..."}
_PUSH = {
    "status": "allowed",
    "reason": "",
    "permission": "granted",
    "subscription": {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAA...",
        "p256dh": "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM",
        "auth": "tBHItJI5svbpez7KI4CCXg",
        "vapid_key": "BKd0V6iG1mYF4yWJQq1dD6Yx8f0s1r2b3n4m5k6j7h8g9f0d1s2a3q4w5e6r7t8y9u0i1o2p3",
    },
}
_DEVICE = {"browser": "firefox", "browser_version": "153.0", "os": "linux", "form_factor": "desktop", "language": "en"}
_TAB = "t-5f1c"
_OFFER = "oX7mQe2Lc0Vb8WsT"

SDK_EXAMPLES: dict[str, Any] = {
    "sdk_session": {"installation": _ME, "push": _PUSH, "device": _DEVICE, "tab": _TAB},
    "sdk_identify": {
        "installation": _ME,
        "external_id": "customer-42",
        "identity_token": "eyJhbGciOiJFUzI1NiIsImtpZCI6Im1haW4ifQ...",
        "language": "en",
        "properties": {"first_name": "Ann"},
        "push": _PUSH,
        "device": _DEVICE,
        "tab": _TAB,
    },
    "sdk_logout": {"installation": _ME, "tab": _TAB},
    "sdk_status": {"installation": _ME, "push": _PUSH, "cause": "sdk_call", "tab": _TAB},
    "sdk_worker_subscription": {"installation": _ME, "push": _PUSH, "cause": "worker"},
    "sdk_events": {
        "installation": _ME,
        "tab": _TAB,
        "events": [{"id": "6f1d-1", "name": "deposit", "properties": {"amount": 20}, "kind": "event"}],
    },
    "sdk_markers": {"installation": _ME, "operation": "add", "markers": ["NEWS"]},
    "sdk_popup_poll": {"installation": _ME, "tab": _TAB},
    "sdk_popup_shown": {"installation": _ME, "tab": _TAB, "offer": _OFFER},
    "sdk_popup_outcome": {"installation": _ME, "tab": _TAB, "offer": _OFFER, "outcome": "later"},
    "sdk_consents": {"installation": _ME, "subject": "tracking", "answer": "withdrawn", "language": "en"},
    "sdk_preferences_read": {"installation": _ME, "language": "en"},
    "sdk_preferences": {"installation": _ME, "categories": {"NEWS": True, "SPORTS": False}, "opted_out": False},
    "sdk_preferences_link": {"installation": _ME},
    "sdk_reports": {"reports": [{"token": "AAAAAAAAJxAJ0w...", "kind": "displayed", "at": "2026-11-23T12:00:00Z"}]},
}
