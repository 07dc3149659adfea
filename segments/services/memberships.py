"""Write who is in a watched segment: baselines, which report no change, and evaluations, which report real ones.

A transaction that writes a brand's memberships holds the brand's lock until it ends, so that an evaluation never sees
half a baseline. It is an advisory lock: nothing else waits for it, and a caller that must not wait can try it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from segments.compiler import audience_sql, condition_sql
from segments.selectors.watching import Watched
from segments.sql import Sql, fill
from smartpush.common.database.advisory_locks import LockOf, lock_of_hold, lock_of_hold_try


@dataclass(frozen=True, slots=True)
class MembershipChanges:
    """Count the people who entered and those who left."""

    entered: int = 0
    left: int = 0

    def __add__(self, other: "MembershipChanges") -> "MembershipChanges":
        return MembershipChanges(self.entered + other.entered, self.left + other.left)


def brand_lock(*, brand_id: int) -> None:
    """Lock the brand's memberships until this transaction ends."""
    lock_of_hold(lock=LockOf.SEGMENT_MEMBERS, number=brand_id)


def brand_lock_try(*, brand_id: int) -> bool:
    """Lock them without waiting; returns False where another transaction holds the lock."""
    return lock_of_hold_try(lock=LockOf.SEGMENT_MEMBERS, number=brand_id)


# Epochs never restart, or a later entry would look like one that campaigns have processed: when watching begins again
# they continue after the changes that are still kept.
_BASELINE = """
WITH inside AS MATERIALIZED ({audience}),
known AS (SELECT end_user_id, max(epoch) AS epoch FROM segments_passage WHERE segment_id = {segment} GROUP BY 1),
gone AS (
  UPDATE segments_presence p SET inside = false, changed_at = {now}
  WHERE p.segment_id = {segment} AND p.inside AND NOT EXISTS (SELECT FROM inside i WHERE i.id = p.end_user_id)
)
INSERT INTO segments_presence AS p (segment_id, end_user_id, inside, epoch, changed_at)
SELECT {segment}, coalesce(i.id, k.end_user_id), i.id IS NOT NULL,
       CASE WHEN k.epoch IS NULL THEN 0 WHEN i.id IS NULL THEN k.epoch ELSE k.epoch + 1 END, {now}
FROM inside i FULL JOIN known k ON k.end_user_id = i.id
WHERE i.id IS NOT NULL OR NOT EXISTS (
  SELECT FROM segments_presence o WHERE o.segment_id = {segment} AND o.end_user_id = k.end_user_id)
ON CONFLICT (segment_id, end_user_id) DO UPDATE
  SET inside = true, epoch = p.epoch + 1, changed_at = EXCLUDED.changed_at WHERE NOT p.inside
"""
# An evaluation older than the last change is ignored: a sweep may have run while a slow tick held an older time.
_EVALUATE = """
WITH evaluated AS MATERIALIZED (
  SELECT u.id, ({condition}) IS TRUE AS inside FROM devices_enduser u WHERE u.brand_id = {brand} AND u.id = ANY({ids})
), written AS (
  INSERT INTO segments_presence AS p (segment_id, end_user_id, inside, epoch, changed_at)
  SELECT {segment}, e.id, e.inside, 1, {now}
  FROM evaluated e LEFT JOIN segments_presence o ON o.segment_id = {segment} AND o.end_user_id = e.id
  WHERE e.inside IS DISTINCT FROM coalesce(o.inside, false)
  ORDER BY e.id
  ON CONFLICT (segment_id, end_user_id) DO UPDATE
    SET inside = EXCLUDED.inside, epoch = p.epoch + EXCLUDED.inside::integer, changed_at = EXCLUDED.changed_at
    WHERE p.inside <> EXCLUDED.inside AND p.changed_at <= EXCLUDED.changed_at
  RETURNING p.end_user_id, p.inside, p.epoch
), changed AS (
  INSERT INTO segments_passage (segment_id, end_user_id, epoch, kind, at)
  SELECT {segment}, w.end_user_id, w.epoch, CASE WHEN w.inside THEN 'entered' ELSE 'left' END, {now}
  FROM written w ORDER BY w.end_user_id
  ON CONFLICT DO NOTHING RETURNING kind
)
SELECT count(*) FILTER (WHERE kind = 'entered'), count(*) FILTER (WHERE kind = 'left') FROM changed
"""


def memberships_baseline(*, watched: Watched, now: datetime) -> None:
    """Set who is in the segment now, without reporting a change; call it under the brand's lock."""
    audience = audience_sql(watched.rules, watched.context)
    _run(fill(_BASELINE, audience=audience, segment=watched.segment_id, now=now))


def memberships_evaluate(*, watched: Watched, end_user_ids: Collection[int], now: datetime) -> MembershipChanges:
    """Evaluate these end users by index and write the memberships that changed; call it under the brand's lock."""
    statement = fill(
        _EVALUATE,
        condition=condition_sql(watched.rules.rule, watched.context),
        brand=watched.brand_id,
        ids=sorted(end_user_ids),
        segment=watched.segment_id,
        now=now,
    )
    entered, left = _run(statement) or (0, 0)
    return MembershipChanges(entered, left)


def _run(statement: Sql) -> tuple[int, int] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement.text, statement.params)
        return cursor.fetchone() if cursor.description else None
