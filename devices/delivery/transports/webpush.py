"""The Web Push wire: encrypted messages to the addresses that browsers handed us (RFC 8030, RFC 8291)."""

import re
import time
from collections.abc import Callable, Collection, Mapping

from devices.delivery.transports.base import Request, SendRefused, WebMessage
from devices.delivery.transports.contract import Transport
from devices.delivery.transports.encryption import encrypt
from devices.delivery.transports.endpoints import check_endpoint
from devices.delivery.transports.vapid import VapidKeyPair, VapidSigner

URGENCIES = frozenset({"very-low", "low", "normal", "high"})

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


class WebPush(Transport[WebMessage]):
    """Web Push messages; `dev_origins` and `extra_hosts` as in check_endpoint, `clock` gives Unix seconds."""

    def __init__(
        self,
        *,
        dev_origins: Collection[str] = frozenset(),
        extra_hosts: Collection[str] = frozenset(),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dev_origins = frozenset(dev_origins)
        self._extra_hosts = frozenset(extra_hosts)
        self._clock = clock
        self._signer = VapidSigner()
        self._vapid: dict[int, VapidKeyPair] = {}

    def keys_add(self, pairs: Mapping[int, VapidKeyPair]) -> None:
        """Take in the key pairs, by their ids, that messages may name from now on."""
        self._vapid |= pairs

    def origin_of(self, message: WebMessage) -> str:
        """Return the origin of the subscription's address; SendRefused when it is none of a push service."""
        return check_endpoint(message.endpoint, dev_origins=self._dev_origins, extra_hosts=self._extra_hosts)

    def request_of(self, message: WebMessage, origin: str) -> Request:
        """Return the encrypted, signed request; SendRefused."""
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
