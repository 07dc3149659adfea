"""Failures that a test or a person switches on, for one token or for all."""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

ALL = "*"
FCM_MODES = frozenset(
    {
        "fcm:UNREGISTERED",
        "fcm:SENDER_ID_MISMATCH",
        "fcm:INVALID_ARGUMENT",
        "fcm:INVALID_ARGUMENT:token",
        "fcm:THIRD_PARTY_AUTH_ERROR",
        "fcm:UNAUTHENTICATED",
        "fcm:QUOTA_EXCEEDED",
        "fcm:UNAVAILABLE",
        "fcm:INTERNAL",
    }
)
_STATUS = re.compile(r"[45]\d\d")
DEFAULT_SLOW_SECONDS = 5.0
MAX_DELAY_SECONDS = 600.0

Surface = Literal["webpush", "fcm", "oauth"]


@dataclass(slots=True)
class Failure:
    """How the next requests go wrong; `times` None means until it is switched off; `delay` is in seconds."""

    mode: str
    retry_after: int | str | None = None
    delay: float = 0.0
    times: int | None = None
    cut: Literal["after", "before"] = "after"
    body: str | None = None
    limit: int = 0
    window: float = 0.0
    began: float = 0.0
    taken: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    """How many requests were over the `limit`, by the number of their window."""

    def lets_pass(self, *, now: float) -> float:
        """Count a request in its window of a `limit`: 0 when it is within, else the seconds until the next window."""
        began = now - now % self.window
        if began != self.began:
            self.began, self.taken = began, 0
        self.taken += 1
        if self.taken <= self.limit:
            return 0.0
        self.refused[int(now // self.window)] += 1
        return began + self.window - now

    @property
    def status(self) -> int | None:
        """The HTTP status that the mode names, if it names one."""
        return int(self.mode) if self.mode.isdigit() else None

    def applies_to(self, surface: Surface) -> bool:
        """Say whether the mode means something there: FCM's own errors only at FCM, 410 never."""
        if self.mode.startswith("fcm:"):
            return surface == "fcm"
        return not (surface == "fcm" and self.mode in ("410", "413"))


def read_failure(fields: dict[str, Any]) -> Failure:
    """Read a failure from a control request's fields; raises ValueError naming the field that is wrong."""
    mode = fields.get("mode")
    if isinstance(mode, int) and not isinstance(mode, bool):
        mode = str(mode)
    if not isinstance(mode, str) or not (
        mode in ("slow", "cut", "limit") or mode in FCM_MODES or _STATUS.fullmatch(mode)
    ):
        raise ValueError(f"mode must be a status from 400 to 599, slow, cut, limit or one of {sorted(FCM_MODES)}")
    retry_after, times, body = fields.get("retry_after"), fields.get("times"), fields.get("body")
    delay = fields.get("delay", DEFAULT_SLOW_SECONDS if mode == "slow" else 0.0)
    cut = fields.get("cut", "after")
    if retry_after is not None and (isinstance(retry_after, bool) or not isinstance(retry_after, int | str)):
        raise ValueError("retry_after must be a number of seconds or an HTTP date")
    if isinstance(retry_after, str) and not retry_after.isprintable():
        raise ValueError("retry_after must be one printable line")
    if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= MAX_DELAY_SECONDS:
        raise ValueError(f"delay must be 0 to {MAX_DELAY_SECONDS:.0f} seconds")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or times < 1):
        raise ValueError("times must be null or 1 and more")
    if cut not in ("after", "before"):
        raise ValueError("cut must be after or before (the message is recorded)")
    if body is not None and not isinstance(body, str):
        raise ValueError("body must be text")
    limit, window = fields.get("limit", 0), fields.get("window", 0.0)
    if mode == "limit" and not (
        isinstance(limit, int) and limit >= 1 and isinstance(window, int | float) and window > 0
    ):
        raise ValueError("limit must be 1 and more messages, window a number of seconds")
    return Failure(
        mode=mode,
        retry_after=retry_after,
        delay=float(delay),
        times=times,
        cut=cut,
        body=body,
        limit=limit,
        window=float(window),
    )


class FailureBook:
    """The failures that are switched on, by token; a token's own failure goes before the one for all."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        """Start with everything working; `clock` gives Unix seconds."""
        self._by_token: dict[str, Failure] = {}
        self._clock = clock

    def switch_on(self, *, token: str, failure: Failure) -> None:
        """Let requests for the token (or `*`) fail so, in place of an earlier failure of that token."""
        self._by_token[token] = failure

    def switch_off(self, *, token: str | None = None) -> None:
        """Let the token work again, or everything when no token is named."""
        if token is None:
            self._by_token.clear()
        else:
            self._by_token.pop(token, None)

    def take(self, *, token: str, surface: Surface) -> Failure | None:
        """Return the failure that this request meets, if any, and count it down.

        The token endpoint of OAuth2 fails only when named (`oauth`): a failure for all is about messages.
        """
        for key in (token,) if surface == "oauth" else (token, ALL):
            failure = self._by_token.get(key)
            if failure is None or not failure.applies_to(surface):
                continue
            if failure.mode == "limit":
                left = failure.lets_pass(now=self._clock())
                if not left:
                    return None
                return Failure(mode="429", retry_after=failure.retry_after or math.ceil(left))
            if failure.times is not None:
                failure.times -= 1
                if failure.times <= 0:
                    del self._by_token[key]
            return failure
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """List what is switched on."""
        return [
            {
                "token": token,
                "mode": one.mode,
                "retry_after": one.retry_after,
                "delay": one.delay,
                "times": one.times,
                "cut": one.cut,
                **({"limit": one.limit, "window": one.window} if one.mode == "limit" else {}),
            }
            for token, one in self._by_token.items()
        ]
