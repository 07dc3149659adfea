"""The paths that pages call."""

PATHS = [
    "session",
    "identify",
    "logout",
    "status",
    "events",
    "markers",
    "popups/poll",
    "popups/shown",
    "popups/outcome",
    "consents",
    "preferences/read",
    "preferences",
    "preferences/link",
    "worker/subscription",
    "reports",
]
