"""Membership changes are claimed once, by whoever lets end users into campaigns."""

from datetime import datetime
from typing import NamedTuple

from smartpush.common.database import statements

# The oldest changes that nobody has taken; what another process holds is left to it.
_CLAIM = """
WITH next AS MATERIALIZED (
  SELECT id FROM segments_passage WHERE taken_at IS NULL ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE segments_passage p SET taken_at = %(now)s FROM next WHERE p.id = next.id
RETURNING p.id, p.segment_id, p.end_user_id, p.kind
"""


class ClaimedChange(NamedTuple):
    """One end user `entered` or `left` (kind) one watched segment."""

    id: int
    segment_id: int
    end_user_id: int
    kind: str


def changes_claim(*, now: datetime, limit: int) -> list[ClaimedChange]:
    """Mark up to `limit` membership changes as taken and return them, the oldest first.

    Run it in the transaction that acts on them: if that fails, they are there again.
    """
    return sorted(statements.rows(ClaimedChange, _CLAIM, {"now": now, "limit": limit}))
