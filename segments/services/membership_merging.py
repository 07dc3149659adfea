"""Move segment memberships and their changes when two end users are merged; delete them when one is erased."""

from django.db import connection, transaction

from devices.lifecycle.steps import Erasure, Merge, Step
from segments.models import MembershipChange, SegmentMembership

_HOLD = "SELECT id FROM segments_presence WHERE end_user_id = ANY(%s) ORDER BY id FOR UPDATE"
# Renumber the source's epochs after the target's. Where the target is in the segment already, nothing new happened:
# mark the source's pending changes as processed.
_CHANGES = """
WITH moved AS (DELETE FROM segments_passage WHERE end_user_id = %(source)s RETURNING *)
INSERT INTO segments_passage (segment_id, end_user_id, epoch, kind, at, taken_at)
SELECT m.segment_id, %(target)s, m.epoch + coalesce(p.epoch + 1, 0), m.kind, m.at,
       CASE WHEN p.inside THEN coalesce(m.taken_at, m.at) ELSE m.taken_at END
FROM moved m LEFT JOIN segments_presence p ON p.segment_id = m.segment_id AND p.end_user_id = %(target)s
ORDER BY m.segment_id, m.epoch ON CONFLICT DO NOTHING
"""
_MEMBERSHIPS = """
WITH moved AS (DELETE FROM segments_presence WHERE end_user_id = %(source)s RETURNING *)
INSERT INTO segments_presence AS p (segment_id, end_user_id, inside, epoch, changed_at)
SELECT segment_id, %(target)s, inside, epoch, changed_at FROM moved ORDER BY segment_id
ON CONFLICT (segment_id, end_user_id) DO UPDATE SET
  inside = p.inside OR EXCLUDED.inside,
  epoch = p.epoch + 1 + EXCLUDED.epoch + (p.inside AND NOT EXCLUDED.inside)::integer,
  changed_at = greatest(p.changed_at, EXCLUDED.changed_at)
"""


@transaction.atomic
def memberships_merge(*, source_id: int, target_id: int) -> None:
    """Put the target into each watched segment that the source is in, without an entry.

    Pending changes of the source become the target's where the target was outside. The merged person is queued, so
    that their memberships are evaluated again after the merge.
    """
    if not SegmentMembership.objects.filter(end_user_id=source_id).exists():
        # Without a membership row only changes of segments that are no longer watched can be left.
        MembershipChange.objects.filter(end_user_id=source_id).delete()
        return
    values = {"source": source_id, "target": target_id}
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [[source_id, target_id]])
        cursor.execute(_CHANGES, values)
        cursor.execute(_MEMBERSHIPS, values)


@transaction.atomic
def memberships_erase(*, end_user_id: int) -> None:
    """Delete the memberships of an erased person, and their changes."""
    SegmentMembership.objects.filter(end_user_id=end_user_id).delete()
    MembershipChange.objects.filter(end_user_id=end_user_id).delete()


def _merge(merge: Merge) -> None:
    memberships_merge(source_id=merge.source.pk, target_id=merge.target.pk)


def _erase(erasure: Erasure) -> None:
    memberships_erase(end_user_id=erasure.end_user.pk)


_TABLES = ("segments_presence", "segments_passage")
MERGE_STEP = Step("memberships", _TABLES, _merge)
ERASE_STEP = Step("memberships", _TABLES, _erase)
