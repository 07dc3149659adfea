"""What became of deliveries, for the brand's own server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from devices.delivery.models import Delivery
from devices.installations.models import Device
from devices.people.models import EndUser, IdempotencyKey
from smartpush.common.ids import public_id


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries; None asks for nothing. `before_id` is the last of the page before."""

    end_user_id: int | None = None
    request_id: int | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


def deliveries_find(*, brand_id: int, wanted: DeliveryFilter, limit: int) -> list[dict[str, Any]]:
    """The brand's deliveries, newest first (three queries)."""
    conditions = {
        "end_user_id": wanted.end_user_id,
        "request_id": wanted.request_id,
        "state": wanted.state,
        "created_at__gte": wanted.since,
        "created_at__lt": wanted.until,
        "pk__lt": wanted.before_id,
    }
    rows = Delivery.objects.filter(
        brand_id=brand_id, **{name: value for name, value in conditions.items() if value is not None}
    )
    return _described(list(_whole(rows).order_by("-pk")[:limit]))


def delivery_find(*, brand_id: int, delivery_id: int) -> dict[str, Any] | None:
    """One delivery of the brand."""
    found = _described(list(_whole(Delivery.objects.filter(brand_id=brand_id, pk=delivery_id))))
    return found[0] if found else None


def message_known(*, brand_id: int, request_id: int) -> bool:
    """Whether the brand asked for this message; without deliveries it is known as long as its key is (seven days)."""
    return (
        Delivery.objects.filter(brand_id=brand_id, request_id=request_id).exists()
        or IdempotencyKey.objects.filter(pk=request_id, brand_id=brand_id, scope="push").exists()
    )


def _whole(rows: Any) -> Any:
    return rows.select_related("dispatch").defer("dispatch__content", "variables")


def _described(rows: Sequence[Delivery]) -> list[dict[str, Any]]:
    # The ledger's references are not enforced: a device or end user may be gone.
    devices = {
        device.pk: device
        for device in Device.objects.filter(pk__in={row.device_id for row in rows}).only("platform", "browser")
    }
    persons = EndUser.objects.filter(pk__in={row.end_user_id for row in rows})
    people: dict[int, str | None] = dict(persons.values_list("pk", "external_id"))
    return [_body(row, devices.get(row.device_id), people.get(row.end_user_id)) for row in rows]


def _body(row: Delivery, device: Device | None, external_id: str | None) -> dict[str, Any]:
    dispatch = row.dispatch
    asked = row.request_id if dispatch.source == "api" else None
    return {
        "id": public_id("delivery", row.pk),
        "message": None if asked is None else public_id("message", asked),
        "external_id": external_id,
        "source": dispatch.source,
        "campaign": None if dispatch.campaign_ref is None else public_id("campaign", dispatch.campaign_ref),
        "label": dispatch.label,
        "purpose": dispatch.purpose,
        "platform": "" if device is None else device.platform,
        "browser": "" if device is None else device.browser,
        "state": row.state,
        "reason": row.reason,
        # Deliveries that a device settled before 0.9 kept what they had waited for.
        "held_for": row.hold_reason if row.state == Delivery.State.READY else "",
        "created_at": row.created_at,
        "send_at": row.next_attempt_at,
        "expires_at": row.expires_at,
        "sent_at": row.sent_at,
        "finished_at": row.finished_at,
        "displayed_at": row.displayed_at,
        "clicked_at": row.clicked_at,
        "clicked_action": row.clicked_action,
        "closed_at": row.closed_at,
    }
