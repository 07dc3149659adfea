"""Claim a chunk and gate each of its rows, in two statements."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from devices.delivery.sending.caps import Cap, caps_refund
from devices.delivery.sending.quiet_hours import QuietHours, zone_choose
from devices.delivery.sending.restraint import GatedRow, restrain
from devices.delivery.services.outbox import FIRST_CHANCE

UNSURE_RETRIES = 3
KEY_AGAIN = timedelta(minutes=5)
"""How long a message waits before its key is looked at again."""
UNSURE_BACK_OFF = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk that is ours until `attempt` is overtaken; results are written only under that number."""

    chunk_id: int
    day: Any
    attempt: int
    dispatch_id: int
    brand_id: int
    content: Mapping[str, Any]
    urgency: str
    ttl: int = FIRST_CHANCE
    lane: str = "urgent"
    size: int = 0
    origin: str = ""
    sender: str = ""
    zone: str = "UTC"
    quiet: QuietHours | None = None
    caps: tuple[Cap, ...] = ()


@dataclass(slots=True)
class Row:
    """One delivery that may be sent now, with what rendering and the wire need: a subscription or a native token."""

    id: int
    end_user_id: int
    device_id: int
    endpoint: str
    token_hash: str
    p256dh: bytes
    auth: bytes
    vapid_key_id: int
    expires_at: datetime
    variables: Mapping[str, Any] | None
    tries: int
    external_id: str | None
    language: str
    device_language: str
    properties: Mapping[str, Any]
    origin: str = ""
    native_token: str = field(default="", repr=False)
    zone: str = "UTC"  # the person's, else their device's, else the brand's
    reason: str = ""  # `template_time` where its texts took too long the last time
    grace: timedelta = timedelta(0)
    """How much longer than its TTL it may wait for its first attempt."""

    @property
    def kept_until(self) -> datetime:
        """Until when a push service is to keep it, and until when it is tried again."""
        return self.expires_at - self.grace


_CLAIM_SQL = """
UPDATE devices_deliverychunk c SET state = 'leased', attempt = c.attempt + 1, leased_until = %(until)s
FROM devices_dispatch p, devices_brand b
WHERE c.id = %(chunk)s AND p.id = c.dispatch_id AND b.id = c.brand_id
  AND (c.state = 'ready' OR (c.state = 'leased' AND c.leased_until < %(now)s))
RETURNING c.id, c.day, c.attempt, c.dispatch_id, c.brand_id, p.content, p.urgency, b.time_zone,
          CASE WHEN p.quiet_policy <> '' THEN p.quiet_policy WHEN p.purpose = 'marketing' THEN b.quiet_policy
               ELSE 'ignore' END,
          b.quiet_from, b.quiet_until,
          (SELECT jsonb_agg(jsonb_build_array(f.id, f.scope, f.period, f.most) ORDER BY f.id)
           FROM devices_frequencycap f WHERE f.brand_id = c.brand_id AND f.purpose = p.purpose),
          c.origin, c.sender, c.lane, c.size, p.ttl
"""

# Rows that a dead worker left in `sending`: nobody knows whether they went out. The resource's policy decides, and
# none whose TTL was over while it waited is sent again.
_AGAIN = """(p.policy = 'at_least_once' AND d.tries < %(retries)s AND (p.ttl >= %(chance)s
        OR d.expires_at - make_interval(secs => %(chance)s - p.ttl) > %(now)s::timestamptz))"""
_UNSURE_SQL = f"""
UPDATE devices_delivery d SET
    state = CASE WHEN {_AGAIN} THEN 'ready' ELSE 'unknown' END,
    reason = 'worker_lost',
    hold_reason = CASE WHEN {_AGAIN} THEN 'unsure' ELSE '' END,
    chunk_id = CASE WHEN {_AGAIN} THEN NULL ELSE d.chunk_id END,
    next_attempt_at = %(now)s,
    finished_at = CASE WHEN {_AGAIN} THEN NULL ELSE %(now)s::timestamptz END
FROM devices_dispatch p
WHERE d.chunk_id = %(chunk)s AND d.day = %(day)s AND d.state = 'sending' AND d.attempt < %(attempt)s
  AND p.id = d.dispatch_id
"""

