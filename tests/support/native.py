"""Native apps of a brand at the local push service, for tests of sending and of sessions."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import transaction

from devices.delivery.services.fcm_accounts import app_credentials_set
from devices.installations.reporting import Credentials, DeviceInfo, Identity, PushReport
from devices.lifecycle.sessions import SessionResult, session_open, status_update
from devices.models import App, Brand, Device, Status


@cache
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def service_account(url: str, **fields: object) -> str:
    """A key file as Google gives it out, for the push service at `url`."""
    document = {
        "type": "service_account",
        "project_id": "harbour-books",
        "private_key_id": "1f2e3d",
        "private_key": private_key(),
        "client_email": "push@harbour-books.iam.gserviceaccount.com",
        "client_id": "1234567890",
        "token_uri": f"{url}/token",
    }
    return json.dumps(document | fields)


def native_app(brand: Brand, kind: str = "android", *, url: str = "", **fields: object) -> App:
    """An app of the brand, with credentials for the push service at `url` if one is given."""
    app = App.objects.create(brand=brand, kind=kind, name=f"Books for {kind}", bundle_id="example.books", **fields)
    if url:
        app_credentials_set(app=app, text=service_account(url), now=datetime.now(UTC))
    return app


@dataclass
class Phone:
    """One installation of an app: its permission, its FCM token and what its storage remembers."""

    app: App
    token: str
    status: Status = Status.ALLOWED
    reason: str = ""
    credentials: Credentials | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def push(self) -> PushReport:
        allowed = self.status == Status.ALLOWED
        return PushReport(self.status, reason=self.reason, token=self.token if allowed else "")

    def open(self, external_id: str | None = None) -> SessionResult:
        """The app comes to the foreground."""
        self.now += timedelta(seconds=1)
        with transaction.atomic():
            result = session_open(
                brand=self.app.brand,
                app=self.app,
                credentials=self.credentials,
                identity=Identity(external_id=external_id),
                info=DeviceInfo(platform=self.app.kind, os_version="14", app_version="2.1.0", model="Pixel 8"),
                push=self.push,
                now=self.now,
            )
        if result.secret is not None:
            self.credentials = Credentials(result.device.pk, result.secret)
        return result

    def report(self) -> SessionResult:
        assert self.credentials is not None
        return status_update(app=self.app, credentials=self.credentials, push=self.push, cause="sdk_call", now=self.now)

    @property
    def device(self) -> Device:
        assert self.credentials is not None
        return Device.objects.get(pk=self.credentials.device_id)
