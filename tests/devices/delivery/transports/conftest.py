import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.delivery.transports.base import Outcome, SendResult, WebMessage
from devices.delivery.transports.vapid import VapidKeyPair, generate_vapid_key
from tests.devices.delivery.transports.senders import WebPushSender
from tests.devices.delivery.transports.tls import Certificates, make_certificates


@dataclass
class Browser:
    """A subscription's keys, and what only their owner can do."""

    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    @property
    def p256dh(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def decrypt(self, body: bytes) -> bytes:
        return http_ece.decrypt(body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")

    def subscription(self, endpoint: str) -> dict[str, object]:
        def encode(data: bytes) -> str:
            return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

        return {"endpoint": endpoint, "keys": {"p256dh": encode(self.p256dh), "auth": encode(self.auth)}}


@dataclass
class Results:
    """Collects results; `by_key` insists on one result a message."""

    all: list[SendResult] = field(default_factory=list)

    def __call__(self, result: SendResult) -> None:
        self.all.append(result)

    @property
    def by_key(self) -> dict[int, SendResult]:
        results = {result.key: result for result in self.all}
        assert len(results) == len(self.all), "a message had two results"
        return results

    @property
    def only(self) -> SendResult:
        (result,) = self.all
        return result

    def outcomes(self) -> set[Outcome]:
        return {result.outcome for result in self.all}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"), names=("localhost", "127.0.0.1", "fcm.googleapis.com"))


@pytest.fixture(scope="session")
def browser() -> Browser:
    return Browser()


@pytest.fixture(scope="session")
def vapid() -> dict[int, VapidKeyPair]:
    public, private = generate_vapid_key()
    return {1: VapidKeyPair(public=public, private=private, subject="mailto:ops@example.com")}


@pytest.fixture
def make_message(browser) -> Callable[..., WebMessage]:
    def make(endpoint: str, key: int = 1, **fields) -> WebMessage:
        values = {
            "p256dh": browser.p256dh,
            "auth": browser.auth,
            "vapid_key_id": 1,
            "payload": b'{"smartpush":1}',
            "ttl": 3600,
        }
        return WebMessage(key=key, endpoint=endpoint, **(values | fields))

    return make


@pytest.fixture
def make_sender(certificates):
    senders = []

    def make(*origins: str, **options) -> WebPushSender:
        sender = WebPushSender(**({"dev_origins": frozenset(origins), "ca_file": certificates.ca_file} | options))
        senders.append(sender)
        return sender

    yield make
    for sender in senders:
        sender.close()


@pytest.fixture
def results() -> Results:
    return Results()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path
