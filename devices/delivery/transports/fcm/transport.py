"""The FCM wire: HTTP v1 calls, one a message, with an access token of the app's own service account."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from devices.delivery.transports.base import Outcome, Request, SendRefused
from devices.delivery.transports.contract import NotNow, NotYet, Transport
from devices.delivery.transports.fcm.credentials import FCM_ORIGIN, AccessTokens, ServiceAccount
from devices.delivery.transports.fcm.outcomes import classify_fcm
from devices.delivery.transports.outcomes import Verdict

CREDENTIALS_MISSING = Verdict(Outcome.AUTH, "fcm_credentials_missing")


@dataclass(frozen=True, slots=True)
class FcmMessage:
    """One encoded send call, and the account that it is made with; None where the app has none yet."""

    key: int
    account: ServiceAccount | None
    body: bytes = field(repr=False)


class Fcm(Transport[FcmMessage]):
    """Native messages; `dev_origins` are those of local push services, `clock` gives Unix seconds."""

    def __init__(self, *, dev_origins: Collection[str] = frozenset(), clock: Callable[[], float] = time.time) -> None:
        self._dev_origins = frozenset(dev_origins)
        self._tokens = AccessTokens(clock=clock)

    def close(self) -> None:
        """Close the connection to the token endpoint."""
        self._tokens.close()

    def origin_of(self, message: FcmMessage) -> str:
        """Return FCM's origin, or that of a local push service in development; SendRefused."""
        origin = FCM_ORIGIN if message.account is None else message.account.origin
        if origin != FCM_ORIGIN and origin not in self._dev_origins:
            raise SendRefused("endpoint_host")
        return origin

    def request_of(self, message: FcmMessage, origin: str) -> Request:
        """Return the send call; NotNow where there are no credentials, NotYet while an access token is fetched."""
        if message.account is None:
            raise NotNow(CREDENTIALS_MISSING)
        token = self._tokens.get(message.account)
        if token is None:
            raise NotYet
        if isinstance(token, Verdict):
            raise NotNow(token)
        headers = [f"Authorization: Bearer {token}", "Content-Type: application/json", "Expect:", "Accept:"]
        return Request(message.account.url, headers, message.body)

    def verdict_of(
        self, message: FcmMessage, *, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> Verdict:
        """Return what FCM's answer means; an access token that it refuses is not used again."""
        verdict = classify_fcm(status=status, headers=headers, body=body, now=now)
        if status == 401 and verdict.reason == "unauthorized" and message.account is not None:
            self._tokens.forget(message.account)
        return verdict
