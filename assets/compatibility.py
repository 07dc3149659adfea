"""What each browser shows of a notification: a dated table for the editor's hints.

First versions are those of @mdn/browser-compat-data 8.1.9 (CC0; api.Notification and showNotification, the later of the
two), read on 2026-11-12. `unseen` is what a browser takes but its operating system does not draw, which that data does
not hold: no desktop notification draws the badge, and macOS draws no large image.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

READ_ON = date(2026, 11, 12)
SOURCE = "@mdn/browser-compat-data 8.1.9"
FIELDS = ("icon", "image", "badge", "buttons", "require_interaction")


@dataclass(frozen=True)
class Shown:
    """`since`: field to the first version that shows it; `buttons`: how many at once."""

    key: str
    label: str
    since: Mapping[str, int]
    buttons: int
    unseen: frozenset[str] = frozenset()
    note: str = ""

    def shows(self, field: str) -> bool:
        """Whether current versions show the field."""
        return field in self.since and field not in self.unseen


_BADGE = frozenset({"badge"})
BROWSERS: tuple[Shown, ...] = (
    Shown(
        "chrome",
        "Chrome, computer",
        {"icon": 33, "image": 56, "badge": 53, "buttons": 53, "require_interaction": 47},
        buttons=2,
        unseen=_BADGE,
        note="On macOS the attached image is left out.",
    ),
    Shown(
        "chrome_android",
        "Chrome, Android",
        {"icon": 42, "image": 56, "badge": 53, "buttons": 53, "require_interaction": 47},
        buttons=2,
        note="The badge is the small one-colour symbol in the status bar.",
    ),
    Shown(
        "edge",
        "Edge",
        {"icon": 14, "image": 79, "badge": 79, "buttons": 18, "require_interaction": 79},
        buttons=2,
        unseen=_BADGE,
    ),
    Shown(
        "opera",
        "Opera",
        {"icon": 23, "image": 43, "badge": 39, "buttons": 39, "require_interaction": 34},
        buttons=2,
        unseen=_BADGE,
    ),
    Shown("firefox", "Firefox", {"icon": 26, "buttons": 152, "require_interaction": 117}, buttons=2),
    Shown("safari", "Safari, iPhone", {}, buttons=0, note="The site's own icon is shown instead of yours."),
)


def editor_table() -> list[dict[str, Any]]:
    """The table as the editor's preview reads it."""
    return [
        {
            "key": browser.key,
            "label": browser.label,
            "fields": [field for field in FIELDS if browser.shows(field)],
            "since": dict(browser.since),
            "buttons": browser.buttons,
            "note": browser.note,
        }
        for browser in BROWSERS
    ]


def hint(field: str) -> str:
    """One line for under a field: who shows it."""
    shown = [browser.label for browser in BROWSERS if browser.shows(field)]
    hidden = [browser.label for browser in BROWSERS if not browser.shows(field)]
    if not hidden:
        return "Every browser shows it."
    return f"Shown by {'; '.join(shown)}. Not by {'; '.join(hidden)}."


def buttons_hint() -> str:
    """One line for under the buttons: how many of them show where."""
    by_count: dict[int, list[str]] = {}
    for browser in BROWSERS:
        by_count.setdefault(browser.buttons if browser.shows("buttons") else 0, []).append(browser.label)
    words = {0: "None", 1: "The first one"}
    return (
        " ".join(
            f"{words.get(count, f'The first {count}')}: {'; '.join(labels)}."
            for count, labels in sorted(by_count.items(), reverse=True)
        )
        + " Native apps: up to three."
    )
