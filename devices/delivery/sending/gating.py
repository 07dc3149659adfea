"""The gate: decide about each row of a leased chunk at the moment of sending.

A verdict is an action and a reason. Without quiet hours and caps one statement decides and writes; with them Python
changes verdicts in between, over the same locked rows.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from devices.delivery.sending.caps import caps_refund
from devices.delivery.sending.claim import Claim, Row
from devices.delivery.sending.quiet_hours import zone_choose
from devices.delivery.sending.restraint import Action, GatedRow, restrain
from devices.delivery.services.outbox import FIRST_CHANCE
from smartpush.common.database.statements import rows

KEY_AGAIN = timedelta(minutes=5)
"""How long a message waits before its key is looked at again."""

# Whether the key that the row needs cannot be read now.
_UNREADABLE = "(%(app_unreadable)s OR v.vapid_key_id = ANY(%(unreadable)s::bigint[]))"

# The next ready rows of the chunk, locked, each with its verdict. `why` is the first thing in the way; the order is the
# one in which reasons win.
_VERDICTS_SQL = f"""
    SELECT d.id,
      CASE WHEN w.why = 'send' THEN '{Action.SEND}'
           WHEN w.why IN ('brand_stopped', 'moved', 'key_unreadable') THEN '{Action.HOLD}'
           WHEN w.why IN ('stopped', 'device_deleted', 'never_contact', 'device_taken_over') THEN '{Action.CANCEL}'
           WHEN w.why = 'expired' THEN '{Action.EXPIRE}'
           ELSE '{Action.SUPPRESS}' END AS action,
      CASE WHEN w.why = 'send' THEN ''
           WHEN w.why = 'stopped' THEN coalesce(nullif(p.stop_reason, ''), 'dispatch_stopped')
           -- What it waited for in vain says more than that its time was over.
           WHEN w.why = 'expired' AND d.hold_reason IN ('breaker', 'throttled', 'failing') AND d.reason <> ''
             THEN d.reason
           WHEN w.why = 'expired' AND d.hold_reason = 'key_unreadable' THEN 'key_unreadable'
           ELSE w.why END AS reason,
      CASE WHEN {_UNREADABLE} THEN %(key_again)s::timestamptz END AS held_until,
      d.counted, d.hold_reason, d.expires_at, u.time_zone AS user_zone,
      v.time_zone AS device_zone, d.end_user_id, d.enrolment_id, d.step_seq, d.request_id
    FROM devices_delivery d
    JOIN devices_deliverychunk c ON c.id = d.chunk_id AND c.state = 'leased' AND c.attempt = %(attempt)s
    JOIN devices_dispatch p ON p.id = d.dispatch_id
    JOIN devices_brand b ON b.id = d.brand_id
    LEFT JOIN devices_device v ON v.id = d.device_id
    LEFT JOIN devices_app a ON a.id = v.app_id
    LEFT JOIN devices_enduser u ON u.id = d.end_user_id
    LEFT JOIN devices_pushstatus s ON s.device_id = d.device_id AND s.end_user_id = d.end_user_id
    CROSS JOIN LATERAL (SELECT CASE
        WHEN p.state <> 'running' THEN 'stopped'
        WHEN d.expires_at <= %(now)s THEN 'expired'
        WHEN b.sending_stopped_at IS NOT NULL THEN 'brand_stopped'
        WHEN v.id IS NULL OR u.id IS NULL THEN 'device_deleted'
        WHEN u.never_contact THEN 'never_contact'
        WHEN v.holder_id IS DISTINCT FROM d.end_user_id THEN 'device_taken_over'
        WHEN a.archived_at IS NOT NULL THEN 'app_archived'
        WHEN v.token_hash IS NULL THEN 'unreachable'
        WHEN s.status IS DISTINCT FROM 'allowed' THEN 'not_allowed'
        WHEN (u.platform_opt_out OR u.user_opt_out)
            AND NOT (p.purpose = 'operational' AND b.operational_ignores_opt_out) THEN 'opted_out'
        WHEN p.target_devices <> 'all' AND (p.target_devices = 'web') <> (v.platform = 'web') THEN 'target_devices'
        WHEN u.target_devices <> 'all' AND (u.target_devices = 'web') <> (v.platform = 'web') THEN 'target_devices'
        -- It has subscribed elsewhere, or under another key: it is cut again.
        WHEN v.endpoint_origin <> c.origin
            OR (v.platform = 'web' AND c.sender <> '' AND c.sender <> 'vapid:' || coalesce(v.vapid_key_id, 0))
            THEN 'moved'
        WHEN {_UNREADABLE} THEN 'key_unreadable'
        ELSE 'send' END AS why) w
    WHERE d.chunk_id = %(chunk)s AND d.day = %(day)s AND d.state = 'ready'
      AND d.device_id IS DISTINCT FROM %(not_to)s::bigint
    ORDER BY d.id LIMIT %(limit)s FOR UPDATE OF d
