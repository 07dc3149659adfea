"""Merge an end user into another: an anonymous visitor who logs in, or two known people by the server API.

A merge is the list of steps `MERGE_STEPS`, then those of the apps above, then the source's row goes. Locks are taken in
the order of ADR 10: people (by the caller), devices, deliveries, counters.
"""

from datetime import datetime

from devices.delivery.models import PopupOffer
from devices.delivery.popup_outcomes import OPEN
from devices.installations.models import Device, PushStatus, PushStatusChange, TokenHolding
from devices.installations.statuses import HELD_BY_OTHER, pair_set
from devices.lifecycle.steps import Merge, Step, merge_steps_above
from devices.people.models import ConsentRecord, EndUser, Event, Status
from devices.people.services.markers import MAX_MARKERS
from devices.people.services.properties import properties_fill
from devices.popups.offers import offers_withdraw
from smartpush.common.database import statements

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
# The source's row is about to go: whoever refers to it in this moment is waited for now, before anything else of it
# is held. Their devices follow by id; nobody comes to one of these without having locked its people first.
_HOLD_SOURCE = "SELECT 1 FROM devices_enduser WHERE id = %s FOR UPDATE"
_HOLD_DEVICES = """
SELECT 1 FROM devices_device d WHERE d.holder_id = %(source)s OR d.session_end_user_id = %(source)s
   OR EXISTS (SELECT 1 FROM devices_pushstatus s WHERE s.device_id = d.id AND s.end_user_id = %(source)s)
ORDER BY d.id FOR NO KEY UPDATE OF d
"""


# The row of the source, which nothing points to any more: constraints refuse it while something does.
_REMOVE = "DELETE FROM devices_enduser WHERE id = %s AND external_id IS NULL"
_MARKERS = ("js_markers", "external_markers", "backoffice_markers")


# --- the steps ---
def _hold(merge: Merge) -> None:
    statements.written(_HOLD_SOURCE, [merge.source.pk])
    statements.written(_HOLD_DEVICES, {"source": merge.source.pk})


def _describe(merge: Merge) -> None:
    """Markers of both; what the target says of itself stands; opt-outs and *never contact* of either count."""
    source, target = merge.source, merge.target
    for name in _MARKERS:
        kept = getattr(target, name)
        new = sorted({*getattr(source, name)} - {*kept})
        setattr(target, name, sorted([*kept, *new[: max(MAX_MARKERS - len(kept), 0)]]))
    theirs = {name: value for name, value in source.properties.items() if name not in target.properties}
    target.properties, _ = properties_fill(stored=target.properties, given=theirs, types={})
    target.user_opt_out = target.user_opt_out or source.user_opt_out
    target.never_contact = target.never_contact or source.never_contact
    target.language = target.language or source.language
    target.time_zone = target.time_zone or source.time_zone
    target.country = target.country or source.country
    target.save(
        update_fields=[
            *_MARKERS,
            "properties",
            "user_opt_out",
            "never_contact",
            "language",
            "language_canonical",
            "time_zone",
            "country",
        ]
    )


def _sessions(merge: Merge) -> None:
    Device.objects.filter(session_end_user=merge.source).update(session_end_user=merge.target)


def _statuses(merge: Merge) -> None:
    for pair in PushStatus.objects.filter(end_user=merge.source).select_related("device"):
        device, status, reason = pair.device, Status(pair.status), pair.reason
        pair.delete()
        if reason == HELD_BY_OTHER:  # said only that the token was another's; the next report says it anew
            continue
        if _own_pair_stands(pair=pair, known=merge.target):
            continue
        pair_set(end_user_id=merge.target.pk, device=device, status=status, reason=reason, cause="merge", now=merge.now)


def _own_pair_stands(*, pair: PushStatus, known: EndUser) -> bool:
    """Both were on this device: the pair of who holds the live token counts, otherwise the one last reported."""
    own = PushStatus.objects.filter(end_user=known, device=pair.device).first()
    if own is None:
        return False
    if pair.device.token_hash is not None and pair.device.holder_id in (known.pk, pair.end_user_id):
        return pair.device.holder_id == known.pk
    return own.reported_at > pair.reported_at


