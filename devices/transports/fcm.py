"""The FCM wire: HTTP v1 calls, one a message, with an access token of the app's own service account."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.transports.base import Outcome, Request, SendRefused
from devices.transports.fcm_credentials import FCM_ORIGIN, AccessTokens, ServiceAccount
from devices.transports.fcm_outcomes import classify_fcm
from devices.transports.outcomes import Verdict
from devices.transports.wire import IN_FLIGHT, NotNow, OnProgress, OnResult, WireSender

CREDENTIALS_MISSING = Verdict(Outcome.AUTH, "fcm_credentials_missing")


@dataclass(frozen=True, slots=True)
class FcmMessage:
    """One encoded send call, and the account that it is made with; None where the app has none yet."""

    key: int
    account: ServiceAccount | None
    body: bytes = field(repr=False)


class FcmSender(WireSender[FcmMessage]):
    """Sends native messages; options as in WireSender."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._tokens = AccessTokens(clock=self._clock)

    def close(self) -> None:
        """Close every connection."""
        super().close()
        self._tokens.close()

    def send(
        self,
        messages: Iterable[FcmMessage],
        *,
        on_result: OnResult,
        on_progress: OnProgress | None = None,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        """Send all messages and call `on_result` once for each; callbacks and `in_flight` as for Web Push."""
        self._send_all(messages, on_result=on_result, on_progress=on_progress, in_flight=in_flight)

    def _origin_of(self, message: FcmMessage) -> str:
        origin = FCM_ORIGIN if message.account is None else message.account.origin
        if origin != FCM_ORIGIN and origin not in self._dev_origins:
            raise SendRefused("endpoint_host")
        return origin

    def _request_of(self, message: FcmMessage, origin: str) -> Request:
        if message.account is None:
            raise NotNow(CREDENTIALS_MISSING)
        token = self._tokens.get(message.account)
        if isinstance(token, Verdict):
            raise NotNow(token)
        headers = [f"Authorization: Bearer {token}", "Content-Type: application/json", "Expect:", "Accept:"]
        return Request(message.account.url, headers, message.body)

    def _verdict_of(
        self, message: FcmMessage, *, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> Verdict:
        verdict = classify_fcm(status=status, headers=headers, body=body, now=now)
        if status == 401 and verdict.reason == "unauthorized" and message.account is not None:
            self._tokens.forget(message.account)
        return verdict