"""

# Verdicts that Python has changed: only where the brand has quiet hours or caps for this purpose.
_DECIDED_SQL = """
    SELECT v.id, v.action, v.reason, v.held_until, v.counted::bigint[] AS counted
    FROM unnest(%(ids)s::bigint[], %(actions)s::text[], %(reasons)s::text[], %(untils)s::timestamptz[],
                %(counted)s::text[])
        AS v(id, action, reason, held_until, counted)
"""

# Write the verdicts, and answer with the rows and what rendering and the wire need of each.
_MOVE_SQL = f"""
WITH gated AS MATERIALIZED ({{gated}}),
moved AS (
    UPDATE devices_delivery d SET
        state = CASE g.action WHEN '{Action.SEND}' THEN 'sending' WHEN '{Action.HOLD}' THEN 'ready'
                     WHEN '{Action.CANCEL}' THEN 'cancelled' WHEN '{Action.EXPIRE}' THEN 'expired'
                     WHEN '{Action.SUPPRESS}' THEN 'suppressed' END,
        reason = CASE g.action WHEN '{Action.HOLD}' THEN d.reason
                      WHEN '{Action.SEND}' THEN CASE d.reason WHEN 'template_time' THEN d.reason ELSE '' END
                      ELSE g.reason END,
        hold_reason = CASE WHEN g.action = '{Action.HOLD}' THEN g.reason ELSE '' END,
        chunk_id = CASE WHEN g.action = '{Action.HOLD}' THEN NULL ELSE d.chunk_id END,
        next_attempt_at = CASE WHEN g.action = '{Action.HOLD}'
                               THEN least(coalesce(g.held_until, %(now)s::timestamptz + interval '1 second'),
                                          d.expires_at)
                               ELSE d.next_attempt_at END,
        attempt = %(attempt)s,
        tries = d.tries + CASE WHEN g.action = '{Action.SEND}' THEN 1 ELSE 0 END,
        sent_at = CASE WHEN g.action = '{Action.SEND}' THEN %(now)s::timestamptz ELSE d.sent_at END,
        finished_at = CASE WHEN g.action IN ('{Action.SEND}', '{Action.HOLD}') THEN d.finished_at
                           ELSE %(now)s::timestamptz END,
        counted = g.counted
    FROM gated g
    WHERE d.id = g.id AND d.day = %(day)s
    RETURNING d.id, d.end_user_id, d.device_id, d.expires_at, d.variables, d.tries, d.state, d.reason
)
SELECT m.id, m.end_user_id, m.device_id, v.endpoint, v.token_hash, v.p256dh, v.auth, v.vapid_key_id, m.expires_at,
       m.variables, m.tries, u.external_id, u.language, v.language AS device_language, u.properties,
       m.state = 'sending' AS goes, v.endpoint_origin AS origin, v.native_token, m.reason,
       u.time_zone AS user_zone, v.time_zone AS device_zone
