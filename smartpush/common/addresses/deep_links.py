"""Which addresses a native app may be sent into: https on the brand's hosts, or a scheme that only apps understand."""

import re
from collections.abc import Iterable

from smartpush.common.addresses.origins import check_click_url

MAX_DEEP_LINK = 1_000  # characters
_APP = re.compile(r"([a-z][a-z0-9+.-]{1,48}):/{1,3}(?![/{])", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff\\]")
_LIQUID = re.compile(r"\{\{|\{%")
# Schemes that run code, read the device, open any address in a browser, reach people or programs outside the app, or
# are the web without its safety.
_FORBIDDEN = frozenset({
    "about", "android-app", "android.resource", "app-prefs", "blob", "brave", "chrome", "content", "data",
    "ddgquicklink", "facetime", "facetime-audio", "file", "filesystem", "firefox", "firefox-focus", "ftp",
    "googlechrome", "googlechromes", "http", "intent", "itms", "itms-apps", "itms-appss", "itms-services", "jar",
    "javascript", "mailto", "market", "microsoft-edge", "microsoft-edge-http", "microsoft-edge-https", "mms", "mmsto",
    "opera-http", "opera-https", "package", "prefs", "resource", "shortcuts", "sip", "sms", "smsto", "ssh", "tel",
    "telprompt", "touch-http", "touch-https", "vbscript", "view-source", "vivaldi", "webcal", "workflow", "ws", "wss",
    "x-apple.systempreferences", "x-safari-http", "x-safari-https", "yandexbrowser-open-url",
})  # fmt: skip

MESSAGES = {
    "link_too_long": f"The link is longer than {MAX_DEEP_LINK} characters.",
    "link_characters": "The link has a space, a line break, a backslash or an invisible character in it.",
    "link_malformed": "This is not a link into an app, such as shop://books/42. Write its scheme out.",
    "link_scheme": "Links of this kind do not stay in your app. Use your app's own scheme, such as shop://books/42.",
}


def check_deep_link(link: str, *, hosts: frozenset[str], dev_origins: Iterable[str] = frozenset()) -> str | None:
    """The code of what is wrong, or None; the scheme is literal, Liquid may follow it.

    The words are in MESSAGES, and for https addresses in smartpush.common.addresses.origins.
    """
    if len(link) > MAX_DEEP_LINK:
        return "link_too_long"
    if link.lower().startswith("https:"):
        return check_click_url(link, hosts=hosts, dev_origins=dev_origins)
    liquid = _LIQUID.search(link)
    literal = link[: liquid.start()] if liquid else link
    if _UNSEEN.search(literal):
        return "link_characters"
    scheme = literal.partition(":")[0].lower()
    if scheme in _FORBIDDEN:
        return "link_scheme"
    return None if _APP.match(literal) else "link_malformed"


def is_allowed_deep_link(link: str, *, hosts: frozenset[str], dev_origins: Iterable[str] = frozenset()) -> bool:
    """Whether a native app may be sent to this (rendered) link."""
    return not _LIQUID.search(link) and check_deep_link(link, hosts=hosts, dev_origins=dev_origins) is None
