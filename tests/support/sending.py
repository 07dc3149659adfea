"""A brand with browsers subscribed at a real push service on this machine, and what sending them something takes."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import connection

from devices.delivery.sending import chunk_send
from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import chunks_cut, deliveries_add
from devices.delivery.transports.endpoints import check_keys
from devices.installations.reporting import Subscription
from devices.models import Brand, Delivery, DeliveryChunk, Device, Dispatch
from devices.pushservice.server import LocalPushService
from tests.support.people import Browser


def variant(**fields: object) -> dict[str, object]:
    return {
        "title": "Hello",
        "message": "There",
        "url": "",
        "icon": "",
        "image": "",
        "badge": "",
        "buttons": [],
    } | fields


@dataclass
class Channel:
    """Sends and shows what became of it."""

    brand: Brand
    service: LocalPushService
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def subscriber(self, external_id: str, **properties: object) -> Browser:
        """An end user whose browser allowed pushes."""
        key = self.brand.vapid_keys.get(active=True).public_key
        (made,) = self.service.subscriptions(1, key)
        p256dh, auth = check_keys(made["p256dh"], made["auth"])
        browser = Browser(self.brand, now=self.now)
        browser.load(external_id, **properties)
        browser.permission = "granted"
        browser.subscription = Subscription(made["endpoint"], self.service.url, p256dh, auth, key)
        browser.report()
        self.tokens[external_id] = made["token"]
        return browser

    def dispatch(self, *, key: str = "send", **fields: object) -> int:
        content = {
            "kind": "push",
            "default_language": "en",
            "variants": fields.pop("variants", {"en": variant()}),
        }
        spec = DispatchSpec(
            brand_id=self.brand.pk, day=self.now.date(), source="test", source_key=key, content=content, **fields
        )
        return next(iter(dispatches_ensure(specs=[spec], now=self.now).values()))

    def add(self, dispatch_id: int, browser: Browser, *, request: str = "1", variables=None) -> list[int]:
        return deliveries_add(
            dispatch_id=dispatch_id,
            end_user_id=browser.device.holder_id,
            request_key=f"{request}:{browser.device.pk}",
            variables=variables,
            now=self.now,
        )

    def push(self, browser: Browser, *, request: str = "1", variables=None, **fields: object) -> Delivery:
        """One delivery, cut and sent."""
        (delivery_id,) = self.add(self.dispatch(**fields), browser, request=request, variables=variables)
        self.send_due()
        return Delivery.objects.get(pk=delivery_id)

    def send_due(self, *, now: datetime | None = None) -> int:
        """Cut what is due and send it, and what waits in chunks that were let go; returns how many went out."""
        at = now or self.now
        sent = sum(chunk_send(chunk_id=chunk.id, now=at) for chunk in chunks_cut(now=at))
        waiting = DeliveryChunk.objects.filter(state="ready").order_by("pk").values_list("pk", flat=True)
        return sent + sum(chunk_send(chunk_id=chunk_id, now=at) for chunk_id in list(waiting))

    def received(self, external_id: str) -> list[dict]:
        """What the browser's service worker would be handed, decrypted."""
        messages = self.service.messages(token=self.tokens[external_id])
        return [json.loads(message["plaintext"])["smartpush"] for message in messages]

    def device(self, browser: Browser) -> Device:
        return Device.objects.get(pk=browser.device.pk)


def set_dispatch(dispatch_id: int, **fields: object) -> None:
    Dispatch.objects.filter(pk=dispatch_id).update(**fields)


def crash_the_worker_after_gating(chunk_id: int, now: datetime) -> None:
    """Do what a worker does before the wire, and then nothing more."""
    claim = chunk_claim(chunk_id=chunk_id, now=now)
    assert claim is not None
    assert rows_gate(claim=claim, now=now, limit=500)[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM devices_delivery WHERE state = 'sending'")
        assert cursor.fetchone()[0] > 0
