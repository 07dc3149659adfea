"""What a push service accepts from one of our keys, kept for all processes: the rules are in `pacing`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from psycopg.rows import dict_row

from devices.brands.models import Incident
from devices.brands.services.incidents import incident_end, incident_note
from devices.delivery.models import SendBudget
from devices.delivery.push_services.pacing import BREAKER, NONE, Grant, Pace, Recent, accepted, granted, refused

log = structlog.get_logger(__name__)

NATIVE_ORIGIN = "fcm"
"""Stands for Firebase in the limit of a project, whichever of its apps is sent to."""
KEEP = timedelta(days=15)
"""Longer than the longest limit of a site that is known (docs/delivery.md)."""


@dataclass(frozen=True, slots=True)
class Target:
    """One of our keys at one push service."""

    sender: str
    origin: str


_COLUMNS = """id, kind, held_until, held_at, refusals, suspect_id, trying_until, rate, cycle, rising, cycle_began,
    cycle_taken, raised_at, next_slot"""

# The limits of these targets, as they are.
_READ_SQL = f"""
SELECT sender, origin, {_COLUMNS} FROM devices_sendbudget b
WHERE (b.sender, b.origin) IN (SELECT * FROM unnest(%(senders)s::text[], %(origins)s::text[]))
"""

# One limit, locked until the transaction ends.
_LOCK_SQL = f"SELECT {_COLUMNS} FROM devices_sendbudget WHERE sender = %(sender)s AND origin = %(origin)s FOR UPDATE"

# The row of a limit that was met for the first time.
_ADD_SQL = """
INSERT INTO devices_sendbudget (brand_id, sender, origin, since, updated_at)
VALUES (%(brand)s, %(sender)s, %(origin)s, %(now)s, %(now)s) ON CONFLICT DO NOTHING
"""

# What is known of a limit now.
_WRITE_SQL = """
UPDATE devices_sendbudget SET kind = %(kind)s, held_until = %(held_until)s, held_at = %(held_at)s,
    refusals = %(refusals)s, suspect_id = %(suspect)s, trying_until = %(trying_until)s, rate = %(rate)s,
    cycle = %(cycle)s, rising = %(rising)s, cycle_began = %(cycle_began)s, cycle_taken = %(cycle_taken)s,
    raised_at = %(raised_at)s, next_slot = %(next_slot)s, last_status = coalesce(%(status)s, last_status),
    updated_at = %(now)s
WHERE id = %(id)s
"""

# Messages that were refused one by one and wait for the end of a hold. In the order of ids, as every bulk statement.
_DUE_SQL = """
WITH waiting AS MATERIALIZED (
    SELECT d.id, d.day FROM devices_delivery d
    JOIN devices_sendbudget b ON b.sender = %(sender)s AND b.origin = %(origin)s AND b.brand_id = d.brand_id
    WHERE d.state = 'ready' AND d.chunk_id IS NULL AND d.hold_reason = %(kind)s
      AND (d.origin = b.origin OR (b.origin = 'fcm' AND d.origin LIKE 'fcm:%%'))
    ORDER BY d.id FOR UPDATE OF d
)
UPDATE devices_delivery d SET next_attempt_at = %(now)s FROM waiting w WHERE d.id = w.id AND d.day = w.day
"""

# Chunks that waited for it: the next tick queues a job where nobody is at work on their lane.
_LOOK_SQL = """
UPDATE devices_deliverychunk c SET rung_at = NULL
WHERE c.state = 'ready' AND (c.sender = %(sender)s OR c.origin = %(sender)s)
  AND (c.origin = %(origin)s OR (%(origin)s = 'fcm' AND c.origin LIKE 'fcm:%%'))
"""

# Whether urgent messages wait for the same limit: then bulk messages are granted nothing.
_URGENT_SQL = """
SELECT EXISTS (
    SELECT 1 FROM devices_deliverychunk c
    WHERE c.state <> 'done' AND c.lane = 'urgent' AND c.sender = %(sender)s
      AND CASE WHEN c.origin LIKE 'fcm:%%' THEN 'fcm' ELSE c.origin END = %(origin)s) AS waits
"""


def _seconds(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _pace(row: Mapping[str, Any]) -> Pace:
    return Pace(
        kind=row["kind"],
        held_until=_seconds(row["held_until"]),
        held_at=_seconds(row["held_at"]),
        refusals=row["refusals"],
        suspect=row["suspect_id"],
        trying_until=_seconds(row["trying_until"]),
        rate=row["rate"],
        cycle=row["cycle"],
        rising=row["rising"],
        cycle_began=_seconds(row["cycle_began"]),
        cycle_taken=row["cycle_taken"],
        raised_at=_seconds(row["raised_at"]),
        next_slot=_seconds(row["next_slot"]),
    )


def _rows(sql: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run a statement and return its rows by name."""
    connection.ensure_connection()
    with connection.connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _locked(target: Target) -> tuple[int, Pace] | None:
    rows = _rows(_LOCK_SQL, {"sender": target.sender, "origin": target.origin})
    return (rows[0]["id"], _pace(rows[0])) if rows else None


