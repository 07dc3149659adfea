"""Merge an end user into another: an anonymous visitor who logs in, or two known people by the server API."""

from datetime import datetime

from django.db import connection

from devices.delivery.models import PopupOffer
from devices.delivery.popup_outcomes import OPEN
from devices.installations.models import Device, PushStatus, PushStatusChange, TokenHolding
from devices.installations.statuses import HELD_BY_OTHER, pair_set
from devices.people.models import ConsentRecord, EndUser, Event, Status
from devices.people.services.markers import MAX_MARKERS
from devices.people.services.properties import properties_fill
from devices.popups.offers import offers_withdraw

# Locked in the order of their ids, as every bulk statement on deliveries does. What waits leaves its chunk and is cut
# into another: a worker that gates it at this moment would see the new end user beside the old holder.
_DELIVERIES = """
WITH mine AS MATERIALIZED (
    SELECT d.id, d.day FROM devices_delivery d WHERE d.end_user_id = %(source)s ORDER BY d.id FOR UPDATE
)
UPDATE devices_delivery d SET end_user_id = %(target)s,
    chunk_id = CASE WHEN d.state = 'ready' THEN NULL ELSE d.chunk_id END
FROM mine m WHERE d.id = m.id AND d.day = m.day
"""
# Locked after the deliveries, as at the gate.
_COUNTERS = """
WITH moved AS (DELETE FROM devices_capcounter WHERE end_user_id = %(source)s RETURNING cap_id, window_start, count)
INSERT INTO devices_capcounter (cap_id, end_user_id, window_start, count)
SELECT cap_id, %(target)s, window_start, count FROM moved ORDER BY 1, 3
ON CONFLICT (cap_id, end_user_id, window_start) DO UPDATE SET count = devices_capcounter.count + EXCLUDED.count
"""
# The visitor's row is about to go: whoever refers to it in this moment is waited for now, before anything else of it
# is held. Their devices follow by id; nobody comes to one of these without having locked its people first.
_HOLD_VISITOR = "SELECT 1 FROM devices_enduser WHERE id = %s FOR UPDATE"
_HOLD_DEVICES = """
SELECT 1 FROM devices_device d WHERE d.holder_id = %(source)s OR d.session_end_user_id = %(source)s
   OR EXISTS (SELECT 1 FROM devices_pushstatus s WHERE s.device_id = d.id AND s.end_user_id = %(source)s)
ORDER BY d.id FOR NO KEY UPDATE OF d
"""


def end_user_merge(*, visitor: EndUser, known: EndUser, now: datetime) -> None:
    """Move devices, token, statuses, markers (union), events, deliveries and offers of a visitor to a known end user.

    The visitor's row stays until the caller, who moved what campaigns know of it, deletes it. Run in a transaction,
    both people locked by the caller in the order of their ids.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD_VISITOR, [visitor.pk])
        cursor.execute(_HOLD_DEVICES, {"source": visitor.pk})
    for field in ("js_markers", "external_markers", "backoffice_markers"):
        kept = getattr(known, field)
        new = sorted({*getattr(visitor, field)} - {*kept})
        setattr(known, field, sorted([*kept, *new[: max(MAX_MARKERS - len(kept), 0)]]))
    theirs = {name: value for name, value in visitor.properties.items() if name not in known.properties}
    known.properties, _ = properties_fill(stored=known.properties, given=theirs, types={})
    known.user_opt_out = known.user_opt_out or visitor.user_opt_out
    known.never_contact = known.never_contact or visitor.never_contact
    known.language = known.language or visitor.language
    known.time_zone = known.time_zone or visitor.time_zone
    known.country = known.country or visitor.country
    known.save(
        update_fields=[
            "js_markers",
            "external_markers",
            "backoffice_markers",
            "properties",
            "user_opt_out",
            "never_contact",
            "language",
            "language_canonical",
            "time_zone",
            "country",
        ]
    )
    Device.objects.filter(session_end_user=visitor).update(session_end_user=known)
    for pair in PushStatus.objects.filter(end_user=visitor).select_related("device"):
        device, status, reason = pair.device, Status(pair.status), pair.reason
        pair.delete()
        if reason == HELD_BY_OTHER:  # said only that the token was another's; the next report says it anew
            continue
        if _own_pair_stands(pair=pair, known=known):
            continue
        pair_set(end_user_id=known.pk, device=device, status=status, reason=reason, cause="merge", now=now)
    Device.objects.filter(holder=visitor).update(holder=known)
    PushStatusChange.objects.filter(end_user=visitor, reason=HELD_BY_OTHER).delete()
    PushStatusChange.objects.filter(end_user=visitor).update(end_user=known)
    TokenHolding.objects.filter(end_user=visitor).update(end_user=known)
    ConsentRecord.objects.filter(end_user_id=visitor.pk).update(end_user_id=known.pk)
    Event.objects.filter(end_user=visitor).update(end_user=known)
    messages_move(source_id=visitor.pk, target_id=known.pk, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTERS, {"source": visitor.pk, "target": known.pk})
    _opt_outs_follow(known, now)


def _opt_outs_follow(person: EndUser, now: datetime) -> None:
    if person.user_opt_out or person.platform_opt_out or person.never_contact:
        offers_withdraw(end_user_ids=[person.pk], now=now)


def messages_move(*, source_id: int, target_id: int, now: datetime) -> None:
    """Move deliveries and popups; of two open popups the target's stays.

    Call it again once the enrolments have moved: a step that was being taken meanwhile has written more.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERIES, {"source": source_id, "target": target_id})
    if PopupOffer.objects.filter(end_user=target_id, state__in=OPEN).exists():
        PopupOffer.objects.filter(end_user=source_id, state__in=OPEN).update(
            state=PopupOffer.State.CANCELLED, finished_at=now
        )
    PopupOffer.objects.filter(end_user=source_id).update(end_user=target_id)


def _own_pair_stands(*, pair: PushStatus, known: EndUser) -> bool:
    """Both were on this device: the pair of who holds the live token counts, otherwise the one last reported."""
    own = PushStatus.objects.filter(end_user=known, device=pair.device).first()
    if own is None:
        return False
    if pair.device.token_hash is not None and pair.device.holder_id in (known.pk, pair.end_user_id):
        return pair.device.holder_id == known.pk
    return own.reported_at > pair.reported_at


def known_end_users_merge(*, source: EndUser, target: EndUser, now: datetime) -> None:
    """Merge one known end user into another by the rules for visitors; both must be locked by the caller.

    What the target says of itself stands; the opt-outs and *never contact* of either count. The source gives up its
    external id; its row stays until the caller deletes it.
    """
    end_user_merge(visitor=source, known=target, now=now)
    target.platform_opt_out = target.platform_opt_out or source.platform_opt_out
    changed = ["platform_opt_out"]
    if source.last_session_at is not None and (
        target.last_session_at is None or target.last_session_at < source.last_session_at
    ):
        target.last_session_at = source.last_session_at
        target.last_session_status = source.last_session_status
        target.last_session_device_id = source.last_session_device_id
        changed += ["last_session_at", "last_session_status", "last_session_device_id"]
    target.save(update_fields=changed)
    _opt_outs_follow(target, now)
    EndUser.objects.filter(pk=source.pk).update(external_id=None)


def end_user_remove_merged(*, visitor_id: int) -> None:
    """Delete the empty row of a merged visitor; constraints refuse it while anything still points to it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM devices_enduser WHERE id = %s AND external_id IS NULL", [visitor_id])
