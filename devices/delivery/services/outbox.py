"""The outbox: rows of sends outside journeys, and cutting what is due into chunks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from devices.delivery.models import Dispatch
from devices.delivery.push_services.holding import HELD_SQL
from devices.delivery.selectors.reach import pair_allows_sql, pair_device_sql
from devices.people.models import EndUser, IdempotencyKey
from smartpush.common.database import statements
from smartpush.common.jobs import job_queue

FIRST_CHANCE = 60
"""Seconds that a message waits for its first attempt, however short its TTL: that begins with the push service, and
with a TTL of 0 every message would be over before a worker has it. What comes after that attempt keeps to the TTL."""

# Write one delivery for each reachable device of an end user.
_ADD_SQL = f"""
INSERT INTO devices_delivery (day, brand_id, dispatch_id, end_user_id, device_id, request_id, origin, variables,
                              next_attempt_at, expires_at, created_at, attempt, tries, state,
                              hold_reason, reason, clicked_action)
SELECT p.day, p.brand_id, p.id, v.holder_id, v.id, %(request)s, v.endpoint_origin, %(variables)s::jsonb,
       %(at)s, %(at)s::timestamptz + make_interval(secs => greatest(p.ttl, %(chance)s)), %(now)s, 0, 0, 'ready',
       '', '', ''
FROM devices_dispatch p, devices_device v
JOIN devices_pushstatus s ON {pair_device_sql(pair="s", device="v")} AND {pair_allows_sql(pair="s")}
JOIN devices_enduser u ON u.id = v.holder_id AND NOT u.never_contact
WHERE p.id = %(dispatch)s AND v.holder_id = %(end_user)s
  AND (%(device)s::bigint IS NULL OR v.id = %(device)s)
  AND (p.target_devices = 'all' OR (p.target_devices = 'web') = (v.platform = 'web'))
  AND (u.target_devices = 'all' OR (u.target_devices = 'web') = (v.platform = 'web'))
