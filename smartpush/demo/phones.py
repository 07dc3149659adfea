"""The demo's phones: an iOS app of the shop on the native API, for end users who said no to their browser."""

import json
from collections.abc import Sequence

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

from devices.delivery.services.fcm_accounts import app_credentials_set
from devices.models import App, Brand
from smartpush.common.time.clock import utc_now
from smartpush.demo.visitors import external_id_of

_ATTEMPTS = 3


def phones_app(*, brand: Brand) -> App:
    """The shop's iOS app, with a key file for the local push service in the place of Google's."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    app = App.objects.create(
        brand=brand, kind=App.Kind.IOS, name="Harbour Books app", bundle_id="example.harbour.books"
    )
    document = {
        "type": "service_account",
        "project_id": "harbour-books",
        "private_key_id": "demo",
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": "push@harbour-books.iam.gserviceaccount.com",
        "token_uri": f"{settings.SMARTPUSH_LOCAL_PUSH_URL}/token",
    }
    app_credentials_set(app=app, text=json.dumps(document), now=utc_now())
    return app


def phones_open(*, app: App, tokens: Sequence[str], numbers: Sequence[int]) -> int:
    """Each end user opens the app once, logged in and with notifications on; returns how many sessions were taken."""
    taken = 0
    with requests.Session() as http:
        http.headers["X-Smartpush-App"] = str(app.app_key)
        for number, token in zip(numbers, tokens, strict=True):
            body = {
                "installation": None,
                "external_id": external_id_of(number),
                "language": "en",
                "push": {"status": "allowed", "permission": "granted", "token": token},
                "device": {"os_version": "26.1", "app_version": "3.2.0", "model": "iPhone 17", "language": "en"},
                "tab": "app",
            }
            for _ in range(_ATTEMPTS):
                answer = http.post(f"{settings.SMARTPUSH_PUBLIC_URL}/api/v1/sdk/session", json=body, timeout=30)
                if answer.status_code != 503:
                    break
            taken += answer.status_code == 200
    return taken
