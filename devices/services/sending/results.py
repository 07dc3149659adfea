"""Outcomes become states: one bulk update, fenced by the attempt, and what follows for tokens and origins."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection, transaction

from devices.models import Device, Dispatch, Incident
from devices.services.incidents import incident_note
from devices.services.sending.caps import caps_refund
from devices.services.sending.claim import UNSURE_BACK_OFF, UNSURE_RETRIES, Claim, Row
from devices.services.statuses import SENDER_MISMATCH, is_native, tokens_gone
from devices.transports.base import Outcome, SendResult
from smartpush.common.personalisation import TEMPLATE_LIMIT, TEMPLATE_TIME

log = structlog.get_logger(__name__)

MAX_TRIES = 12
TURN_HOLD = "turn"  # its chunk gave way to others; it stays in its chunk
_LATE_BACK_OFF = timedelta(seconds=60)
_BREAKER = timedelta(seconds=60)
_BREAKER_MAX = timedelta(minutes=60)
_FIRST_BACK_OFF = 2.0
_MAX_BACK_OFF = 900.0
_FCM_FIRST_BACK_OFF = 10.0  # what FCM asks for at least
_FCM_MAX_BACK_OFF = 3600.0


@dataclass(frozen=True, slots=True)
class Write:
    """What one result does to its row."""

    id: int
    state: str
    reason: str
    hold_reason: str
    status: int | None
    next_attempt_at: datetime
    untried: bool = False  # nothing was tried: the attempt does not count


def back_off(tries: int) -> timedelta:
    """2 s doubling to 15 min, with full jitter in the upper half."""
    ceiling = min(_FIRST_BACK_OFF * 2 ** max(tries - 1, 0), _MAX_BACK_OFF)
    return timedelta(seconds=ceiling * (0.5 + random.random() / 2))  # noqa: S311  jitter, not secrecy


def back_off_fcm(tries: int) -> timedelta:
    """10 s doubling to 60 min, jittered upwards."""
    floor = _FCM_FIRST_BACK_OFF * 2 ** max(tries - 1, 0)
    jittered = floor * (1 + random.random() / 2)  # noqa: S311  jitter, not secrecy
    return timedelta(seconds=min(jittered, _FCM_MAX_BACK_OFF))


def result_judge(*, result: SendResult, row: Row, policy: str, now: datetime) -> Write:
    """The outcome table of docs/delivery.md: which state, reason and next attempt a result leads to."""
    outcome, reason = result.outcome, result.reason[:40]

    def final(state: str, why: str) -> Write:
        return Write(row.id, state, why, "", result.status, now)

    def again(hold: str, at: datetime) -> Write:
        if row.tries >= MAX_TRIES:
            return final("failed", "retries_exhausted")
        if at >= row.expires_at:
            at = row.expires_at  # the gate ends it as expired
        return Write(row.id, "ready", reason, hold, result.status, at)

    match outcome:
        case Outcome.ACCEPTED:
            return final("accepted", "")
        case Outcome.GONE:
            return final("gone", reason or "gone")
        case Outcome.REKEY:
            return final("failed", "vapid_key_mismatch")
        case Outcome.QUARANTINE:
            return final("failed", reason)
        case Outcome.FAILED | Outcome.REFUSED:
            return final("failed", reason or "failed")
        case Outcome.AUTH:
            return again("breaker", now + _BREAKER)
        case Outcome.THROTTLED:
            return again("throttled", now + timedelta(seconds=result.retry_after or 60))
        case Outcome.RETRY:
            wait = back_off_fcm(row.tries) if is_native(row.origin) else back_off(row.tries)
            if result.retry_after:
                wait = max(wait, timedelta(seconds=result.retry_after))
            return again("retry", now + wait)
        case Outcome.PUT_BACK:
            return Write(row.id, "ready", row.reason, TURN_HOLD, None, now, untried=True)
        case Outcome.LATE:
            if row.reason == TEMPLATE_TIME:  # for the second time: not the machine, the text
                return final("failed", TEMPLATE_LIMIT)
            at = min(now + _LATE_BACK_OFF, row.expires_at)
            return Write(row.id, "ready", TEMPLATE_TIME, TEMPLATE_TIME, None, at, untried=True)
        case Outcome.UNKNOWN:
            if policy == "at_least_once" and row.tries < UNSURE_RETRIES:
                return again("unsure", now + UNSURE_BACK_OFF)
            return final("unknown", reason or "no_answer")


_WRITE_SQL = """
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(holds)s::text[],
                         %(statuses)s::smallint[], %(nexts)s::timestamptz[], %(untried)s::boolean[])
        AS r(id, state, reason, hold_reason, status, next_attempt_at, untried)
), ours AS MATERIALIZED (  -- locked in the order of ids: devices report on the same rows meanwhile
    SELECT d.id, r.state, r.reason, r.hold_reason, r.status, r.next_attempt_at, r.untried
    FROM devices_delivery d JOIN told r ON r.id = d.id
    WHERE d.day = %(day)s AND d.state = 'sending' AND d.attempt = %(attempt)s AND d.chunk_id = %(chunk)s
    ORDER BY d.id FOR UPDATE OF d
)
UPDATE devices_delivery d SET
    state = r.state, reason = r.reason, hold_reason = r.hold_reason, http_status = r.status,
    next_attempt_at = r.next_attempt_at,
    chunk_id = CASE WHEN r.state = 'ready' AND r.hold_reason <> 'turn' THEN NULL ELSE d.chunk_id END,
    tries = d.tries - r.untried::int,
    finished_at = CASE WHEN r.state = 'ready' THEN NULL ELSE %(now)s::timestamptz END