_VERDICTS_SQL = """
    SELECT d.id, CASE
        WHEN p.state <> 'running' THEN 'cancelled:' || coalesce(nullif(p.stop_reason, ''), 'dispatch_stopped')
        WHEN d.expires_at <= %(now)s THEN CASE WHEN d.hold_reason IN ('breaker', 'throttled', 'failing')
            AND d.reason <> '' THEN 'expired:' || d.reason
            WHEN d.hold_reason = 'key_unreadable' THEN 'expired:key_unreadable' ELSE 'expired:expired' END
        WHEN b.sending_stopped_at IS NOT NULL THEN 'hold:brand_stopped'
        WHEN v.id IS NULL OR u.id IS NULL THEN 'cancelled:device_deleted'
        WHEN u.never_contact THEN 'cancelled:never_contact'
        WHEN v.holder_id IS DISTINCT FROM d.end_user_id THEN 'cancelled:device_taken_over'
        WHEN a.archived_at IS NOT NULL THEN 'suppressed:app_archived'
        WHEN v.token_hash IS NULL THEN 'suppressed:unreachable'
        WHEN s.status IS DISTINCT FROM 'allowed' THEN 'suppressed:not_allowed'
        WHEN (u.platform_opt_out OR u.user_opt_out)
            AND NOT (p.purpose = 'operational' AND b.operational_ignores_opt_out) THEN 'suppressed:opted_out'
        WHEN p.target_devices <> 'all' AND (p.target_devices = 'web') <> (v.platform = 'web')
            THEN 'suppressed:target_devices'
        WHEN u.target_devices <> 'all' AND (u.target_devices = 'web') <> (v.platform = 'web')
            THEN 'suppressed:target_devices'
        WHEN v.endpoint_origin <> c.origin
            OR (v.platform = 'web' AND c.sender <> '' AND c.sender <> 'vapid:' || coalesce(v.vapid_key_id, 0))
            THEN 'hold:moved'  -- it has subscribed elsewhere, or under another key: cut again
        WHEN %(app_unreadable)s OR v.vapid_key_id = ANY(%(unreadable)s::bigint[]) THEN 'hold:key_unreadable'
        ELSE 'send:'
      END AS verdict,
      CASE WHEN %(app_unreadable)s OR v.vapid_key_id = ANY(%(unreadable)s::bigint[])
          THEN %(key_again)s::timestamptz END AS held_until,
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
    WHERE d.chunk_id = %(chunk)s AND d.day = %(day)s AND d.state = 'ready'
      AND d.device_id IS DISTINCT FROM %(not_to)s::bigint
    ORDER BY d.id LIMIT %(limit)s FOR UPDATE OF d
"""

# Verdicts that Python has changed: only where the brand has quiet hours or caps for this purpose.
_DECIDED_SQL = """
    SELECT v.id, v.verdict, v.held_until, v.counted::bigint[] AS counted
    FROM unnest(%(ids)s::bigint[], %(verdicts)s::text[], %(untils)s::timestamptz[], %(counted)s::text[])
        AS v(id, verdict, held_until, counted)
"""

_MOVE_SQL = """
WITH gated AS MATERIALIZED ({gated}), moved AS (
    UPDATE devices_delivery d SET
        state = CASE split_part(g.verdict, ':', 1) WHEN 'send' THEN 'sending' WHEN 'hold' THEN 'ready'
                     ELSE split_part(g.verdict, ':', 1) END,
        reason = CASE split_part(g.verdict, ':', 1) WHEN 'hold' THEN d.reason
                      WHEN 'send' THEN CASE d.reason WHEN 'template_time' THEN d.reason ELSE '' END
                      ELSE split_part(g.verdict, ':', 2) END,
        hold_reason = CASE WHEN g.verdict LIKE 'hold:%%' THEN split_part(g.verdict, ':', 2) ELSE '' END,
        chunk_id = CASE WHEN g.verdict LIKE 'hold:%%' THEN NULL ELSE d.chunk_id END,
        next_attempt_at = CASE WHEN g.verdict LIKE 'hold:%%'
                               THEN least(coalesce(g.held_until, %(now)s::timestamptz + interval '1 second'),
                                          d.expires_at)
                               ELSE d.next_attempt_at END,
        attempt = %(attempt)s,
        tries = d.tries + CASE WHEN g.verdict = 'send:' THEN 1 ELSE 0 END,
        sent_at = CASE WHEN g.verdict = 'send:' THEN %(now)s::timestamptz ELSE d.sent_at END,
        finished_at = CASE WHEN split_part(g.verdict, ':', 1) IN ('send', 'hold') THEN d.finished_at
                           ELSE %(now)s::timestamptz END,
        counted = g.counted
    FROM gated g
    WHERE d.id = g.id AND d.day = %(day)s
    RETURNING d.id, d.end_user_id, d.device_id, d.expires_at, d.variables, d.tries, d.state, d.reason
)
SELECT m.id, m.end_user_id, m.device_id, v.endpoint, v.token_hash, v.p256dh, v.auth, v.vapid_key_id, m.expires_at,
       m.variables, m.tries, u.external_id, u.language, v.language, u.properties, m.state = 'sending',
       v.endpoint_origin, v.native_token, m.reason, u.time_zone, v.time_zone
FROM moved m LEFT JOIN devices_device v ON v.id = m.device_id LEFT JOIN devices_enduser u ON u.id = m.end_user_id
ORDER BY m.id
"""
_GATE_SQL = _MOVE_SQL.format(gated=_VERDICTS_SQL)
_WRITE_VERDICTS_SQL = _MOVE_SQL.format(gated=_DECIDED_SQL)


