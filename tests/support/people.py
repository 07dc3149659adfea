"""Browsers and their users for service tests: a real subscription each, and the calls that the SDK would make."""

import base64
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.installations.reporting import Credentials, DeviceInfo, Identity, PushReport, Subscription
from devices.lifecycle.merging import merge_finish
from devices.lifecycle.sessions import SessionResult, session_close, session_open, status_update
from devices.models import App, Brand, Device, EndUser, PushStatus, Status
from smartpush.common.database.deadlocks import transaction_again

PUSH_ORIGIN = "https://updates.push.services.mozilla.com"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def new_subscription(vapid_key: str, *, origin: str = PUSH_ORIGIN) -> Subscription:
    """A subscription as a browser makes it, at a push service that nobody calls here."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    p256dh = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Subscription(
        endpoint=f"{origin}/wpush/v2/{b64(os.urandom(24))}",
        origin=origin,
        p256dh=p256dh,
        auth=os.urandom(16),
        vapid_key=vapid_key,
    )


@dataclass
class Browser:
    """One browser profile: its permission, its subscription and what its storage remembers."""

    brand: Brand
    now: datetime = NOON
    permission: str = "default"
    subscription: Subscription | None = None
    credentials: Credentials | None = None
    answers: list[SessionResult] = field(default_factory=list)

    @property
    def push(self) -> PushReport:
        if self.permission == "granted":
            if self.subscription is None:  # the SDK subscribes again silently
                self.subscribe()
            return PushReport(Status.ALLOWED, subscription=self.subscription)
        return PushReport(Status.BLOCKED if self.permission == "denied" else Status.ASK)

    def subscribe(self) -> None:
        self.subscription = new_subscription(self.brand.vapid_keys.get(active=True).public_key)

    def load(self, external_id: str | None = None, **properties: object) -> SessionResult:
        """A page load, by a site that identifies its user."""
        self.now += timedelta(minutes=1)

        def work() -> SessionResult:
            result = session_open(
                brand=self.brand,
                app=self.app,
                credentials=self.credentials,
                identity=Identity(external_id=external_id, properties=properties),
                info=DeviceInfo(browser="firefox", browser_version="153.0"),
                push=self.push,
                now=self.now,
            )
            if result.merge is not None:
                merge_finish(result.merge)
            return result

        result = transaction_again(work)
        if result.secret is not None:
            self.credentials = Credentials(result.device.pk, result.secret)
        self.answers.append(result)
        return result

    @property
    def app(self) -> App:
        """The website of the brand."""
        return self.brand.apps.get(kind="web")

    def report(self) -> SessionResult:
        """The SDK tells what changed."""
        self.now += timedelta(seconds=5)
        assert self.credentials is not None
        return status_update(app=self.app, credentials=self.credentials, push=self.push, cause="popup", now=self.now)

    def allow(self) -> SessionResult:
        self.permission = "granted"
        return self.report()

    def block(self) -> SessionResult:
        self.permission, self.subscription = "denied", None
        return self.report()

    def log_out(self) -> SessionResult:
        self.now += timedelta(minutes=1)
        assert self.credentials is not None
        return session_close(app=self.app, credentials=self.credentials, info=DeviceInfo(), now=self.now)

    def clear_storage(self) -> None:
        """The site's storage is gone; the browser's subscription with it or not, as the caller sets."""
        self.credentials = None

    @property
    def device(self) -> Device:
        assert self.credentials is not None
        return Device.objects.get(pk=self.credentials.device_id)


def person(brand: Brand, external_id: str) -> EndUser:
    return EndUser.objects.get(brand=brand, external_id=external_id)


def status_of(brand: Brand, external_id: str, device: Device) -> str | None:
    pair = PushStatus.objects.filter(end_user__brand=brand, end_user__external_id=external_id, device=device).first()
    return pair.status if pair else None


def push_enabled(end_user: EndUser) -> bool:
    """Core: push enabled, user has at least one device."""
    return Device.objects.filter(
        holder=end_user,
        token_hash__isnull=False,
        push_statuses__end_user=end_user,
        push_statuses__status=Status.ALLOWED,
    ).exists()