FROM ours r
WHERE d.id = r.id AND d.day = %(day)s
RETURNING d.id, d.state, d.counted
"""


def results_write(
    *,
    claim: Claim,
    policy: str,
    rows: dict[int, Row],
    origins: dict[int, str],
    results: Sequence[SendResult],
    now: datetime,
) -> int:
    """Write a batch of results, each only under our attempt; returns how many were still ours."""
    if not results:
        return 0
    writes = [result_judge(result=r, row=rows[r.key], policy=policy, now=now) for r in results]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                _WRITE_SQL,
                {
                    "ids": [w.id for w in writes],
                    "states": [w.state for w in writes],
                    "reasons": [w.reason for w in writes],
                    "holds": [w.hold_reason for w in writes],
                    "statuses": [w.status for w in writes],
                    "nexts": [w.next_attempt_at for w in writes],
                    "untried": [w.untried for w in writes],
                    "now": now,
                    "day": claim.day,
                    "attempt": claim.attempt,
                    "chunk": claim.chunk_id,
                },
            )
            written = cursor.fetchall()
        gone = [(rows[r.key].device_id, rows[r.key].token_hash) for r in results if r.outcome is Outcome.GONE]
        if gone:
            tokens_gone(tokens=gone, reason="gone", now=now)
        foreign = [(rows[r.key].device_id, rows[r.key].token_hash) for r in results if r.outcome is Outcome.QUARANTINE]
        if foreign:
            tokens_gone(tokens=foreign, reason=SENDER_MISMATCH, now=now)
        rekey = [rows[r.key].device_id for r in results if r.outcome is Outcome.REKEY]
        if rekey:
            Device.objects.filter(pk__in=rekey).update(needs_rekey=True)
        _holds_write(claim=claim, origins=origins, results=results, now=now)
        unsent = {pk: counted for pk, state, counted in written if state in ("failed", "gone") and counted}
        caps_refund(day=claim.day, counted=unsent)  # last: whoever counts holds deliveries already (see caps.py)
        _limits_note(claim=claim, writes=writes, results=results, now=now)
    return len(written)


def _limits_note(*, claim: Claim, writes: Sequence[Write], results: Sequence[SendResult], now: datetime) -> None:
    """Open an incident where messages ended because their texts are over the limits."""
    over = [r.detail for w, r in zip(writes, results, strict=True) if w.reason == TEMPLATE_LIMIT]
    if not over:
        return
    label = Dispatch.objects.values_list("label", flat=True).get(pk=claim.dispatch_id)
    incident_note(
        kind=Incident.Kind.TEMPLATE_LIMIT,
        brand_id=claim.brand_id,
        subject=f"{label or f'Dispatch {claim.dispatch_id}'}, push revision {claim.content.get('revision', 'unknown')}",
        now=now,
        count=len(over),
        detail=max(over),
    )


def _holds_write(*, claim: Claim, origins: dict[int, str], results: Sequence[SendResult], now: datetime) -> None:
    """Open a breaker where our credentials are refused, heed Retry-After, and close holds that an answer disproves."""
    refused = Counter(origins[r.key] for r in results if r.outcome is Outcome.AUTH)
    throttled: dict[str, float] = {}
    for r in results:
        if r.outcome is Outcome.THROTTLED:
            throttled[origins[r.key]] = max(throttled.get(origins[r.key], 0.0), r.retry_after or 60.0)
    taken = {origins[r.key] for r in results if r.outcome is Outcome.ACCEPTED} - refused.keys() - throttled.keys()
    with connection.cursor() as cursor:
        for origin in sorted(refused):
            cursor.execute(
                """
                INSERT INTO devices_sendhold AS h (brand_id, origin, kind, until, failures, last_status, since)
                VALUES (%(brand)s, %(origin)s, 'breaker', %(now)s::timestamptz + make_interval(secs => %(first)s), 1,
                        %(status)s, %(now)s)
                ON CONFLICT (brand_id, origin) DO UPDATE SET kind = 'breaker', failures = h.failures + 1,
                    last_status = %(status)s,
                    until = %(now)s::timestamptz
                        + make_interval(secs => least(%(first)s * power(2, least(h.failures, 10)), %(most)s))
                """,
                {
                    "brand": claim.brand_id,
                    "origin": origin,
                    "now": now,
                    "first": _BREAKER.total_seconds(),
                    "most": _BREAKER_MAX.total_seconds(),
                    "status": next(r.status for r in results if r.outcome is Outcome.AUTH and origins[r.key] == origin),
                },
            )
            log.error("push_service_refuses_our_key", brand=claim.brand_id, origin=origin, messages=refused[origin])
        for origin, seconds in sorted(throttled.items()):
            cursor.execute(
                """
                INSERT INTO devices_sendhold AS h (brand_id, origin, kind, until, failures, last_status, since)
                VALUES (%(brand)s, %(origin)s, 'throttled', %(until)s, 1, 429, %(now)s)
                ON CONFLICT (brand_id, origin) DO UPDATE SET failures = h.failures + 1, last_status = 429,
                    kind = CASE WHEN h.kind = 'breaker' AND h.until > %(now)s THEN h.kind ELSE 'throttled' END,
                    until = greatest(h.until, excluded.until)
                """,
                {"brand": claim.brand_id, "origin": origin, "until": now + timedelta(seconds=seconds), "now": now},
            )
        if taken:
            cursor.execute(
                "DELETE FROM devices_sendhold WHERE brand_id = %s AND origin = ANY(%s) AND until <= %s",
                [claim.brand_id, sorted(taken), now],
            )
