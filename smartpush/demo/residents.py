"""The demo's residents: end users whose sessions and answers are written by set, as years of visits would leave them.

Their journeys, popups and pushes are the product's own work. The live visitors (smartpush.demo.visitors) speak HTTP as
browsers do; two thousand of them would take a laptop a minute and show nothing more.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from campaigns.services.entry_by_event import enter_by_events
from devices.delivery.popup_outcomes import ASKED
from devices.delivery.transports.endpoints import check_keys
from devices.installations.tokens import token_hash
from devices.lifecycle.arriving import bucket_of
from devices.models import (
    App,
    Brand,
    Device,
    EndUser,
    Event,
    PopupOffer,
    PushStatus,
    PushStatusChange,
    Status,
    TokenHolding,
    VapidKey,
)
from devices.people.services.events import RecordedEvent
from devices.people.services.properties import types_learn, types_of
from smartpush.common.crypto import hash_secret, new_secret
from smartpush.demo.visitors import Plan, device_of, external_id_of, first_name_of


def residents_seed(*, brand: Brand, numbers: Sequence[int], now: datetime) -> None:
    """Write end users with one device each, at ask."""
    app = App.objects.get(brand=brand)
    hashed = hash_secret(new_secret())  # nobody keeps the secret: no page speaks for these installations
    users = EndUser.objects.bulk_create(
        [
            EndUser(
                brand=brand,
                external_id=external_id_of(number),
                language="en",
                time_zone=device_of(number)["time_zone"],
                properties={"first_name": first_name_of(number)},
                bucket=bucket_of(brand_id=brand.pk, key=external_id_of(number)),
                last_session_at=now,
            )
            for number in numbers
        ]
    )
    types_learn(brand_id=brand.pk, known=types_of(brand_id=brand.pk), rows=[user.properties for user in users])
    devices = Device.objects.bulk_create(
        [
            Device(
                brand=brand,
                app=app,
                session_end_user=user,
                holder=user,
                secret_hash=hashed,
                platform="web",
                last_seen_at=now,
                **device_of(number),
            )
            for number, user in zip(numbers, users, strict=True)
        ]
    )
    PushStatus.objects.bulk_create(
        [
            PushStatus(brand=brand, end_user=user, device=device, status=Status.ASK, since=now, reported_at=now)
            for user, device in zip(users, devices, strict=True)
        ]
    )


@transaction.atomic
def residents_arrive(*, brand: Brand, now: datetime) -> int:
    """Everyone seeded begins a session; returns how many journeys that began."""
    devices = Device.objects.filter(brand=brand).order_by("pk")
    events = Event.objects.bulk_create(
        [
            Event(
                brand=brand,
                end_user_id=device.session_end_user_id,
                device_id=device.pk,
                name="session",
                occurred_at=now,
                recorded_at=now,
                day=now.date(),
            )
            for device in devices
        ]
    )
    recorded = [
        RecordedEvent(event.pk, event.end_user_id, event.device_id, event.name, {}, event.occurred_at)
        for event in events
    ]
    return len(enter_by_events(brand_id=brand.pk, events=recorded, now=now))


def residents_waiting(*, brand: Brand) -> int:
    """How many popups wait for an open page."""
    return PopupOffer.objects.filter(brand=brand, state=PopupOffer.State.PENDING).count()


@transaction.atomic
def residents_answer(
    *,
    brand: Brand,
    subscriptions: Sequence[dict[str, str]],
    numbers: Sequence[int],
    origin: str,
    plan: Plan,
    now: datetime,
) -> Counter[str]:
    """Their pages show the popup and they answer, written by set; the ticker lets the journeys go on."""
    given = {external_id_of(number): plan.answer(number) for number in numbers}
    number_of = {external_id_of(number): number for number in numbers}
    devices = [
        device
        for device in Device.objects.select_related("session_end_user").filter(brand=brand).order_by("pk")
        if device.session_end_user.external_id in given
    ]
    answer_of = {device.pk: given[str(device.session_end_user.external_id)] for device in devices}
    _tokens_write(
        brand=brand,
        devices=[device for device in devices if answer_of[device.pk] == "allowed"],
        subscriptions={
            device.pk: subscriptions[number_of[str(device.session_end_user.external_id)]] for device in devices
        },
        origin=origin,
        now=now,
    )
    answered: Counter[str] = Counter()
    for answer in sorted(set(given.values())):
        mine = [device for device in devices if answer_of[device.pk] == answer]
        users = [device.session_end_user_id for device in mine]
        answered[answer] = PopupOffer.objects.filter(end_user__in=users, state=PopupOffer.State.PENDING).update(
            state=answer,
            shown_at=now,
            finished_at=now,
            asked_at=now if answer in ASKED else None,
        )
        if answer in {"allowed", "blocked"}:
            PushStatus.objects.filter(device__in=mine).update(status=answer, since=now, reported_at=now)
            EndUser.objects.filter(pk__in=users).update(last_session_status=answer)
            PushStatusChange.objects.bulk_create(
                PushStatusChange(
                    end_user_id=device.session_end_user_id, device=device, old="ask", new=answer, cause="popup", at=now
                )
                for device in mine
            )
    return answered


def _tokens_write(
    *, brand: Brand, devices: Sequence[Device], subscriptions: dict[int, dict[str, str]], origin: str, now: datetime
) -> None:
    key = VapidKey.objects.get(brand=brand, active=True)
    columns: list[tuple[int, str, bytes, bytes, str]] = []
    for device in devices:
        keys = subscriptions[device.pk]
        p256dh, auth = check_keys(keys["p256dh"], keys["auth"])
        columns.append((device.pk, keys["endpoint"], p256dh, auth, token_hash(keys["endpoint"])))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE devices_device v SET endpoint = t.endpoint, endpoint_origin = %s, p256dh = t.p256dh, auth = t.auth,
                token_hash = t.token_hash, token_at = %s, vapid_key_id = %s
            FROM unnest(%s::bigint[], %s::text[], %s::bytea[], %s::bytea[], %s::text[])
                AS t(id, endpoint, p256dh, auth, token_hash)
            WHERE v.id = t.id
            """,
            [origin, now, key.pk, *(list(column) for column in zip(*columns, strict=True))],
        )
    TokenHolding.objects.bulk_create(
        TokenHolding(
            device=device,
            end_user_id=device.session_end_user_id,
            token_hash=token_hash(subscriptions[device.pk]["endpoint"]),
            since=now,
        )
        for device in devices
    )
