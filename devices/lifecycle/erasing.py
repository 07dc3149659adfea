"""Erasing a person: their row and everything that hangs on it goes; what is another's stays.

An erasure is the steps of the apps above, then `ERASE_STEPS`, then the row itself.
"""

from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from devices.brands.models import IdentityObservation
from devices.delivery.models import CapCounter, Delivery, PopupOffer
from devices.delivery.services.cancelling import device_cancel, end_users_cancel
from devices.delivery.services.messages import messages_forget
from devices.installations.models import Device, PushStatus, PushStatusChange, TokenHolding
from devices.installations.tokens import token_clear
from devices.lifecycle.arriving import bucket_of
from devices.lifecycle.steps import Erased, Erasure, Step, erase_steps_above
from devices.lifecycle.users import UserUnknown
from devices.people.models import ConsentRecord, EndUser, Event
from smartpush.common.database import statements

REASON = "erased"


def end_user_lock(*, brand_id: int, external_id: str) -> EndUser:
    """The end user, locked, and after them their devices, by id; raises UserUnknown."""
    end_user = EndUser.objects.select_for_update().filter(brand_id=brand_id, external_id=external_id).first()
    if end_user is None:
        raise UserUnknown
    list(_devices(end_user.pk).select_for_update().values_list("pk"))
    return end_user


# --- the steps ---
def _cancel(erasure: Erasure) -> None:
    """Waiting messages are cancelled before they go, so that a worker about to send finds nothing to send."""
    end_users_cancel(end_user_ids=[erasure.end_user.pk], reason=REASON, now=erasure.now)


def _leave_devices(erasure: Erasure) -> None:
    """A device that others have used stays theirs, without the token if it was the erased person's."""
    for device in _devices(erasure.end_user.pk).select_for_update().order_by("pk"):
        erasure.gone.devices += _device_leave(device=device, person=erasure.end_user, now=erasure.now)


def _messages(erasure: Erasure) -> None:
    deliveries = Delivery.objects.filter(end_user_id=erasure.end_user.pk)
    asked = deliveries.values_list("request_id", flat=True).distinct()
    messages_forget(request_ids=[request_id for request_id in asked if request_id is not None])
    erasure.gone.deliveries, _ = deliveries.delete()


def _events(erasure: Erasure) -> None:
    erasure.gone.events, _ = Event.objects.filter(end_user_id=erasure.end_user.pk).delete()


def _delete(model: type[Model]) -> Step[Erasure]:
    """Delete the rows of a table that name the person."""

    def run(erasure: Erasure) -> None:
        model._default_manager.filter(end_user_id=erasure.end_user.pk).delete()

    return Step(str(model._meta.verbose_name_plural), (model._meta.db_table,), run)


def _observations(erasure: Erasure) -> None:
    person = erasure.end_user
    IdentityObservation.objects.filter(brand_id=person.brand_id, last_external_id=person.external_id or "").update(
        last_external_id=""
    )


def _log(erasure: Erasure) -> None:
    """What staff did to the person stays in the log of the back office, without a name."""
    about = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(EndUser), object_id=str(erasure.end_user.pk)
    )
    about.update(object_repr="Erased end user", change_message="")


ERASE_STEPS: tuple[Step[Erasure], ...] = (
    Step("cancel what waits", (), _cancel),
    Step("devices", ("devices_device",), _leave_devices),
    Step("messages", ("devices_delivery",), _messages),
    Step("events", ("devices_event",), _events),
    _delete(PopupOffer),
    _delete(ConsentRecord),
    _delete(CapCounter),
    _delete(PushStatus),
    _delete(PushStatusChange),
    _delete(TokenHolding),
    Step("observed identity tokens", (), _observations),
    Step("log of the back office", (), _log),
)
# Not by the ORM, which would take along whatever we forgot: constraints refuse it instead.
_REMOVE = "DELETE FROM devices_enduser WHERE id = %s"


def end_user_erase(*, end_user: EndUser, now: datetime) -> Erased:
    """Delete a locked end user and everything that is about them, in all apps; run it in a transaction."""
    erasure = Erasure(end_user, now)
    for step in (*erase_steps_above(), *ERASE_STEPS):
        step.run(erasure)
    statements.written(_REMOVE, [end_user.pk])
    return erasure.gone


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
