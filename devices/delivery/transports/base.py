"""What every transport takes and gives back."""

from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one message on the wire, as far as it can be known."""

    ACCEPTED = "accepted"
    """The push service took it. Not yet delivered."""
    GONE = "gone"
    """The token is dead: remove it."""
    REKEY = "rekey"
    """The subscription belongs to another VAPID key: the device must subscribe again."""
    AUTH = "auth"
    """We were not believed: open the breaker of (origin, key), hold the rows, delete nothing."""
    FAILED = "failed"
    """The push service will never take this message."""
    THROTTLED = "throttled"
    """Too many: try again after `retry_after` seconds."""
    RETRY = "retry"
    """Certainly not taken, may be next time."""
    UNKNOWN = "unknown"
    """It may have been taken: the answer was never seen."""
    QUARANTINE = "quarantine"
    """The token belongs to another sender's credentials (FCM SENDER_ID_MISMATCH)."""
    HELD = "held"
    """Nothing left this machine and nothing is wrong with the message: it goes later, and no try is used up."""
    REFUSED = "refused"
    """Our own check would not send it; nothing left this machine."""
    LATE = "late"
    """Making it took too long here and now: hold it, and try once more."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome of the message that carries `key`; `reason` is a code; `retry_after` is in seconds."""

    key: int
    outcome: Outcome
    status: int | None
    reason: str
    retry_after: float | None = None
    location: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class WebMessage:
    """One Web Push message to one subscription; `ttl` in seconds, keys as raw bytes (RFC 8291)."""

    key: int
    endpoint: str = field(repr=False)
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)
    vapid_key_id: int
    payload: bytes = field(repr=False)
    ttl: int
    urgency: str = "normal"
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One POST as it goes out."""

    url: str = field(repr=False)
    headers: list[str] = field(repr=False)
    body: bytes = field(repr=False)


class SendRefused(ValueError):
    """Our own check would not send this; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
