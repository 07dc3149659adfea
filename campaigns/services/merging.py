"""Move journeys and entry guards when two end users are merged."""

from datetime import datetime

from django.db import transaction

from campaigns.advance import enrolments_exit
from campaigns.services.never_contact import journeys_end
from devices.lifecycle.merging import messages_move
from devices.lifecycle.steps import Merge, Step
from smartpush.common.database import statements

# The visitor's open journeys in campaigns in which the known person is, or has been for the same reason.
_CLASHING = """
SELECT v.id FROM campaigns_enrolment v
WHERE v.end_user_id = %(visitor)s AND v.state = 'active' AND EXISTS (
  SELECT 1 FROM campaigns_enrolment k
  WHERE k.campaign_id = v.campaign_id AND k.end_user_id = %(known)s
    AND (k.state = 'active' OR k.entry_key = v.entry_key))
"""
# Everything else becomes the known person's.
_MOVE = """
UPDATE campaigns_enrolment v SET end_user_id = %(known)s
WHERE v.end_user_id = %(visitor)s AND NOT EXISTS (
  SELECT 1 FROM campaigns_enrolment k
  WHERE k.campaign_id = v.campaign_id AND k.end_user_id = %(known)s AND k.entry_key = v.entry_key)
"""
# Only one of two enrolments with the same key can be the known person's; the visitor's keeps its end under another.
_MOVE_REST = """
UPDATE campaigns_enrolment SET end_user_id = %(known)s, entry_key = left(entry_key || ':v' || end_user_id, 64)
WHERE end_user_id = %(visitor)s
"""
# The known person has entered as often as both, and last when the later one did.
_GUARDS = """
WITH moved AS (DELETE FROM campaigns_entryguard WHERE end_user_id = %(visitor)s RETURNING *)
INSERT INTO campaigns_entryguard (campaign_id, end_user_id, entries, last_entered_at)
SELECT campaign_id, %(known)s, entries, last_entered_at FROM moved
ON CONFLICT (campaign_id, end_user_id) DO UPDATE SET
  entries = campaigns_entryguard.entries + EXCLUDED.entries,
  last_entered_at = greatest(campaigns_entryguard.last_entered_at, EXCLUDED.last_entered_at)
"""

# A row where the known person must never be contacted.
_MARKED = "SELECT 1 FROM devices_enduser WHERE id = %(known)s AND never_contact"


@transaction.atomic
def journeys_merge(*, visitor_id: int, known_id: int, now: datetime) -> None:
    """Move guards and enrolments of a merged visitor; open journeys end where the known person already has one.

    Where one of the two was marked *never contact*, all open ones end.

    Then once more the messages: from here on nobody writes any for the visitor.
    """
    values = {"visitor": visitor_id, "known": known_id}
    enrolments_exit(ids=statements.column(_CLASHING, values), reason="merged", now=now)
    statements.written(_MOVE, values)
    statements.written(_MOVE_REST, values)
    statements.written(_GUARDS, values)
    if statements.value(_MARKED, values) is not None:
        journeys_end(end_user_ids=[known_id], now=now)
    messages_move(source_id=visitor_id, target_id=known_id, now=now)


def _merge(merge: Merge) -> None:
    journeys_merge(visitor_id=merge.source.pk, known_id=merge.target.pk, now=merge.now)


MERGE_STEP = Step("journeys and entry guards", ("campaigns_enrolment", "campaigns_entryguard"), _merge)
