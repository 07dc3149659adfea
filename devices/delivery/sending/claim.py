"""Claim a chunk: it is leased under an attempt number, and what a dead worker left of it is decided."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from devices.delivery.sending.caps import Cap
from devices.delivery.sending.quiet_hours import QuietHours, zone_choose
from devices.delivery.services.outbox import FIRST_CHANCE
from smartpush.common.database.statements import first, written

UNSURE_RETRIES = 3
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


# Lease a chunk that is ready, or whose lease has run out, under the next attempt number; with it all that its
# dispatch and brand say about sending.
_CLAIM_SQL = """
UPDATE devices_deliverychunk c SET state = 'leased', attempt = c.attempt + 1, leased_until = %(until)s
FROM devices_dispatch p, devices_brand b
WHERE c.id = %(chunk)s AND p.id = c.dispatch_id AND b.id = c.brand_id
  AND (c.state = 'ready' OR (c.state = 'leased' AND c.leased_until < %(now)s))
RETURNING c.id AS chunk_id, c.day, c.attempt, c.dispatch_id, c.brand_id, p.content, p.urgency, b.time_zone,
          CASE WHEN p.quiet_policy <> '' THEN p.quiet_policy WHEN p.purpose = 'marketing' THEN b.quiet_policy
               ELSE 'ignore' END AS quiet_policy,
          b.quiet_from, b.quiet_until,
          (SELECT jsonb_agg(jsonb_build_array(f.id, f.scope, f.period, f.most) ORDER BY f.id)
           FROM devices_frequencycap f WHERE f.brand_id = c.brand_id AND f.purpose = p.purpose) AS caps,
          c.origin, c.sender, c.lane, c.size, p.ttl
"""


class _Claimed(NamedTuple):
    chunk_id: int
    day: date
    attempt: int
    dispatch_id: int
    brand_id: int
    content: str
    urgency: str
    time_zone: str
    quiet_policy: str
    quiet_from: time | None
    quiet_until: time | None
    caps: str | None
    origin: str
    sender: str
    lane: str
    size: int
    ttl: int


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


def lease() -> timedelta:
    """How long a silent worker keeps a chunk."""
    return timedelta(seconds=settings.SMARTPUSH_LEASE_SECONDS)


def _claim(row: _Claimed) -> Claim:
    quiet = None
    if row.quiet_from is not None and row.quiet_until is not None and row.quiet_policy != "ignore":
        quiet = QuietHours(row.quiet_from, row.quiet_until, row.quiet_policy)
    return Claim(
        chunk_id=row.chunk_id,
        day=row.day,
        attempt=row.attempt,
        dispatch_id=row.dispatch_id,
        brand_id=row.brand_id,
        content=json.loads(row.content),
        urgency=row.urgency,
        ttl=row.ttl,
        lane=row.lane,
        size=row.size,
        origin=row.origin,
        sender=row.sender,
        zone=zone_choose(row.time_zone),
        quiet=quiet,
        caps=tuple(Cap(*values) for values in json.loads(row.caps or "[]")),
    )


@transaction.atomic
def chunk_claim(*, chunk_id: int, now: datetime) -> Claim | None:
    """Lease a ready (or abandoned) chunk under a new attempt number; None when it is done or another's."""
    row = first(_Claimed, _CLAIM_SQL, {"chunk": chunk_id, "now": now, "until": now + lease()})
    if row is None:
        return None
    claim = _claim(row)
    if claim.attempt > 1:
        written(
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
