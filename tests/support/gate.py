"""Rows before the gate, without anything on a wire."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import chunks_cut, deliveries_add
from devices.models import App, Brand, Delivery, Device, Dispatch, EndUser, PushStatus

ORIGINS = ("https://updates.push.services.mozilla.com", "https://fcm.googleapis.com")


def subscriber(brand: Brand, name: str, *, zone: str = "", device_zone: str = "", devices: int = 1) -> EndUser:
    """An end user with devices that allowed, each at another push service."""
    now = datetime.now().astimezone()
    end_user = EndUser.objects.create(brand=brand, external_id=name, time_zone=zone, last_session_status="allowed")
    for number in range(devices):
        device = Device.objects.create(
            brand=brand,
            app=App.objects.get(brand=brand),
            session_end_user=end_user,
            holder=end_user,
            secret_hash="x",
            platform="web",
            time_zone=device_zone,
            endpoint=f"{ORIGINS[number % 2]}/{name}/{number}",
            endpoint_origin=ORIGINS[number % 2],
            p256dh=b"1",
            auth=b"1",
            token_hash=hashlib.sha256(f"{brand.pk} {name} {number}".encode()).hexdigest(),
            vapid_key=brand.vapid_keys.get(active=True),
            last_seen_at=now,
        )
        PushStatus.objects.create(
            brand=brand, end_user=end_user, device=device, status="allowed", since=now, reported_at=now
        )
    return end_user


def message(
    brand: Brand, end_users: Collection[EndUser], *, now: datetime, key: str = "send", request: str = "1", **fields
) -> Dispatch:
    """Waiting deliveries of one dispatch, to every device of these end users."""
    spec = DispatchSpec(
        brand_id=brand.pk, day=now.date(), source="journey", source_key=key, content={}, ttl=86_400 * 2, **fields
    )
    dispatch_id = next(iter(dispatches_ensure(specs=[spec], now=now).values()))
    for end_user in end_users:
        deliveries_add(
            dispatch_id=dispatch_id, end_user_id=end_user.pk, request_key=f"{key}:{request}:{end_user.pk}", now=now
        )
    return Dispatch.objects.get(pk=dispatch_id)


def gate(*, now: datetime, limit: int = 500) -> int:
    """Cut what is due, and gate it; returns how many may go."""
    passed = 0
    for chunk in chunks_cut(now=now):
        claim = chunk_claim(chunk_id=chunk.id, now=now)
        evaluated = limit
        while claim is not None and evaluated == limit:
            evaluated, rows = rows_gate(claim=claim, now=now, limit=limit)
            passed += len(rows)
    return passed


def outcomes() -> dict[str, list[tuple[str, str, str]]]:
    """State, reason and what it waits for of each end user's deliveries, in order."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for row in Delivery.objects.select_related("end_user").order_by("pk"):
        found.setdefault(str(row.end_user), []).append((row.state, row.reason, row.hold_reason))
    return found