def _tokens(merge: Merge) -> None:
    Device.objects.filter(holder=merge.source).update(holder=merge.target)
    TokenHolding.objects.filter(end_user=merge.source).update(end_user=merge.target)


def _status_history(merge: Merge) -> None:
    PushStatusChange.objects.filter(end_user=merge.source, reason=HELD_BY_OTHER).delete()
    PushStatusChange.objects.filter(end_user=merge.source).update(end_user=merge.target)


def _consents(merge: Merge) -> None:
    ConsentRecord.objects.filter(end_user_id=merge.source.pk).update(end_user_id=merge.target.pk)


def _events(merge: Merge) -> None:
    Event.objects.filter(end_user=merge.source).update(end_user=merge.target)


def _messages(merge: Merge) -> None:
    messages_move(source_id=merge.source.pk, target_id=merge.target.pk, now=merge.now)


def _counters(merge: Merge) -> None:
    statements.written(_COUNTERS, {"source": merge.source.pk, "target": merge.target.pk})


def _opt_outs(merge: Merge) -> None:
    _opt_outs_follow(merge.target, merge.now)


MERGE_STEPS: tuple[Step[Merge], ...] = (
    Step("hold the source and its devices", (), _hold),
    Step("describe the target", (), _describe),
    Step("sessions", ("devices_device",), _sessions),
    Step("push statuses", ("devices_pushstatus",), _statuses),
    Step("tokens and who held them", ("devices_device", "devices_tokenholding"), _tokens),
    Step("history of push statuses", ("devices_pushstatuschange",), _status_history),
    Step("proofs of consent", ("devices_consentrecord",), _consents),
    Step("events", ("devices_event",), _events),
    Step("deliveries and popup offers", ("devices_delivery", "devices_popupoffer"), _messages),
    Step("counters of caps", ("devices_capcounter",), _counters),
    Step("opt-outs end open popups", (), _opt_outs),
)


# --- merges ---
def end_user_merge(merge: Merge) -> None:
    """Move what devices know of the source to the target: devices, tokens, statuses, markers (union), events, messages.

    The source's row stays for `merge_finish`, in the same transaction. Both people are locked by the caller in the
    order of their ids.
    """
    for step in MERGE_STEPS:
        step.run(merge)


def merge_finish(merge: Merge) -> None:
    """Let the apps above move what they know of the source, then delete its row."""
    for step in merge_steps_above():
        step.run(merge)
    end_user_remove_merged(source_id=merge.source.pk)


def known_end_users_merge(merge: Merge) -> None:
    """Merge one known end user into another by the rules for visitors; both must be locked by the caller.

    What the target says of itself stands; the opt-outs and *never contact* of either count. The source gives up its
    external id; its row stays for `merge_finish`.
    """
    end_user_merge(merge)
    source, target = merge.source, merge.target
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
    _opt_outs_follow(target, merge.now)
    EndUser.objects.filter(pk=source.pk).update(external_id=None)


def messages_move(*, source_id: int, target_id: int, now: datetime) -> None:
    """Move deliveries and popups; of two open popups the target's stays.

    Call it again once the enrolments have moved: a step that was being taken meanwhile has written more.
    """
    statements.written(_DELIVERIES, {"source": source_id, "target": target_id})
    if PopupOffer.objects.filter(end_user=target_id, state__in=OPEN).exists():
        PopupOffer.objects.filter(end_user=source_id, state__in=OPEN).update(
            state=PopupOffer.State.CANCELLED, finished_at=now
        )
    PopupOffer.objects.filter(end_user=source_id).update(end_user=target_id)


def end_user_remove_merged(*, source_id: int) -> None:
    """Delete the empty row of a merged end user; constraints refuse it while anything still points to it."""
    statements.written(_REMOVE, [source_id])


def _opt_outs_follow(person: EndUser, now: datetime) -> None:
    if person.user_opt_out or person.platform_opt_out or person.never_contact:
        offers_withdraw(end_user_ids=[person.pk], now=now)