def _json(value: str | None) -> Any:
    return None if value is None else json.loads(value)


def lease() -> timedelta:
    """How long a silent worker keeps a chunk."""
    return timedelta(seconds=settings.SMARTPUSH_LEASE_SECONDS)


def _claim(row: Sequence[Any]) -> Claim:
    policy, begins, ends = row[8:11]
    return Claim(
        chunk_id=row[0],
        day=row[1],
        attempt=row[2],
        dispatch_id=row[3],
        brand_id=row[4],
        content=_json(row[5]),
        urgency=row[6],
        zone=zone_choose(row[7]),
        quiet=None if begins is None or policy == "ignore" else QuietHours(begins, ends, policy),
        caps=tuple(Cap(*values) for values in _json(row[11]) or ()),
        origin=row[12],
        sender=row[13],
        lane=row[14],
        size=row[15],
        ttl=row[16],
    )


def chunk_claim(*, chunk_id: int, now: datetime) -> Claim | None:
    """Lease a ready (or abandoned) chunk under a new attempt number; None when it is done or another's."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CLAIM_SQL, {"chunk": chunk_id, "now": now, "until": now + lease()})
        row = cursor.fetchone()
        if row is None:
            return None
        claim = _claim(row)
        if claim.attempt > 1:
            cursor.execute(
                _UNSURE_SQL,
                {
                    "chunk": chunk_id,
                    "day": claim.day,
                    "attempt": claim.attempt,
                    "now": now,
                    "retries": UNSURE_RETRIES,
                    "chance": FIRST_CHANCE,
                },
            )
    return claim


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
    with transaction.atomic(), connection.cursor() as cursor:
        if claim.quiet is None and not claim.caps:
            cursor.execute(_GATE_SQL, slice_of)
            found = cursor.fetchall()
        else:
            cursor.execute(_VERDICTS_SQL, slice_of)
            gated = [GatedRow(*values) for values in cursor.fetchall()]
            refunds = restrain(rows=gated, day=claim.day, zone=claim.zone, quiet=claim.quiet, caps=claim.caps, now=now)
            cursor.execute(
                _WRITE_VERDICTS_SQL,
                {
                    **slice_of,
                    "ids": [row.id for row in gated],
                    "verdicts": [row.verdict for row in gated],
                    "untils": [row.held_until for row in gated],
                    # Arrays of unequal length do not fit into one array: each goes as text.
                    "counted": [
                        None if row.counted is None else f"{{{','.join(map(str, row.counted))}}}" for row in gated
                    ],
                },
            )
            found = cursor.fetchall()
            caps_refund(day=claim.day, counted=refunds)
    return len(found), [
        Row(
            id=r[0],
            end_user_id=r[1],
            device_id=r[2],
            endpoint=r[3],
            token_hash=r[4],
            p256dh=bytes(r[5] or b""),
            auth=bytes(r[6] or b""),
            vapid_key_id=r[7] or 0,
            expires_at=r[8],
            variables=_json(r[9]),
            tries=r[10],
            external_id=r[11],
            language=r[12],
            device_language=r[13],
            properties=_json(r[14]),
            origin=r[16],
            native_token=r[17],
            reason=r[18],
            zone=zone_choose(r[19], r[20], claim.zone),
            grace=timedelta(seconds=max(FIRST_CHANCE - claim.ttl, 0)),
        )
        for r in found
        if r[15]
    ]