ON CONFLICT DO NOTHING
RETURNING id
"""


def journey_deliveries_sql(*, source: str) -> str:
    """SQL that writes one delivery for each row of `source`, a CTE or table; ours, never input.

    Columns of the source: brand_id, dispatch_id, end_user_id, device_id, enrolment_id, step_seq, origin, variables
    (jsonb), ttl (seconds). Placeholders: now, and day, which is the dispatch's. Returns dispatch_id.
    """
    return f"""
  INSERT INTO devices_delivery (day, brand_id, dispatch_id, end_user_id, device_id, enrolment_id, step_seq, origin,
                                variables, next_attempt_at, expires_at, created_at)
  SELECT %(day)s, brand_id, dispatch_id, end_user_id, device_id, enrolment_id, step_seq, origin,
         variables, %(now)s, %(now)s + ttl * interval '1 second', %(now)s
  FROM {source}
  RETURNING dispatch_id"""


@transaction.atomic
def deliveries_add(
    *,
    dispatch_id: int,
    end_user_id: int,
    request_key: str,
    variables: Mapping[str, Any] | None = None,
    device_id: int | None = None,
    now: datetime,
) -> list[int]:
    """Write one delivery for each reachable device of an end user; the same request key writes nothing twice.

    With `device_id` for that one of their devices alone.
    """
    dispatch = Dispatch.objects.only("brand_id").get(pk=dispatch_id)
    key, _ = IdempotencyKey.objects.get_or_create(
        brand_id=dispatch.brand_id,
        scope="send",
        key=request_key,
        defaults={"expires_at": now + timedelta(days=7)},
    )
    return deliveries_write(
        dispatch_id=dispatch_id,
        end_user_id=end_user_id,
        request_id=key.pk,
        variables=variables,
        device_id=device_id,
        at=now,
        now=now,
    )


def deliveries_write(
    *,
    dispatch_id: int,
    end_user_id: int,
    request_id: int,
    variables: Mapping[str, Any] | None,
    device_id: int | None = None,
    at: datetime,
    now: datetime,
) -> list[int]:
    """Write what `deliveries_add` does under a key row that the caller holds, to be sent not before `at`."""
    return statements.column(
        _ADD_SQL,
        {
            "request": request_id,
            "variables": None
            if variables is None
            else EndUser.properties.field.get_db_prep_value(dict(variables), connection),
            "now": now,
            "at": at,
            "dispatch": dispatch_id,
            "end_user": end_user_id,
            "chance": FIRST_CHANCE,
            "device": device_id,
        },
    )


@dataclass(frozen=True, slots=True)
class CutChunk:
    """A chunk that was just cut, and the lane whose workers are to be notified."""

    id: int
    lane: str


_CUT_SQL = """
WITH due AS MATERIALIZED (
    SELECT d.id, d.day, d.brand_id, d.dispatch_id, p.lane, d.expires_at,
           coalesce(nullif(v.endpoint_origin, ''), d.origin) AS origin,
           CASE WHEN a.fcm_project_id <> '' THEN 'fcm:' || a.fcm_project_id
                WHEN v.platform = 'web' THEN 'vapid:' || coalesce(v.vapid_key_id, 0) ELSE '' END AS sender
    FROM devices_delivery d JOIN devices_dispatch p ON p.id = d.dispatch_id
    JOIN devices_brand b ON b.id = d.brand_id
    LEFT JOIN devices_device v ON v.id = d.device_id
    LEFT JOIN devices_app a ON a.id = v.app_id AND v.platform <> 'web'
    WHERE d.state = 'ready' AND d.chunk_id IS NULL AND d.next_attempt_at <= %(now)s
      AND (b.sending_stopped_at IS NULL OR d.expires_at <= %(now)s)
      AND (%(all)s OR d.dispatch_id = ANY(%(dispatches)s))
    ORDER BY d.next_attempt_at LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
), numbered AS (
    SELECT *, (row_number() OVER (PARTITION BY dispatch_id, origin, sender ORDER BY id) - 1) / %(size)s AS slice
    FROM due
), grouped AS (
    SELECT brand_id, dispatch_id, day, lane, origin, sender, slice, count(*) AS size, min(expires_at) AS expires_from
    FROM numbered GROUP BY 1, 2, 3, 4, 5, 6, 7
), chunks AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('devices_deliverychunk', 'id')) AS id, grouped.* FROM grouped
), written AS (
    INSERT INTO devices_deliverychunk (id, brand_id, dispatch_id, day, lane, origin, sender, size, expires_from,
                                       rung_at, created_at)
    SELECT id, brand_id, dispatch_id, day, lane, origin, sender, size, expires_from, %(now)s, %(now)s FROM chunks
    RETURNING id
), linked AS (
    UPDATE devices_delivery d SET chunk_id = c.id
    FROM numbered n JOIN chunks c ON c.dispatch_id = n.dispatch_id AND c.origin = n.origin AND c.sender = n.sender
                                 AND c.slice = n.slice AND c.day = n.day
    WHERE d.id = n.id AND d.day = n.day
    RETURNING 1
)
SELECT id, lane FROM chunks, (SELECT count(*) FROM written) w, (SELECT count(*) FROM linked) l ORDER BY id
"""


def chunks_cut(*, now: datetime, dispatch_ids: Collection[int] | None = None, limit: int = 50_000) -> list[CutChunk]:
    """Cut due, ready rows into chunks by (lane, dispatch, push service, key) and notify the workers after commit."""
    with transaction.atomic():
        chunks = statements.rows(
            CutChunk,
            _CUT_SQL,
            {
                "now": now,
                "all": dispatch_ids is None,
                "dispatches": list(dispatch_ids or []),
                "limit": limit,
                "size": settings.SMARTPUSH_CHUNK_SIZE,
            },
        )
        transaction.on_commit(lambda: workers_notify(chunks))
    return chunks


def workers_notify(chunks: Collection[CutChunk]) -> None:
    """Queue one job for each chunk on its lane's cluster; the ticker queues a lost one again."""
    for chunk in chunks:
        job_queue("devices.tasks.send_chunk", chunk.id, cluster=chunk.lane)


