"""The words that every language has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Buttons:
    """Titles of buttons: of a permission request, of the cross, and of popups that open, close or inform."""

    subscribe: str
    later: str
    close: str
    show: str
    not_now: str
    got_it: str


@dataclass(frozen=True, slots=True)
class Words:
    """One language: the permission request (simple, and with categories), the welcome push, the two categories."""

    buttons: Buttons
    title: str
    ask: str
    choose: str
    welcome: str
    thanks: str
    news: tuple[str, str]
    offers: tuple[str, str]