FROM moved m LEFT JOIN devices_device v ON v.id = m.device_id LEFT JOIN devices_enduser u ON u.id = m.end_user_id
ORDER BY m.id
"""
_GATE_SQL = _MOVE_SQL.format(gated=_VERDICTS_SQL)
_WRITE_VERDICTS_SQL = _MOVE_SQL.format(gated=_DECIDED_SQL)


class _Moved(NamedTuple):
    id: int
    end_user_id: int
    device_id: int
    endpoint: str
    token_hash: str
    p256dh: bytes | None
    auth: bytes | None
    vapid_key_id: int | None
    expires_at: datetime
    variables: str | None
    tries: int
    external_id: str | None
    language: str
    device_language: str
    properties: str | None
    goes: bool
    origin: str
    native_token: str
    reason: str
    user_zone: str | None
    device_zone: str | None


def rows_gate(
    *,
    claim: Claim,
    now: datetime,
    limit: int,
    not_to: int | None = None,
    unreadable: Collection[int] = (),
    app_unreadable: bool = False,
) -> tuple[int, list[Row]]:
    """Gate the next ready rows of the chunk: how many there were, and those that may go, now `sending`.

    `not_to` leaves out one device. Rows that need one of the `unreadable` VAPID keys, or whose app's key file is
    unreadable, leave the chunk and are held.

    Only so many at once, because a crash leaves what is `sending` unsure. Nothing where the lease was lost. Quiet
    hours and caps are those of when the chunk was claimed; a brand without them pays nothing for them.
    """
    slice_of: dict[str, Any] = {
        "chunk": claim.chunk_id,
        "day": claim.day,
        "attempt": claim.attempt,
        "now": now,
        "limit": limit,
        "not_to": not_to,
        "unreadable": list(unreadable),
        "app_unreadable": app_unreadable,
        "key_again": now + KEY_AGAIN,
    }
    with transaction.atomic():
        if claim.quiet is None and not claim.caps:
            found = rows(_Moved, _GATE_SQL, slice_of)
        else:
            found = _restrained(claim, slice_of, now)
    return len(found), [_row(moved, claim) for moved in found if moved.goes]


def _restrained(claim: Claim, slice_of: dict[str, Any], now: datetime) -> list[_Moved]:
    """Decide, let quiet hours and caps change the verdicts, and write them."""
    gated = rows(GatedRow, _VERDICTS_SQL, slice_of)
    refunds = restrain(rows=gated, day=claim.day, zone=claim.zone, quiet=claim.quiet, caps=claim.caps, now=now)
    found = rows(_Moved, _WRITE_VERDICTS_SQL, {**slice_of, **_arrays(gated)})
    caps_refund(day=claim.day, counted=refunds)
    return found


def _arrays(gated: Sequence[GatedRow]) -> dict[str, list[Any]]:
    return {
        "ids": [row.id for row in gated],
        "actions": [row.action for row in gated],
        "reasons": [row.reason for row in gated],
        "untils": [row.held_until for row in gated],
        # Arrays of unequal length do not fit into one array: each goes as text.
        "counted": [None if row.counted is None else f"{{{','.join(map(str, row.counted))}}}" for row in gated],
    }


def _row(moved: _Moved, claim: Claim) -> Row:
    return Row(
        id=moved.id,
        end_user_id=moved.end_user_id,
        device_id=moved.device_id,
        endpoint=moved.endpoint,
        token_hash=moved.token_hash,
        p256dh=bytes(moved.p256dh or b""),
        auth=bytes(moved.auth or b""),
        vapid_key_id=moved.vapid_key_id or 0,
        expires_at=moved.expires_at,
        variables=_json(moved.variables),
        tries=moved.tries,
        external_id=moved.external_id,
        language=moved.language,
        device_language=moved.device_language,
        properties=_json(moved.properties),
        origin=moved.origin,
        native_token=moved.native_token,
        reason=moved.reason,
        zone=zone_choose(moved.user_zone, moved.device_zone, claim.zone),
        grace=timedelta(seconds=max(FIRST_CHANCE - claim.ttl, 0)),
    )


def _json(value: str | None) -> Any:
    return None if value is None else json.loads(value)