# A waiting chunk gets another job only where its lane is idle: while workers are busy, its job is in the queue, or they
# take the chunk as soon as they have room (chunks_waiting). So a long queue does not fill with repeated jobs. A chunk
# that waits for its push service gets its job when that wait is over.
_RECLAIM_SQL = f"""
WITH idle AS (
    SELECT lane FROM unnest(ARRAY['urgent', 'bulk']) AS lane WHERE NOT EXISTS (
        SELECT 1 FROM devices_deliverychunk b
        WHERE b.state = 'leased' AND b.leased_until >= %(now)s AND b.lane = lane.lane)
), lost AS (
    SELECT id FROM devices_deliverychunk
    WHERE state = 'leased' AND leased_until < %(now)s AND (rung_at IS NULL OR rung_at < %(silent)s)
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), silent AS (
    SELECT c.id FROM devices_deliverychunk c
    WHERE c.state = 'ready' AND NOT ({HELD_SQL})
      AND ((c.lane IN (SELECT lane FROM idle) AND (c.rung_at IS NULL OR c.rung_at < %(silent)s))
           OR EXISTS (SELECT 1 FROM devices_sendbudget b
                      WHERE (b.sender = c.sender OR (b.sender = c.origin AND b.origin = c.origin))
                        AND b.kind <> '' AND b.held_until > c.rung_at AND b.held_until <= %(now)s)
           OR EXISTS (SELECT 1 FROM devices_originhealth h
                      WHERE h.origin = c.origin AND h.open_until > c.rung_at AND h.open_until <= %(now)s))
    ORDER BY c.id LIMIT %(notifications)s FOR UPDATE OF c SKIP LOCKED
)
UPDATE devices_deliverychunk SET rung_at = %(now)s
WHERE id IN (SELECT id FROM lost UNION ALL SELECT id FROM silent)
RETURNING id, lane
"""
_NOTIFICATIONS = 8

# The oldest chunks of a lane that could be sent now, none under a key that the asker is busy with at that push service.
_WAITING_SQL = f"""
SELECT c.id, c.sender, c.origin FROM devices_deliverychunk c
WHERE c.state = 'ready' AND c.lane = %(lane)s AND NOT (c.sender || ' ' || c.origin = ANY(%(busy)s))
  AND NOT ({HELD_SQL})
ORDER BY c.id LIMIT %(limit)s
"""


class _Waiting(NamedTuple):
    id: int
    sender: str
    origin: str


def leases_reclaim(*, now: datetime, limit: int = 500) -> list[CutChunk]:
    """Queue jobs again for chunks whose lease ran out or whose job was lost (silent for a third of a lease)."""
    silence = timedelta(seconds=settings.SMARTPUSH_LEASE_SECONDS / 3)
    with transaction.atomic():
        chunks = statements.rows(
            CutChunk,
            _RECLAIM_SQL,
            {"now": now, "silent": now - silence, "limit": limit, "notifications": _NOTIFICATIONS},
        )
        transaction.on_commit(lambda: workers_notify(chunks))
    return chunks


def chunks_waiting(*, lane: str, busy: Collection[str], now: datetime, limit: int) -> list[int]:
    """Return the oldest chunks of a lane that could be sent now, one a key and push service.

    `busy` names the keys and push services, as "sender origin", that the asker has enough of already.
    """
    found = statements.rows(_Waiting, _WAITING_SQL, {"lane": lane, "busy": list(busy), "now": now, "limit": limit})
    firsts: dict[tuple[str, str], int] = {}
    for chunk in found:
        firsts.setdefault((chunk.sender, chunk.origin), chunk.id)
    return list(firsts.values())
