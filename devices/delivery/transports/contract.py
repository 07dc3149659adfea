"""What the wire asks of each transport."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from devices.delivery.transports.base import Request, SendResult
from devices.delivery.transports.outcomes import Verdict, classify


class Keyed(Protocol):
    """A message of any transport: its result carries the same key."""

    @property
    def key(self) -> int: ...


M = TypeVar("M", bound=Keyed)
OnResult = Callable[[SendResult], None]


class NotNow(Exception):
    """This message cannot go out at the moment, or not under these credentials; `verdict` is its result."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class NotYet(Exception):
    """What this message needs is being fetched: ask again in a moment."""


class Transport(ABC, Generic[M]):
    """What one kind of message looks like on the wire."""

    @abstractmethod
    def origin_of(self, message: M) -> str:
        """Check where the message goes once more, as the last one who can, and return the origin; SendRefused."""

    @abstractmethod
    def request_of(self, message: M, origin: str) -> Request:
        """Return what goes out, or raise SendRefused, NotNow or NotYet."""

    def verdict_of(self, message: M, *, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
        """Return what an answer with a final status means."""
        return classify(status=status, headers=headers, body=body, now=now)


@dataclass(eq=False, slots=True)
class Parcel(Generic[M]):
    """A message on its way, and whose it is."""

    message: M
    transport: Transport[M]
    on_result: OnResult
    owner: object
    tries: int = 1
