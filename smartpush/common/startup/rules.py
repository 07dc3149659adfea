"""What the values of the settings must fulfil, alone and together. Each rule has an id (docs/configuration.md)."""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from smartpush.common.addresses.origins import normal_host
from smartpush.common.startup.environment import Problem

# Lines that make each secret with nothing but Python.
SIGNING_ADVICE = 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(50))"'
ID_ADVICE = 'Make one, once: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
ENCRYPTION_ADVICE = 'Make one: python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
AT_LEAST_ONE = (
    "SMARTPUSH_URGENT_WORKERS",
    "SMARTPUSH_BULK_WORKERS",
    "SMARTPUSH_CHUNK_SIZE",
    "SMARTPUSH_SEND_IN_FLIGHT",
    "SMARTPUSH_LEASE_SECONDS",
    "SMARTPUSH_IMPORT_LINES",
    "SMARTPUSH_IMPORT_MEGABYTES",
)
# A key of the right length that somebody typed: random ones of 32 bytes have about 30 different bytes.
_FEW_DIFFERENT = 10
_HOST = re.compile(r"\*|\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\]", re.I)


def problems_of(settings: Any, *, source: Callable[[str], str] = lambda name: "") -> list[Problem]:
    """Return what is wrong with the values of a settings object; an empty secret is `Environment.required`'s.

    `source` tells where a variable was read from, for the messages.
    """
    found = [*_keys(settings, source), *_numbers(settings), *_hosts(settings), *_contact(settings, source)]
    if settings.ENVIRONMENT == "production":
        found += _production(settings, source)
    return found


def _keys(settings: Any, source: Callable[[str], str]) -> list[Problem]:
    name = "SMARTPUSH_ENCRYPTION_KEYS"
    found = []
    for number, key in enumerate(settings.SMARTPUSH_ENCRYPTION_KEYS, start=1):
        try:
            raw = base64.urlsafe_b64decode(key.encode())
        except (ValueError, binascii.Error):
            raw = b""
        where = f"{name}{source(name)}: key {number}"
        if len(raw) != 32:
            text = f"{where} is not a Fernet key (32 random bytes in base64url)."
            found.append(Problem("smartpush.E001", name, text, ENCRYPTION_ADVICE))
        elif len(set(raw)) < _FEW_DIFFERENT:
            found.append(Problem("smartpush.E001", name, f"{where} is not random.", ENCRYPTION_ADVICE))
    name = "SMARTPUSH_ID_KEY"
    if 0 < len(settings.SMARTPUSH_ID_KEY) < 32:
        text = f"{name}{source(name)} is shorter than 32 characters."
        found.append(Problem("smartpush.E002", name, text, ID_ADVICE))
    name = "SMARTPUSH_ACCEPTED_ID_KEYS"
    if any(len(key) < 32 for key in settings.SMARTPUSH_ACCEPTED_ID_KEYS):
        text = f"{name}{source(name)} holds a key of less than 32 characters."
        found.append(Problem("smartpush.E002", name, text, "Give former values of SMARTPUSH_ID_KEY as they were."))
    if settings.SMARTPUSH_ID_KEY in settings.SMARTPUSH_ACCEPTED_ID_KEYS:
        text = f"{name}{source(name)} holds SMARTPUSH_ID_KEY itself."
        found.append(Problem("smartpush.E002", name, text, "Leave only former keys in it."))
    return found


def _numbers(settings: Any) -> list[Problem]:
    values = {name: getattr(settings, name) for name in AT_LEAST_ONE}
    values |= {f"SMARTPUSH_LIMIT_{name.upper()}": value for name, value in settings.SMARTPUSH_LIMITS.items()}
    found = [
        Problem("smartpush.E003", name, f"{name} is {value}; it must be at least 1.")
        for name, value in values.items()
        if value < 1
    ]
    if settings.SMARTPUSH_TRUSTED_PROXIES < 0:
        name = "SMARTPUSH_TRUSTED_PROXIES"
        found.append(Problem("smartpush.E003", name, f"{name} is {settings.SMARTPUSH_TRUSTED_PROXIES}; it is below 0."))
    return found


def _hosts(settings: Any) -> list[Problem]:
    name = "SMARTPUSH_PUSH_HOSTS"
    advice = "Give names only, separated by commas, without https:// and without *."
    found = [
        Problem("smartpush.E010", name, f"{name}: {host!r} is not a host name.", advice)
        for host in settings.SMARTPUSH_PUSH_HOSTS
        if normal_host(host) != host or "." not in host
    ]
    name = "SMARTPUSH_ALLOWED_HOSTS"
    advice = "Give names only, separated by commas, without scheme, port and path."
    found += [
        Problem("smartpush.E010", name, f"{name}: {host!r} is not a host name.", advice)
        for host in settings.ALLOWED_HOSTS
        if host and not _HOST.fullmatch(host)
    ]
    return found


def _contact(settings: Any, source: Callable[[str], str]) -> list[Problem]:
    name = "SMARTPUSH_VAPID_SUBJECT"
    try:
        subject = urlsplit(settings.SMARTPUSH_VAPID_SUBJECT)
        host = subject.path.rpartition("@")[2] if subject.scheme == "mailto" else subject.hostname or ""
    except ValueError:
        host = ""
    else:
        named = subject.scheme == "https" or (subject.scheme == "mailto" and "@" in subject.path)
        if named and "." in host and not host.endswith((".localhost", ".local")):
            return []
    if not settings.SMARTPUSH_VAPID_SUBJECT:
        text = f"{name} is not set. Push services want to know whom to write to about a sender."
    else:
        text = f"{name}{source(name)} must be a real mailto: or https: contact; Apple refuses localhost."
    return [Problem("smartpush.E007", name, text, "For example mailto:push@your-company.com")]


def _production(settings: Any, source: Callable[[str], str]) -> list[Problem]:
    found = []
    name = "SMARTPUSH_DEV_ORIGINS"
    if settings.SMARTPUSH_DEV_ORIGINS:
        text = f"{name}{source(name)} is set in production: it lets loopback and http addresses be sent to."
        found.append(Problem("smartpush.E004", name, text, "Unset it."))
    name = "SMARTPUSH_LOCAL_PUSH"
    if settings.SMARTPUSH_LOCAL_PUSH:
        text = f"{name}{source(name)} is on in production: the local push service is for development and tests."
        found.append(Problem("smartpush.E005", name, text, "Unset it."))
    name = "SMARTPUSH_PUBLIC_URL"
    if settings.SMARTPUSH_PUBLIC_URL.startswith("http://"):
        text = f"{name}{source(name)} is not https: browsers refuse push on insecure pages."
        found.append(Problem("smartpush.E006", name, text, "Give the https origin, such as https://push.example.com"))
    name = "DEBUG"
    if settings.DEBUG:
        text = f"{name}{source(name)} is on in production: error pages would show settings and data."
        found.append(Problem("smartpush.E008", name, text, "Unset it."))
    name = "SECRET_KEY"
    key = settings.SECRET_KEY
    if 0 < len(key) < 50:
        text = f"{name}{source(name)} is shorter than 50 characters."
        found.append(Problem("smartpush.E009", name, text, SIGNING_ADVICE))
    elif key.startswith("django-insecure-"):
        text = f"{name}{source(name)} is one that Django made for development."
        found.append(Problem("smartpush.E009", name, text, SIGNING_ADVICE))
    return found
