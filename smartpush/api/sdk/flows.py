"""Join the apps for the SDK: record events, enter campaigns and advance in one transaction; answer with the popup."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from campaigns.advance import advance_enrolments, popup_answers_apply
from campaigns.services.entry_by_event import enter_by_events
from devices.delivery.popup_outcomes import FIRST_BUTTON
from devices.delivery.services.outbox import chunks_cut
from devices.installations.reporting import Credentials, DeviceInfo, Identity, PushReport
from devices.lifecycle.consents import Asked, consent_record, tracking_answer
from devices.lifecycle.merging import merge_finish
from devices.lifecycle.preferences import ticks_apply
from devices.lifecycle.sessions import SessionResult, session_open
from devices.models import App, Brand, ConsentRecord, Device, EndUser
from devices.people.services.events import EventInput, RecordedEvent, event_record
from devices.popups.offers import (
    LEASE,
    LeasedOffer,
    offer_answer,
    offer_content,
    offer_lease,
    offer_only_closes,
)
from smartpush.common.ids import public_id
from smartpush.common.language.languages import direction_of, language_pick

POLL_AFTER = 30


@dataclass(frozen=True, slots=True)
class Tracking:
    """The consent to tracking that came with a session: when it was given, and what was asked."""

    at: datetime
    asked: Callable[[Device], Asked]


def session_take(
    *,
    brand: Brand,
    app: App,
    credentials: Credentials | None,
    identity: Identity,
    info: DeviceInfo,
    push: PushReport,
    tracking: Tracking | None,
    now: datetime,
) -> SessionResult:
    """Record a session with all that follows from it: a merge, a consent, and the events that journeys begin with.

    Run it by `transaction_again`; raises what `session_open` raises.
    """
    result = session_open(
        brand=brand, app=app, credentials=credentials, identity=identity, info=info, push=push, now=now
    )
    if result.merge is not None:
        merge_finish(result.merge)
    if tracking is not None:
        asked = tracking.asked(result.device)
        tracking_answer(device=result.device, given=True, at=tracking.at, asked=asked, now=now)
    names = (["login"] if result.logged_in else []) + (["session"] if result.new_session else [])
    events = [EventInput(name=name, occurred_at=now) for name in names]
    events_take(brand=brand, end_user_id=result.end_user.pk, device_id=result.device.pk, events=events, now=now)
    return result


def events_take(
    *, brand: Brand, end_user_id: int, device_id: int, events: Sequence[EventInput], now: datetime
) -> list[RecordedEvent]:
    """Record events, enter campaigns and advance at once, so that popups are ready with this answer."""
    recorded = event_record(brand_id=brand.pk, end_user_id=end_user_id, device_id=device_id, events=events, now=now)
    if recorded:
        enrolments = enter_by_events(brand_id=brand.pk, events=recorded, now=now)
        if enrolments:
            result = advance_enrolments(ids=enrolments, now=now)
            if result.dispatch_ids:
                chunks_cut(now=now, dispatch_ids=result.dispatch_ids)
    return recorded


@transaction.atomic
def offer_finish(
    *,
    offer_id: int,
    end_user_id: int,
    device: Device,
    outcome: str,
    asked: Asked,
    languages: Sequence[str],
    ticked: Sequence[str] | None,
    now: datetime,
) -> bool:
    """Record a popup's outcome, what was ticked in it and the proof of both, and let its journey go on at once.

    Raises CannotChangeMarkers.
    """
    # Pages that loaded their SDK before it knew such buttons say that they were clicked.
    if outcome == "clicked" and offer_only_closes(offer_id=offer_id):
        outcome = "closed"
    answered = offer_answer(offer_id=offer_id, end_user_id=end_user_id, device=device, outcome=outcome, now=now)
    if answered:
        content = offer_content(offer_id=offer_id)
        markers = _ticks(content, outcome, ticked, end_user_id)
        if _asks(content):
            consent_record(
                brand_id=device.brand_id,
                end_user_id=end_user_id,
                subject=ConsentRecord.Subject.POPUP,
                answer=outcome,
                at=now,
                asked=replace(asked, language=_language(content, languages)),
                popup_revision_id=content.get("revision_id"),
                offer_id=offer_id,
                markers=markers,
            )
        moved = popup_answers_apply(now=now, offer_ids=[offer_id])
        if moved:
            result = advance_enrolments(ids=moved, now=now)
            if result.dispatch_ids:
                chunks_cut(now=now, dispatch_ids=result.dispatch_ids)
    return answered


def _offered(content: Mapping[str, Any]) -> list[str]:
    """The markers of the categories that a popup offers, the same ones in each language."""
    if content["template"] != "categories":
        return []
    return [category["marker"] for category in content["variants"][content["default_language"]].get("categories", [])]


def _asks(content: Mapping[str, Any]) -> bool:
    """Whether the answer to this popup is a consent: it asks for permission, or has categories to tick."""
    return content["primary"]["kind"] == "permission" or bool(_offered(content))


def _ticks(content: Mapping[str, Any], outcome: str, ticked: Sequence[str] | None, end_user_id: int) -> list[str]:
    """Write the ticks of a popup whose first button was clicked, of what it offered only; returns the ticked ones."""
    offered = _offered(content)
    if ticked is None or not offered or outcome not in FIRST_BUTTON:
        return []
    wanted = {marker.upper() for marker in ticked}
    ticks_apply(end_user_id=end_user_id, ticks={marker: marker in wanted for marker in offered})
    return [marker for marker in offered if marker in wanted]


def offer_for(
    *, device: Device, end_user_id: int, languages: Sequence[str], tab: str, now: datetime, loading: bool = False
) -> dict[str, Any] | None:
    """The offer that this tab may show now, in the end user's language, as docs/sdk.md describes it."""
    if not tab:
        return None
    offer = offer_lease(end_user_id=end_user_id, device=device, tab=tab, now=now, loading=loading)
    return None if offer is None else _offer_body(offer, languages, end_user_id)


def _language(content: Mapping[str, Any], languages: Sequence[str]) -> str:
    """The first of these languages that the popup is written in, else its default."""
    return language_pick(written=content["variants"], wanted=languages, default=content["default_language"])


def _categories(variant: Mapping[str, Any], end_user_id: int) -> list[dict[str, Any]]:
    """The offered categories, each with whether the end user has it today."""
    chosen = set(EndUser.objects.values_list("js_markers", flat=True).get(pk=end_user_id))
    return [{**category, "selected": category["marker"] in chosen} for category in variant.get("categories", [])]


def _offer_body(offer: LeasedOffer, languages: Sequence[str], end_user_id: int) -> dict[str, Any]:
    content = offer.content
    language = _language(content, languages)
    variant = content["variants"][language]
    categories = {"categories": _categories(variant, end_user_id)} if content["template"] == "categories" else {}
    return {
        "id": public_id("offer", offer.id),
        "template": content["template"],
        "lease_seconds": int(LEASE.total_seconds()),
        "expires_at": offer.expires_at,
        "content": {
            "language": language,
            "direction": direction_of(language),
            "title": variant["title"],
            "text": variant.get("text", ""),
            "image": variant.get("image") or None,
            "subscribe_label": variant["subscribe_label"],
            "later_label": variant["later_label"],
            "close_label": variant["close_label"],
            "colours": content["colours"],
            "primary": content["primary"],
            **categories,
        },
    }
