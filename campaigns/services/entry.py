"""Letting end users into a campaign, by set.

The guard row of (campaign, end user) is what two processes meet on: it is claimed first, by a conditional upsert, and
only who got it enters. The unique entry key makes a replayed event or schedule slot enter nobody twice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from campaigns.activities import registry
from campaigns.advance import enrolments_exit
from campaigns.models import Campaign
from campaigns.selectors.entries import Entry
from campaigns.services.locks import lock_entries
from smartpush.common.database import statements

_MODES = Campaign.EntryMode


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who would enter and why; `entry_key` is the event's id or the slot in ISO, `variables` the event's properties."""

    end_user_id: int
    entry_key: str
    device_id: int | None = None
    variables: Mapping[str, Any] | None = field(default=None)


_OFFERED = """
offered AS MATERIALIZED (
  SELECT c.* FROM unnest(%(users)s::bigint[], %(keys)s::text[], %(devices)s::bigint[], %(variables)s::jsonb[])
    WITH ORDINALITY AS c(end_user_id, entry_key, device_id, variables, place)
  JOIN devices_enduser u ON u.id = c.end_user_id AND NOT u.never_contact
  WHERE NOT EXISTS (SELECT 1 FROM campaigns_enrolment e WHERE e.campaign_id = %(campaign)s
                    AND e.end_user_id = c.end_user_id AND e.entry_key = c.entry_key)
    AND (%(mode)s <> 'once_while_open'
         OR NOT EXISTS (SELECT 1 FROM campaigns_enrolment e WHERE e.campaign_id = %(campaign)s
                        AND e.end_user_id = c.end_user_id AND e.state = 'active'))
  ORDER BY u.id FOR KEY SHARE OF u
)"""
_GUARD = """
guard AS (
  INSERT INTO campaigns_entryguard (campaign_id, end_user_id, entries, last_entered_at)
  SELECT a.id, p.end_user_id, count(*), %(now)s
  FROM picked p JOIN campaigns_campaign a ON a.id = %(campaign)s AND a.state = 'active'
  GROUP BY a.id, p.end_user_id
  ORDER BY p.end_user_id
  ON CONFLICT (campaign_id, end_user_id) DO UPDATE
    SET entries = campaigns_entryguard.entries + EXCLUDED.entries, last_entered_at = EXCLUDED.last_entered_at
    WHERE %(mode)s <> 'once'
      AND (%(interval)s = interval '0' OR campaigns_entryguard.last_entered_at <= %(now)s - %(interval)s)
  RETURNING end_user_id
)"""
_ONE_EACH = """
picked AS (SELECT DISTINCT ON (end_user_id) * FROM offered ORDER BY end_user_id, place {direction})"""
_ALL = "picked AS (SELECT * FROM offered)"
_ENTER = """
INSERT INTO campaigns_enrolment (day, brand_id, campaign_id, version_id, end_user_id, entry_key, device_id, variables,
                                 exclusive, at_key, at_kind, wake_at, entered_at)
SELECT %(day)s, %(brand)s, %(campaign)s, %(version)s, p.end_user_id, p.entry_key, p.device_id, p.variables,
       %(mode)s <> 'every_time', %(start_key)s, %(start_kind)s,
       (SELECT <wakes> FROM campaigns_versionstep n WHERE n.version_id = %(version)s AND n.key = %(start_key)s), %(now)s
FROM {source}
ON CONFLICT DO NOTHING
RETURNING id
"""
_GRANTED = "picked p JOIN guard g ON g.end_user_id = p.end_user_id"

# Restart: people who were granted an entry, unless a faster process has made this very one, and their open enrolments.
_TO_RESTART = """
SELECT k.place, e.id AS enrolment_id
FROM unnest(%(users)s::bigint[], %(keys)s::text[], %(places)s::bigint[]) AS k(end_user_id, entry_key, place)
LEFT JOIN campaigns_enrolment e
  ON e.campaign_id = %(campaign)s AND e.end_user_id = k.end_user_id AND e.state = 'active'
WHERE NOT EXISTS (SELECT 1 FROM campaigns_enrolment s WHERE s.campaign_id = %(campaign)s
                  AND s.end_user_id = k.end_user_id AND s.entry_key = k.entry_key)
"""
_CHOSEN = """unnest(%(users)s::bigint[], %(keys)s::text[], %(devices)s::bigint[], %(variables)s::jsonb[])
  AS p(end_user_id, entry_key, device_id, variables)"""


class _ToRestart(NamedTuple):
    place: int
    enrolment_id: int | None


@transaction.atomic
def enrol(*, entry: Entry, candidates: Sequence[Candidate], now: datetime) -> list[int]:
    """Enter those of the candidates whom entry mode and minimum time between entries let in; return their new ids.

    Nobody enters a campaign that is not active, and nobody who is marked *never contact* enters any: the row is read
    under a lock that setting the mark waits for. The caller decides who is in the audience.
    """
    if not candidates:
        return []
    lock_entries(campaign_ids=[entry.campaign_id])
    if entry.mode == _MODES.ONCE:
        candidates = [_once(candidate) for candidate in candidates]
    if entry.mode == _MODES.RESTART:
        return _restart(entry, candidates, now)
    several = entry.mode == _MODES.EVERY_TIME and entry.interval == 0
    picked = _ALL if several else _ONE_EACH.format(direction="ASC")
    sql = f"WITH {_OFFERED}, {picked}, {_GUARD} {_ENTER.format(source=_GRANTED)}"
    return statements.column(_with_wakes(sql), _values(entry, candidates, now))


def _once(candidate: Candidate) -> Candidate:
    return Candidate(candidate.end_user_id, "once", candidate.device_id, candidate.variables)


def _restart(entry: Entry, candidates: Sequence[Candidate], now: datetime) -> list[int]:
    values = _values(entry, candidates, now)
    # The last of several events for one person is the one that they restart with.
    claim = f"WITH {_OFFERED}, {_ONE_EACH.format(direction='DESC')}, {_GUARD} SELECT p.place FROM {_GRANTED}"
    places = statements.column(claim, values)
    granted = [candidates[place - 1] for place in places]
    found = statements.rows(_ToRestart, _TO_RESTART, {**_values(entry, granted, now), "places": places})
    open_ones = {row.enrolment_id for row in found if row.enrolment_id is not None}
    enrolments_exit(ids=sorted(open_ones), reason="restarted", now=now)
    chosen = [candidates[place - 1] for place in sorted({row.place for row in found})]
    return statements.column(_with_wakes(_ENTER.format(source=_CHOSEN)), _values(entry, chosen, now))


def _values(entry: Entry, candidates: Sequence[Candidate], now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "day": now.astimezone(UTC).date(),
        "brand": entry.brand_id,
        "campaign": entry.campaign_id,
        "version": entry.version_id,
        "mode": str(entry.mode),
        "interval": timedelta(seconds=entry.interval),
        "start_key": entry.start_key,
        "start_kind": entry.start_kind,
        "users": [candidate.end_user_id for candidate in candidates],
        "keys": [candidate.entry_key for candidate in candidates],
        "devices": [candidate.device_id for candidate in candidates],
        "variables": [
            None if candidate.variables is None else json.dumps(dict(candidate.variables)) for candidate in candidates
        ],
    }


def _with_wakes(sql: str) -> str:
    return sql.replace("<wakes>", registry.wake_sql())
