"""A brand of random end users."""

import random
from datetime import UTC, datetime

from django.db import connection

from devices.models import App, Brand, Device, EndUser, PushStatus, VapidKey

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STATUSES = ["ask", "allowed", "blocked", "not_supported", "suspended"]
MARKERS = ["NEWS", "SPORT", "VIP", "CASINO"]
LANGUAGES = ["", "en", "en-GB", "EN", "eng", "pt-BR", "de", "nb-NO", "nn", "no", "zh-TW", "zh-Hant"]
PLATFORMS = ["web", "android", "ios"]


def populate(*, seed: int, end_users: int = 60, name: str = "Acme") -> Brand:
    """A brand with end users whose devices, pairs and tokens are in every mixture that the constraints allow."""
    dice = random.Random(seed)
    brand = Brand.objects.create(name=name)
    app = App.objects.create(brand=brand, name="Site", origin=f"https://{name.lower()}.example.com")
    key = VapidKey.objects.create(brand=brand, public_key=f"key-{name}-{seed}", private_key_encrypted="x")
    people = EndUser.objects.bulk_create(
        EndUser(
            brand=brand,
            external_id=f"{name}-{n}" if dice.random() < 0.7 else None,
            language=dice.choice(LANGUAGES),
            js_markers=dice.sample(MARKERS, dice.randint(0, 3)),
            external_markers=dice.sample(MARKERS, dice.randint(0, 2)),
            backoffice_markers=dice.sample(MARKERS, dice.randint(0, 1)),
            last_session_status=dice.choice(STATUSES),
            last_session_at=NOW if dice.random() < 0.8 else None,
        )
        for n in range(end_users)
    )
    for n in range(end_users):
        live = dice.random() < 0.6
        holder = dice.choice(people) if live or dice.random() < 0.3 else None
        device = Device.objects.create(
            brand=brand,
            app=app,
            session_end_user=dice.choice(people),
            holder=holder,
            secret_hash="s",
            platform=dice.choice(PLATFORMS),
            native_token=f"fcm-{name}-{seed}-{n}",
            endpoint="https://push.example/x",
            p256dh=b"p",
            auth=b"a",
            vapid_key=key,
            token_hash=f"{name}-{seed}-{n}" if live else None,
            last_seen_at=NOW,
        )
        allowed = False
        for person in {holder, *dice.sample(people, min(2, end_users))} - {None}:
            status = dice.choice(STATUSES)
            if status == "allowed" and allowed:
                status = "blocked"
            allowed = allowed or status == "allowed"
            PushStatus.objects.create(
                brand=brand, end_user=person, device=device, status=status, since=NOW, reported_at=NOW
            )
    with connection.cursor() as cursor:  # as in a running system: of a table that was empty, plans expect anything
        cursor.execute("ANALYZE devices_enduser, devices_device, devices_pushstatus")
    return brand
