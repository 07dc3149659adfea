"""Outcomes become states: one bulk update, fenced by the attempt, and what follows for tokens."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from django.db import transaction

from devices.brands.models import Incident
from devices.brands.services.incidents import incident_note
from devices.delivery.models import Dispatch
from devices.delivery.push_services.pacing import LONGEST_HOLD
from devices.delivery.sending.caps import caps_refund
from devices.delivery.sending.claim import UNSURE_BACK_OFF, UNSURE_RETRIES, Claim, Row
from devices.delivery.transports.base import Outcome, SendResult
from devices.installations.models import Device
from devices.installations.tokens import SENDER_MISMATCH, is_native, tokens_gone
from smartpush.common.database import statements
from smartpush.common.personalisation import TEMPLATE_LIMIT, TEMPLATE_TIME

MAX_TRIES = 12
LATER = timedelta(seconds=60)
"""For how long a device waits that was refused alone, where the push service did not say."""
SOONEST = timedelta(seconds=5)
"""What a Retry-After of less is taken for: a try that costs none must not be made in a circle."""
_FIRST_BACK_OFF = 2.0
_MAX_BACK_OFF = 900.0
_FCM_FIRST_BACK_OFF = 10.0  # what FCM asks for at least
_FCM_MAX_BACK_OFF = 3600.0
_CARRIED = frozenset({Outcome.AUTH, Outcome.THROTTLED, Outcome.RETRY})
"""A push service has had the message and answered: that was an attempt."""


@dataclass(frozen=True, slots=True)
class Write:
    """What one result does to its row."""

    id: int
    state: str
    reason: str
    hold_reason: str
    status: int | None
    next_attempt_at: datetime
    in_chunk: bool = False
    """Taken back before it left: it stays in its chunk."""
    back: int = 0
    """How many tries are given back."""


def back_off(tries: int) -> timedelta:
    """2 s doubling to 15 min, with full jitter in the upper half."""
    ceiling = min(_FIRST_BACK_OFF * 2 ** max(tries - 1, 0), _MAX_BACK_OFF)
    return timedelta(seconds=ceiling * (0.5 + random.random() / 2))  # noqa: S311  jitter, not secrecy


def back_off_fcm(tries: int) -> timedelta:
    """10 s doubling to 60 min, jittered upwards."""
    floor = _FCM_FIRST_BACK_OFF * 2 ** max(tries - 1, 0)
    jittered = floor * (1 + random.random() / 2)  # noqa: S311  jitter, not secrecy
    return timedelta(seconds=min(jittered, _FCM_MAX_BACK_OFF))


def result_classify(
    *,
    result: SendResult,
    row: Row,
    policy: str,
    now: datetime,
    held: Mapping[Outcome, datetime] = MappingProxyType({}),
) -> Write:
    """The outcome table of docs/delivery.md: which state, reason and next attempt a result leads to.

    `held` is until when all messages wait that are refused so; a device that is refused alone is not in it. A *later*
    uses up no try, and nothing waits longer than it lives: the gate ends it then as expired.
    """
    outcome, reason = result.outcome, result.reason[:40]

    def final(state: str, why: str) -> Write:
        return Write(row.id, state, why, "", result.status, now)

    def over(at: datetime) -> bool:
        """Whether its TTL is over at the next attempt, while its row would still wait for a first one."""
        return bool(row.grace) and at >= row.kept_until

    def later(hold: str, at: datetime) -> Write:
        if over(at) and outcome in _CARRIED:
            return final("expired", reason or "expired")
        return Write(row.id, "ready", reason, hold, result.status, min(at, row.expires_at), back=1)

    def again(hold: str, at: datetime) -> Write:
        if row.tries >= MAX_TRIES:
            return final("failed", "retries_exhausted")
        if over(at):
            return final("unknown" if outcome is Outcome.UNKNOWN else "expired", reason or "expired")
        return Write(row.id, "ready", reason, hold, result.status, min(at, row.expires_at))

    asked = None
    if result.retry_after is not None:
        asked = max(timedelta(seconds=min(result.retry_after, LONGEST_HOLD)), SOONEST)
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
            return later("breaker", held.get(outcome) or now + (asked or LATER))
        case Outcome.THROTTLED:
            return later("throttled", held.get(outcome) or now + (asked or LATER))
        case Outcome.HELD:
            if asked is not None:
                return later("failing", now + asked)
            return Write(row.id, "ready", row.reason, "", None, now, in_chunk=True, back=1)
        case Outcome.RETRY:
            if asked is not None:
                return later("retry", now + asked)
            wait = back_off_fcm(row.tries) if is_native(row.origin) else back_off(row.tries)
            return again("retry", now + wait)
        case Outcome.LATE:
            if row.reason == TEMPLATE_TIME:  # for the second time: not the machine, the text
                return final("failed", TEMPLATE_LIMIT)
            return later(TEMPLATE_TIME, now + LATER)
        case Outcome.UNKNOWN:
            if policy == "at_least_once" and row.tries < UNSURE_RETRIES:
                return again("unsure", now + UNSURE_BACK_OFF)
            return final("unknown", reason or "no_answer")


_WRITE_SQL = """
WITH told AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(holds)s::text[],
                         %(statuses)s::smallint[], %(nexts)s::timestamptz[],
                         %(stays)s::bool[], %(backs)s::int[])
        AS r(id, state, reason, hold_reason, status, next_attempt_at, stays, back)
), ours AS MATERIALIZED (  -- locked in the order of ids: devices report on the same rows meanwhile
    SELECT d.id, r.state, r.reason, r.hold_reason, r.status, r.next_attempt_at, r.stays,
           r.back
    FROM devices_delivery d JOIN told r ON r.id = d.id
    WHERE d.day = %(day)s AND d.state = 'sending' AND d.attempt = %(attempt)s AND d.chunk_id = %(chunk)s
    ORDER BY d.id FOR UPDATE OF d
)
UPDATE devices_delivery d SET
    state = r.state, reason = r.reason, hold_reason = r.hold_reason, http_status = r.status,
    next_attempt_at = r.next_attempt_at,
    chunk_id = CASE WHEN r.state = 'ready' AND NOT r.stays THEN NULL ELSE d.chunk_id END,
    tries = greatest(d.tries - r.back, 0),
    finished_at = CASE WHEN r.state = 'ready' THEN NULL ELSE %(now)s::timestamptz END