def _write(row_id: int, pace: Pace, *, now: datetime, status: int | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE_SQL,
            {
                "id": row_id,
                "kind": pace.kind,
                "held_until": _moment(pace.held_until),
                "held_at": _moment(pace.held_at),
                "refusals": pace.refusals,
                "suspect": pace.suspect,
                "trying_until": _moment(pace.trying_until),
                "rate": pace.rate,
                "cycle": pace.cycle,
                "rising": pace.rising,
                "cycle_began": _moment(pace.cycle_began),
                "cycle_taken": pace.cycle_taken,
                "raised_at": _moment(pace.raised_at),
                "next_slot": _moment(pace.next_slot),
                "status": status,
                "now": now,
            },
        )


def budgets_read(*, targets: Collection[Target]) -> dict[Target, Pace]:
    """Return what is known of these limits; what was never limited is not among them."""
    if not targets:
        return {}
    rows = _rows(_READ_SQL, {"senders": [one.sender for one in targets], "origins": [one.origin for one in targets]})
    return {Target(row["sender"], row["origin"]): _pace(row) for row in rows}


@transaction.atomic
def budget_refused(
    *,
    target: Target,
    brand_id: int,
    subject: str,
    kind: str,
    device_id: int,
    status: int | None,
    reason: str,
    now: datetime,
    tried: bool,
    retry_after: float | None,
    recent: Recent | None,
) -> Pace:
    """Note a refusal and return what is known then: the hold is committed with this call.

    `subject` names the place in the incident that it opens as soon as more than one device is refused.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ADD_SQL, {"brand": brand_id, "sender": target.sender, "origin": target.origin, "now": now})
    found = _locked(target)
    if found is None:  # removed by housekeeping in this very moment; the next refusal makes it anew
        return Pace()
    row_id, before = found
    pace = refused(
        before,
        kind=kind,
        device=device_id,
        at=now.timestamp(),
        tried=tried,
        retry_after=retry_after,
        recent=recent,
    )
    if pace != before:
        _write(row_id, pace, now=now, status=status)
    if pace.kind and (pace.suspect is None or pace.refusals > 1):
        incident = Incident.Kind.KEY_REFUSED if pace.kind == BREAKER else Incident.Kind.SERVICE_LIMITS
        incident_note(kind=incident, brand_id=brand_id, subject=subject, now=now, detail=f"{status or ''} {reason}")
    return pace


@transaction.atomic
def budget_accepted(
    *, target: Target, brand_id: int, subject: str, count: int, tried: bool, now: datetime
) -> Pace | None:
    """Note messages that a limited push service accepted; None where it has no limit (any more)."""
    found = _locked(target)
    if found is None:
        return None
    row_id, before = found
    pace = accepted(before, count=count, tried=tried)
    _write(row_id, pace, now=now)
    if before.kind == BREAKER and not pace.kind:
        incident_end(kind=Incident.Kind.KEY_REFUSED, brand_id=brand_id, subject=subject, now=now)
    return pace


@transaction.atomic
def budget_grant(*, target: Target, want: int, urgent: bool, now: datetime) -> Grant:
    """Ask how many of `want` messages may go and when; bulk messages get nothing while urgent ones wait."""
    if not urgent and _rows(_URGENT_SQL, {"sender": target.sender, "origin": target.origin})[0]["waits"]:
        return NONE
    found = _locked(target)
    if found is None:
        return Grant(want)
    row_id, before = found
    grant, pace = granted(before, want=want, at=now.timestamp())
    if pace != before:
        _write(row_id, pace, now=now)
    return grant


def budget_untried(*, target: Target) -> None:
    """Give back a grant that was to try and had nothing to try with."""
    SendBudget.objects.filter(sender=target.sender, origin=target.origin).update(trying_until=None)


@transaction.atomic
def budget_lift(*, target: Target, now: datetime) -> bool:
    """End a hold before its time and forget what it was about; says whether there was one.

    What waits for it goes out at once: single messages are due now, and chunks are looked at in the next tick.
    """
    found = _locked(target)
    if found is None or not found[1].kind:
        return False
    _write(found[0], Pace(), now=now)
    values: dict[str, Any] = {"sender": target.sender, "origin": target.origin, "kind": found[1].kind, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_DUE_SQL, values)
        cursor.execute(_LOOK_SQL, values)
    log.warning("hold_lifted", sender=target.sender, origin=target.origin, kind=found[1].kind)
    return True


def budgets_forget_old(*, now: datetime) -> int:
    """Remove limits that were not met for longer than any limit lasts; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM devices_sendbudget WHERE updated_at < %(before)s AND held_at < %(before)s",
            {"before": now - KEEP},
        )
        return int(cursor.rowcount)
