"""Everything that the delivery side keeps about one person, row after row, and never another's."""

from collections.abc import Iterable, Iterator
from typing import Any

from devices.delivery.models import Delivery, PopupOffer
from devices.installations.models import PushStatus, PushStatusChange, TokenHolding
from devices.people.models import ConsentRecord, EndUser, Event
from smartpush.common.ids import public_id

_AT_ONCE = 1000


def profile_of(end_user: EndUser) -> dict[str, Any]:
    """An end user as the server API shows them."""
    return {
        "id": public_id("end_user", end_user.pk),
        "external_id": end_user.external_id,
        "language": end_user.language,
        "language_canonical": end_user.language_canonical,
        "time_zone": end_user.time_zone,
        "country": end_user.country,
        "properties": end_user.properties,
        "markers": {
            "js": end_user.js_markers,
            "external": end_user.external_markers,
            "back_office": end_user.backoffice_markers,
        },
        "platform_opt_out": end_user.platform_opt_out,
        "user_opt_out": end_user.user_opt_out,
        "never_contact": end_user.never_contact,
        "target_devices": end_user.target_devices,
        "last_session_at": end_user.last_session_at,
        "last_session_status": end_user.last_session_status,
        "created_at": end_user.created_at,
    }


def end_user_parts(*, end_user: EndUser) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    """Name and rows of each part; rows are read while they are taken, a thousand at a time."""
    person = end_user.pk
    yield "devices", _devices(person)
    yield (
        "status_changes",
        _values(
            PushStatusChange.objects.filter(end_user_id=person).order_by("pk"), "old", "new", "reason", "cause", "at"
        ),
    )
    yield (
        "tokens_held",
        _values(TokenHolding.objects.filter(end_user_id=person).order_by("pk"), "since", "until", "ended"),
    )
    yield "consents", _values(
        ConsentRecord.objects.filter(end_user_id=person).order_by("pk"),
        "subject", "answer", "by", "language", "origin", "markers", "at", "recorded_at",
    )  # fmt: skip
    yield "events", _values(
        Event.objects.filter(end_user_id=person).order_by("occurred_at", "pk"),
        "name", "properties", "occurred_at", "recorded_at",
    )  # fmt: skip
    yield "pushes", _pushes(person)
    yield "popups", _values(
        PopupOffer.objects.filter(end_user_id=person).order_by("pk"),
        "state", "created_at", "shown_at", "asked_at", "finished_at", "dispatch__label",
    )  # fmt: skip


def _values(rows: Any, *fields: str) -> Iterator[dict[str, Any]]:
    for row in rows.values(*fields).iterator(chunk_size=_AT_ONCE):
        yield {name.replace("dispatch__label", "of"): value for name, value in row.items()}


def _devices(person: int) -> Iterator[dict[str, Any]]:
    pairs = PushStatus.objects.filter(end_user_id=person).select_related("device").order_by("pk")
    hidden = ("device__secret_hash", "device__endpoint", "device__p256dh", "device__auth", "device__native_token")
    for pair in pairs.defer(*hidden).iterator(chunk_size=200):
        device = pair.device
        facts = {
            "platform": device.platform,
            "status": pair.status,
            "reason": pair.reason,
            "since": pair.since,
            "reported_at": pair.reported_at,
        }
        if person in (device.holder_id, device.session_end_user_id):
            # What the device says of itself now was reported under whoever is on it now.
            facts |= {
                "browser": device.browser,
                "browser_version": device.browser_version,
                "os": device.os,
                "os_version": device.os_version,
                "app_version": device.app_version,
                "model": device.model,
                "form_factor": device.form_factor,
                "language": device.language,
                "language_canonical": device.language_canonical,
                "time_zone": device.time_zone,
                "user_agent": device.user_agent,
                "last_seen_at": device.last_seen_at,
            }
        yield facts


def _pushes(person: int) -> Iterator[dict[str, Any]]:
    rows = Delivery.objects.filter(end_user_id=person).select_related("dispatch").defer("dispatch__content")
    for row in rows.order_by("created_at", "pk").iterator(chunk_size=_AT_ONCE):
        yield {
            "id": public_id("delivery", row.pk),
            "of": row.dispatch.label,
            "purpose": row.dispatch.purpose,
            "data": row.variables,
            "state": row.state,
            "reason": row.reason,
            "created_at": row.created_at,
            "sent_at": row.sent_at,
            "finished_at": row.finished_at,
            "displayed_at": row.displayed_at,
            "clicked_at": row.clicked_at,
            "clicked_action": row.clicked_action,
            "closed_at": row.closed_at,
        }
