"""What a client tells us about itself, checked; the input of the session services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.people.models import Status

REASONS = frozenset(
    {
        "",
        "insecure_context",
        "no_api",
        "no_service_worker",
        "ios_not_installed",
        "subscribe_refused",
        "show_refused",
        "contradictory",
        "foreign_subscription",
        "worker_failed",
        "dismissed",
        "permission_default_after_prompt",
        "subscription_missing",
        "revoked",
        "unknown",
        # a native app's own
        "provisional",
        "settings_off",
        "play_services_missing",
        "simulator",
        "token_missing",
    }
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A Push API subscription: endpoint URL, 65-byte p256dh point, 16-byte auth secret, the key it was made with."""

    endpoint: str
    origin: str
    p256dh: bytes
    auth: bytes
    vapid_key: str


@dataclass(frozen=True, slots=True)
class PushReport:
    """The state as the client saw it; `allowed` only with a browser's subscription or an app's FCM `token`."""

    status: Status
    reason: str = ""
    subscription: Subscription | None = None
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What the client is."""

    platform: str = "web"
    browser: str = ""
    browser_version: str = ""
    os: str = ""
    form_factor: str = ""
    language: str = ""
    time_zone: str = ""
    user_agent: str = ""
    os_version: str = ""
    app_version: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An installation's id (row number) and its secret."""

    device_id: int
    secret: str


@dataclass(frozen=True, slots=True)
class Proof:
    """Until when a valid identity token proves who is there, and the id of the key that signed it."""

    until: datetime
    key_id: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the page says is there; None means: as before, or an anonymous visitor.

    `proof` is what an identity token proved of `external_id`.
    """

    external_id: str | None = None
    proof: Proof | None = None
    language: str = ""
    time_zone: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)


class InstallationUnknown(Exception):
    """The installation does not exist or its secret is wrong: the client drops it and opens a new session."""


class TokenNotYours(Exception):
    """The token belongs to another device and the caller proved nothing (neither secret nor the same keys)."""
