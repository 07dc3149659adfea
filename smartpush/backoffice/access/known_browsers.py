"""Browsers in which a member of staff has logged in before, so that strangers' guesses cannot lock them out.

A signed cookie names the browser and whose log-ins succeeded in it ("device cookies", OWASP). It lets nobody in: wrong
passwords from such a browser, for such a name, are only counted apart from everybody else's.
"""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import salted_hmac

COOKIE = "smartpush_browser"
LASTS = 180 * 86_400  # seconds
_MOST_NAMES = 8
_SALT = "smartpush.known-browser"


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """`names` are keyed hashes of user names, the latest first."""

    id: str
    names: tuple[str, ...]


def browser_known_to(request: HttpRequest, username: str | None) -> str | None:
    """Return the browser's id when this user name has logged in in it before."""
    browser = _read(request)
    return browser.id if browser is not None and username and _hashed(username) in browser.names else None


def browser_remember(request: HttpRequest, response: HttpResponse, *, username: str) -> None:
    """Add a user name that has just logged in to the browser's cookie."""
    browser = _read(request) or KnownBrowser(secrets.token_urlsafe(12), ())
    others = [name for name in browser.names if name != _hashed(username)]
    value = {"id": browser.id, "names": [_hashed(username), *others][:_MOST_NAMES]}
    response.set_cookie(
        COOKIE,
        signing.dumps(value, salt=_SALT),
        max_age=LASTS,
        path=reverse("admin:index"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> KnownBrowser | None:
    try:
        value = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LASTS)
        return KnownBrowser(str(value["id"]), tuple(value["names"]))
    except (signing.BadSignature, KeyError, TypeError):
        return None


def _hashed(username: str) -> str:
    return salted_hmac(_SALT, username, algorithm="sha256").hexdigest()[:32]
