"""One service a test, and senders: pywebpush as the honest one, hand-made requests for the others."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import WebPusher, webpush

from devices.pushservice.server import LocalPushService
from devices.pushservice.subscribers import b64url_encode

# What takes a moment here takes this long where every core is wanted by many.
PATIENCE_SECONDS = 60.0


class Clock:
    """The service's clock: the real one, moved ahead by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Sender:
    """An application server with one VAPID key."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def public(self) -> str:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return b64url_encode(point)

    def push(self, subscription: dict[str, str], text: str, **options: Any) -> requests.Response:
        """Send as pywebpush does."""
        return webpush(
            subscription_info={
                "endpoint": subscription["endpoint"],
                "keys": {"p256dh": subscription["p256dh"], "auth": subscription["auth"]},
            },
            data=text,
            vapid_private_key=Vapid02(self.key),
            vapid_claims={"sub": "mailto:ops@example.com"},
            **{"ttl": 60, **options},
        )

    def authorization(self, endpoint: str, *, signed_by: "Sender | None" = None, **changes: Any) -> str:
        """Make an Authorization header; a claim changed to None is left out."""
        claims: dict[str, Any] = {
            "aud": "/".join(endpoint.split("/")[:3]),
            "exp": int(time.time()) + 3600,
            "sub": "mailto:ops@example.com",
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        token = jwt.encode(claims, (signed_by or self).key, algorithm="ES256")
        return f"vapid t={token}, k={self.public}"

    def post(
        self,
        subscription: dict[str, str],
        *,
        body: bytes = b"x" * 200,
        authorization: str | None = "",
        **headers: str | None,
    ) -> requests.Response:
        """Send a request made by hand; a header given as None is left out."""
        endpoint = subscription["endpoint"]
        sent: dict[str, str | None] = {
            "TTL": "60",
            "Content-Encoding": "aes128gcm",
            "Authorization": self.authorization(endpoint) if authorization == "" else authorization,
        }
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(
            endpoint,
            data=body,
            headers={name: value for name, value in sent.items() if value is not None},
            timeout=PATIENCE_SECONDS,
        )


def encrypted(subscription: dict[str, str], text: str) -> bytes:
    """Encrypt by pywebpush."""
    keys = {"p256dh": subscription["p256dh"], "auth": subscription["auth"]}
    pusher = WebPusher({"endpoint": subscription["endpoint"], "keys": keys})
    return pusher.encode(text.encode(), content_encoding="aes128gcm")["body"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> Iterator[LocalPushService]:
    with LocalPushService(clock=clock) as running:
        yield running


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def subscription(service: LocalPushService, sender: Sender) -> dict[str, str]:
    return service.subscriptions(1, sender.public)[0]