FROM ours r
WHERE d.id = r.id AND d.day = %(day)s
RETURNING d.id, d.state, d.counted
"""


class _Written(NamedTuple):
    id: int
    state: str
    counted: list[int] | None


@transaction.atomic
def results_write(
    *,
    claim: Claim,
    policy: str,
    rows: dict[int, Row],
    results: Sequence[SendResult],
    now: datetime,
    held: Mapping[Outcome, datetime] = MappingProxyType({}),
) -> int:
    """Write a batch of results, each only under our attempt; returns how many were still ours.

    `held` as in `result_classify`.
    """
    if not results:
        return 0
    writes = [result_classify(result=r, row=rows[r.key], policy=policy, now=now, held=held) for r in results]
    written = statements.rows(_Written, _WRITE_SQL, {**_arrays(writes), **_ours(claim), "now": now})
    _devices_follow(rows=rows, results=results, now=now)
    unsent = {row.id: row.counted for row in written if row.counted and row.state in ("failed", "gone", "expired")}
    caps_refund(day=claim.day, counted=unsent)  # last: whoever counts holds deliveries already (see caps.py)
    _limits_note(claim=claim, writes=writes, results=results, now=now)
    return len(written)


def _arrays(writes: Sequence[Write]) -> dict[str, Any]:
    return {
        "ids": [w.id for w in writes],
        "states": [w.state for w in writes],
        "reasons": [w.reason for w in writes],
        "holds": [w.hold_reason for w in writes],
        "statuses": [w.status for w in writes],
        "nexts": [w.next_attempt_at for w in writes],
        "stays": [w.in_chunk for w in writes],
        "backs": [w.back for w in writes],
    }


def _ours(claim: Claim) -> dict[str, Any]:
    return {"day": claim.day, "attempt": claim.attempt, "chunk": claim.chunk_id}


def _devices_follow(*, rows: Mapping[int, Row], results: Sequence[SendResult], now: datetime) -> None:
    """What the push service said of a device and its token: gone, another sender's, or under another key."""

    def of(outcome: Outcome) -> list[Row]:
        return [rows[result.key] for result in results if result.outcome is outcome]

    for outcome, reason in ((Outcome.GONE, "gone"), (Outcome.QUARANTINE, SENDER_MISMATCH)):
        if theirs := of(outcome):
            tokens_gone(tokens=[(row.device_id, row.token_hash) for row in theirs], reason=reason, now=now)
    if rekey := of(Outcome.REKEY):
        Device.objects.filter(pk__in=[row.device_id for row in rekey]).update(needs_rekey=True)


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
