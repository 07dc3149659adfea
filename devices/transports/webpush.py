"""The Web Push wire: encrypted messages to the addresses that browsers handed us (RFC 8030, RFC 8291)."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from devices.transports.base import Request, SendRefused, WebMessage
from devices.transports.encryption import encrypt
from devices.transports.endpoints import check_endpoint
from devices.transports.vapid import VapidKeyPair, VapidSigner
from devices.transports.wire import IN_FLIGHT, OnProgress, OnResult, WireSender

URGENCIES = frozenset({"very-low", "low", "normal", "high"})

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


class WebPushSender(WireSender[WebMessage]):
    """Sends Web Push messages; `dev_origins` and `extra_hosts` as in check_endpoint, the rest as in WireSender."""

    def __init__(
        self,
        *,
        dev_origins: Collection[str] = frozenset(),
        extra_hosts: Collection[str] = frozenset(),
        **options: Any,
    ) -> None:
        super().__init__(dev_origins=dev_origins, **options)
        self._extra_hosts = frozenset(extra_hosts)
        self._signer = VapidSigner()
        self._vapid: Mapping[int, VapidKeyPair] = {}

    def send(
        self,
        messages: Iterable[WebMessage],
        *,
        vapid: Mapping[int, VapidKeyPair],
        on_result: OnResult,
        on_progress: OnProgress | None = None,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        """Send all messages and call `on_result` once for each, in the order of the answers.

        `in_flight` bounds the messages under way to one origin; all origins together get four times as many.
        `on_progress` is called at least every second as long as `messages` and `on_result` do not block. What
        either callback raises ends the call: messages without a result by then may have been taken or not.
        """
        self._vapid = vapid
        self._send_all(messages, on_result=on_result, on_progress=on_progress, in_flight=in_flight)

    def _origin_of(self, message: WebMessage) -> str:
        return check_endpoint(message.endpoint, dev_origins=self._dev_origins, extra_hosts=self._extra_hosts)

    def _request_of(self, message: WebMessage, origin: str) -> Request:
        if message.urgency not in URGENCIES:
            raise SendRefused("urgency")
        if message.ttl < 0:
            raise SendRefused("ttl")
        if message.topic is not None and _TOPIC.fullmatch(message.topic) is None:
            raise SendRefused("topic")
        pair = self._vapid.get(message.vapid_key_id)
        if pair is None:
            raise SendRefused("vapid_key_unknown")
        authorization = self._signer.authorization(pair=pair, origin=origin, now=self._clock())
        body = encrypt(plaintext=message.payload, p256dh=message.p256dh, auth=message.auth)
        headers = [
            f"Authorization: {authorization}",
            f"TTL: {message.ttl:d}",
            f"Urgency: {message.urgency}",
            "Content-Encoding: aes128gcm",
            "Content-Type: application/octet-stream",
            "Expect:",
            "Accept:",
        ]
        if message.topic is not None:
            headers.append(f"Topic: {message.topic}")
        return Request(message.endpoint, headers, body)
