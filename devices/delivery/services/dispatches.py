"""Dispatches: what the delivery side is told from above, and its off switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from devices.delivery.models import Dispatch, PopupOffer
from devices.delivery.popup_outcomes import OPEN
from devices.delivery.services.cancelling import dispatches_cancel, enrolments_deliveries_cancel


@dataclass(frozen=True, slots=True)
class DispatchSpec:
    """One send as its owner describes it; `ttl` in seconds, 0 for one attempt; `content` as assets compiled it."""

    brand_id: int
    day: date
    source: str
    source_key: str
    content: Mapping[str, Any]
    campaign_ref: int | None = None
    label: str = ""
    purpose: str = "marketing"
    lane: str = "urgent"
    policy: str = "at_least_once"
    target_devices: str = "all"
    ttl: int = 86_400
    urgency: str = "normal"
    quiet_policy: str = ""


def dispatches_ensure(*, specs: Sequence[DispatchSpec], now: datetime) -> dict[tuple[int, date, str], int]:
    """Find or create the dispatch of each spec; keys of the answer are (brand id, day, source key)."""
    if not specs:
        return {}
    Dispatch.objects.bulk_create(
        [
            Dispatch(
                brand_id=spec.brand_id,
                day=spec.day,
                source=spec.source,
                source_key=spec.source_key,
                campaign_ref=spec.campaign_ref,
                label=spec.label[:200],
                content=dict(spec.content),
                purpose=spec.purpose,
                lane=spec.lane,
                policy=spec.policy,
                target_devices=spec.target_devices,
                ttl=spec.ttl,
                urgency=spec.urgency,
                quiet_policy=spec.quiet_policy,
                created_at=now,
            )
            for spec in specs
        ],
        ignore_conflicts=True,
    )
    rows = Dispatch.objects.filter(
        brand_id__in={spec.brand_id for spec in specs},
        day__in={spec.day for spec in specs},
        source_key__in={spec.source_key for spec in specs},
    ).values_list("brand_id", "day", "source_key", "pk")
    return {(brand, day, key): pk for brand, day, key, pk in rows}


@transaction.atomic
def dispatches_stop(*, campaign_ref: int, reason: str, now: datetime) -> int:
    """Stop every dispatch of a campaign; cancel what waits. What is already on the wire ends by itself."""
    stopped = list(
        Dispatch.objects.filter(campaign_ref=campaign_ref, state=Dispatch.State.RUNNING).values_list("pk", flat=True)
    )
    Dispatch.objects.filter(pk__in=stopped).update(state=Dispatch.State.STOPPED, stop_reason=reason)
    dispatches_cancel(dispatch_ids=stopped, reason=reason, now=now)
    PopupOffer.objects.filter(dispatch_id__in=stopped, state__in=OPEN).update(
        state=PopupOffer.State.CANCELLED, finished_at=now
    )
    return len(stopped)


@transaction.atomic
def enrolments_cancel(*, enrolment_ids: Sequence[int], reason: str, now: datetime) -> None:
    """Cancel the ready messages and open popups of enrolments that ended early."""
    ids = list(enrolment_ids)
    enrolments_deliveries_cancel(enrolment_ids=ids, reason=reason, now=now)
    PopupOffer.objects.filter(enrolment_id__in=ids, state__in=OPEN).update(
        state=PopupOffer.State.CANCELLED, finished_at=now
    )
