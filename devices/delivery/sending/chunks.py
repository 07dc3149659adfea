"""The life of a chunk under its lease: renewed, let go, done; and rows that leave it or expire in it."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from devices.delivery.models import DeliveryChunk
from devices.delivery.sending.caps import caps_refund
from devices.delivery.sending.claim import Claim, lease
from devices.delivery.sending.restraint import NOT_SENT
from smartpush.common.database import statements


def lease_renew(*, claim: Claim, now: datetime) -> bool:
    """Heartbeat; False when another worker has taken the chunk over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE devices_deliverychunk SET leased_until = %s WHERE id = %s AND attempt = %s AND state = 'leased'",
            [now + lease(), claim.chunk_id, claim.attempt],
        )
        return bool(cursor.rowcount)


# What of a chunk is done with goes back to waiting: its rows stay in it, and whoever claims it next goes on with them.
_RELEASE_SQL = """
UPDATE devices_deliverychunk c SET state = 'ready', leased_until = NULL, rung_at = %(now)s
WHERE c.id = %(chunk)s AND c.attempt = %(attempt)s AND c.state = 'leased'
"""

# Rows whose time is over while their chunk waits; what they were counted in is answered, to be given back.
_EXPIRE_SQL = """
WITH late AS MATERIALIZED (
    SELECT d.id, d.hold_reason FROM devices_delivery d
    WHERE d.chunk_id = %(chunk)s AND d.day = %(day)s AND d.state = 'ready' AND d.expires_at <= %(now)s
    ORDER BY d.id FOR UPDATE
)
UPDATE devices_delivery d SET state = 'expired', finished_at = %(now)s, hold_reason = '',
    reason = CASE WHEN d.hold_reason IN ('breaker', 'throttled', 'failing') AND d.reason <> '' THEN d.reason
                  ELSE 'expired' END
FROM late l WHERE d.id = l.id AND d.day = %(day)s
RETURNING d.id, d.counted, l.hold_reason
"""

# When the next of a waiting chunk's rows expires; a chunk that has none left is done, unless someone is at it.
_NEXT_EXPIRY_SQL = """
UPDATE devices_deliverychunk c SET expires_from = w.first,
    state = CASE WHEN w.first IS NULL AND c.state = 'ready' THEN 'done' ELSE c.state END,
    done_at = CASE WHEN w.first IS NULL AND c.state = 'ready' THEN %(now)s::timestamptz ELSE c.done_at END
FROM (SELECT min(d.expires_at) FILTER (WHERE d.state = 'ready') AS first FROM devices_delivery d
      WHERE d.chunk_id = %(chunk)s AND d.day = %(day)s AND d.state IN ('ready', 'sending')) w
WHERE c.id = %(chunk)s
"""


class _Expired(NamedTuple):
    id: int
    counted: list[int] | None
    hold_reason: str


def chunks_expire(*, now: datetime, limit: int = 200) -> int:
    """End what expired while its chunk waited for a push service; returns how many messages."""
    ended = 0
    due = DeliveryChunk.objects.filter(
        ~Q(state=DeliveryChunk.State.DONE), expires_from__isnull=False, expires_from__lte=now
    )
    for chunk_id, day in list(due.order_by("pk").values_list("pk", "day")[:limit]):
        values: dict[str, Any] = {"chunk": chunk_id, "day": day, "now": now}
        with transaction.atomic():
            expired = statements.rows(_Expired, _EXPIRE_SQL, values)
            statements.written(_NEXT_EXPIRY_SQL, values)
            unsent = {row.id: row.counted for row in expired if row.counted and row.hold_reason in NOT_SENT}
            caps_refund(day=day, counted=unsent)
        ended += len(expired)
    return ended


# What goes to one device leaves the chunk and waits by itself.
_PUT_OFF_SQL = """
WITH its AS MATERIALIZED (
    SELECT d.id FROM devices_delivery d
    JOIN devices_deliverychunk c ON c.id = d.chunk_id AND c.state = 'leased' AND c.attempt = %(attempt)s
    WHERE d.chunk_id = %(chunk)s AND d.day = %(day)s AND d.state = 'ready' AND d.device_id = %(device)s
    ORDER BY d.id FOR UPDATE OF d
)
UPDATE devices_delivery d SET chunk_id = NULL, hold_reason = %(hold)s, next_attempt_at = least(%(until)s, d.expires_at)
FROM its i WHERE d.id = i.id AND d.day = %(day)s
"""


def rows_put_off(*, claim: Claim, device_id: int | None, hold: str, until: datetime) -> int:
    """Let the chunk's rows to one device wait on their own until a moment; returns how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _PUT_OFF_SQL,
            {
                "chunk": claim.chunk_id,
                "day": claim.day,
                "attempt": claim.attempt,
                "device": device_id,
                "hold": hold,
                "until": until,
            },
        )
        return int(cursor.rowcount)


def chunk_release(*, claim: Claim, now: datetime) -> bool:
    """Let a chunk go that cannot be gone on with now; its waiting rows stay in it. False when it is not ours."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE_SQL, {"chunk": claim.chunk_id, "attempt": claim.attempt, "now": now})
        return bool(cursor.rowcount)


def chunk_finish(*, claim: Claim, now: datetime) -> bool:
    """Close the chunk when none of its rows is left open; says whether it is closed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE devices_deliverychunk c SET state = 'done', done_at = %(now)s, leased_until = NULL
            WHERE c.id = %(chunk)s AND c.attempt = %(attempt)s AND NOT EXISTS (
                SELECT 1 FROM devices_delivery d
                WHERE d.chunk_id = c.id AND d.day = c.day AND d.state IN ('ready', 'sending'))
            """,
            {"now": now, "chunk": claim.chunk_id, "attempt": claim.attempt},
        )
        return bool(cursor.rowcount)
