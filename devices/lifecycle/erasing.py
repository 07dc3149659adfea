"""Erasing a person: their row and everything that hangs on it goes; what is another's stays."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Q, QuerySet

from devices.brands.models import IdentityObservation
from devices.delivery.models import CapCounter, Delivery, PopupOffer
from devices.delivery.services.cancelling import device_cancel, end_users_cancel
from devices.delivery.services.messages import messages_forget
from devices.installations.models import Device, PushStatus, PushStatusChange, TokenHolding
from devices.installations.tokens import token_clear
from devices.lifecycle.sessions import bucket_of
from devices.lifecycle.users import UserUnknown
from devices.people.models import ConsentRecord, EndUser, Event

REASON = "erased"


@dataclass(frozen=True, slots=True)
class Erased:
    """How much went, without a word about whose it was."""

    devices: int
    events: int
    deliveries: int


def end_user_lock(*, brand_id: int, external_id: str) -> EndUser:
    """The end user, locked, and after them their devices, by id; raises UserUnknown."""
    end_user = EndUser.objects.select_for_update().filter(brand_id=brand_id, external_id=external_id).first()
    if end_user is None:
        raise UserUnknown
    list(_devices(end_user.pk).select_for_update().values_list("pk"))
    return end_user


def end_user_erase(*, end_user: EndUser, now: datetime) -> Erased:
    """Delete a locked end user, after the caller has removed what campaigns know of them; run it in a transaction.

    Waiting messages are cancelled before they go, so that a worker about to send finds nothing to send. A device that
    others have used stays theirs, without the token if it was the erased person's.
    """
    person = end_user.pk
    end_users_cancel(end_user_ids=[person], reason=REASON, now=now)
    devices = 0
    for device in _devices(person).select_for_update().order_by("pk"):
        devices += _device_leave(device=device, person=end_user, now=now)
    deliveries = Delivery.objects.filter(end_user_id=person)
    asked = deliveries.values_list("request_id", flat=True).distinct()
    messages_forget(request_ids=[request_id for request_id in asked if request_id is not None])
    gone = Erased(
        devices=devices,
        events=Event.objects.filter(end_user_id=person).delete()[0],
        deliveries=deliveries.delete()[0],
    )
    PopupOffer.objects.filter(end_user_id=person).delete()
    ConsentRecord.objects.filter(end_user_id=person).delete()
    CapCounter.objects.filter(end_user_id=person).delete()
    PushStatus.objects.filter(end_user_id=person).delete()
    PushStatusChange.objects.filter(end_user_id=person).delete()
    TokenHolding.objects.filter(end_user_id=person).delete()
    IdentityObservation.objects.filter(brand_id=end_user.brand_id, last_external_id=end_user.external_id or "").update(
        last_external_id=""
    )
    LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(EndUser), object_id=str(person)).update(
        object_repr="Erased end user", change_message=""
    )
    with connection.cursor() as cursor:
        # Not by the ORM, which would take along whatever we forgot: constraints refuse it instead.
        cursor.execute("DELETE FROM devices_enduser WHERE id = %s", [person])
    return gone


def _devices(person: int) -> QuerySet[Device]:
    return Device.objects.filter(Q(holder_id=person) | Q(session_end_user_id=person)).order_by("pk")


def _device_leave(*, device: Device, person: EndUser, now: datetime) -> int:
    """Delete the device when nobody else was ever on it (1), or part it from the person (0)."""
    others = (
        {device.holder_id, device.session_end_user_id} - {person.pk, None}
        or PushStatus.objects.filter(device=device).exclude(end_user=person).exists()
        or TokenHolding.objects.filter(device=device).exclude(end_user=person).exists()
    )
    if device.holder_id == person.pk:
        device_cancel(device_id=device.pk, reason=REASON, now=now)
        token_clear(device=device, reason=REASON, now=now)
        device.holder = None
        device.endpoint = device.endpoint_origin = device.native_token = ""  # also a token that was set aside
        device.p256dh = device.auth = None
    if not others:
        device.delete()
        return 1
    if device.session_end_user_id == person.pk:
        visitor = EndUser.objects.create(brand_id=device.brand_id, bucket=0)
        EndUser.objects.filter(pk=visitor.pk).update(bucket=bucket_of(brand_id=device.brand_id, key=f"#{visitor.pk}"))
        device.session_end_user = visitor
        device.identity_proven_until = None
    device.save(
        update_fields=[
            "holder", "session_end_user", "identity_proven_until", "endpoint", "endpoint_origin", "native_token",
            "p256dh", "auth",
        ]
    )  # fmt: skip
    return 0
