"""System checks: settings that can only be judged together. Each has an id and says what to change."""

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from smartpush.common.origins import normal_host


@register()
def check_settings(app_configs: object = None, **kwargs: Any) -> list[CheckMessage]:
    """smartpush.E001 to E010."""
    found: list[CheckMessage] = []
    if not settings.SMARTPUSH_ENCRYPTION_KEYS:
        found.append(Error("SMARTPUSH_ENCRYPTION_KEYS holds no key.", id="smartpush.E001"))
    for number, key in enumerate(settings.SMARTPUSH_ENCRYPTION_KEYS):
        try:
            Fernet(key.encode())
        except ValueError:
            found.append(
                Error(
                    f"SMARTPUSH_ENCRYPTION_KEYS: key {number + 1} is not a Fernet key.",
                    hint="Make one with cryptography.fernet.Fernet.generate_key(); `make setup` writes a new .env.",
                    id="smartpush.E001",
                )
            )
    if len(settings.SMARTPUSH_ID_KEY) < 32:
        found.append(Error("SMARTPUSH_ID_KEY is shorter than 32 characters.", id="smartpush.E002"))
    if any(len(key) < 32 for key in settings.SMARTPUSH_ACCEPTED_ID_KEYS):
        found.append(Error("SMARTPUSH_ACCEPTED_ID_KEYS holds a key of less than 32 characters.", id="smartpush.E002"))
    if settings.SMARTPUSH_ID_KEY in settings.SMARTPUSH_ACCEPTED_ID_KEYS:
        found.append(Error("SMARTPUSH_ACCEPTED_ID_KEYS holds SMARTPUSH_ID_KEY itself.", id="smartpush.E002"))
    for name in (
        "SMARTPUSH_URGENT_WORKERS",
        "SMARTPUSH_BULK_WORKERS",
        "SMARTPUSH_CHUNK_SIZE",
        "SMARTPUSH_SEND_IN_FLIGHT",
        "SMARTPUSH_LEASE_SECONDS",
        "SMARTPUSH_IMPORT_LINES",
        "SMARTPUSH_IMPORT_MEGABYTES",
    ):
        if getattr(settings, name) < 1:
            found.append(Error(f"{name} is {getattr(settings, name)}; it must be at least 1.", id="smartpush.E003"))
    for name, value in settings.SMARTPUSH_LIMITS.items():
        if value < 1:
            found.append(
                Error(f"SMARTPUSH_LIMIT_{name.upper()} is {value}; it must be at least 1.", id="smartpush.E003")
            )
    if settings.SMARTPUSH_TRUSTED_PROXIES < 0:
        found.append(Error("SMARTPUSH_TRUSTED_PROXIES is below 0.", id="smartpush.E003"))
    found += _contact()
    for host in settings.SMARTPUSH_PUSH_HOSTS:
        if normal_host(host) != host or "." not in host:
            found.append(
                Error(
                    f"SMARTPUSH_PUSH_HOSTS: {host!r} is not a host name.",
                    hint="Names only, comma separated, without https:// and without *.",
                    id="smartpush.E010",
                )
            )
    if settings.ENVIRONMENT == "production":
        found += _production()
    return found


def _contact() -> list[CheckMessage]:
    subject = urlsplit(settings.SMARTPUSH_VAPID_SUBJECT)
    host = subject.path.rpartition("@")[2] if subject.scheme == "mailto" else subject.hostname or ""
    named = subject.scheme == "https" or (subject.scheme == "mailto" and "@" in subject.path)
    if named and "." in host and not host.endswith((".localhost", ".local")):
        return []
    return [
        Error(
            "SMARTPUSH_VAPID_SUBJECT must be a real mailto: or https: contact; Apple refuses localhost.",
            hint="For example mailto:push@your-company.com",
            id="smartpush.E007",
        )
    ]


def _production() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SMARTPUSH_DEV_ORIGINS:
        found.append(
            Error(
                "SMARTPUSH_DEV_ORIGINS is set in production: it lets loopback and http addresses be sent to.",
                hint="Unset it.",
                id="smartpush.E004",
            )
        )
    if settings.SMARTPUSH_LOCAL_PUSH:
        found.append(
            Error(
                "SMARTPUSH_LOCAL_PUSH is on in production: the local push service is for development and tests.",
                hint="Unset it.",
                id="smartpush.E005",
            )
        )
    if not settings.SMARTPUSH_PUBLIC_URL.startswith("https://"):
        found.append(
            Error(
                "SMARTPUSH_PUBLIC_URL is not https: browsers refuse push on insecure pages.",
                id="smartpush.E006",
            )
        )
    if len(settings.SECRET_KEY) < 50:
        found.append(Error("SECRET_KEY is shorter than 50 characters.", id="smartpush.E009"))
    if settings.DEBUG:
        found.append(Error("DEBUG is on in production.", hint="Unset DEBUG.", id="smartpush.E008"))
    return found
