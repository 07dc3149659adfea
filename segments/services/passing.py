"""Presences and passages follow the person: two end users become one, or one is erased."""

from django.db import connection, transaction

from segments.models import Passage, Presence

_HOLD = "SELECT id FROM segments_presence WHERE end_user_id = ANY(%s) ORDER BY id FOR UPDATE"
# The other's stays are counted on behind the survivor's, and a stay of the survivor that is not over behind those that
# are. Where the survivor was inside already nothing new happened: what the other did is told to nobody any more.
_PASSAGES = """
WITH moved AS (DELETE FROM segments_passage WHERE end_user_id = %(source)s RETURNING *)
INSERT INTO segments_passage (segment_id, end_user_id, epoch, kind, at, taken_at)
SELECT m.segment_id, %(target)s, m.epoch + coalesce(p.epoch + 1, 0), m.kind, m.at,
       CASE WHEN p.inside THEN coalesce(m.taken_at, m.at) ELSE m.taken_at END
FROM moved m LEFT JOIN segments_presence p ON p.segment_id = m.segment_id AND p.end_user_id = %(target)s
ORDER BY m.segment_id, m.epoch ON CONFLICT DO NOTHING
"""
_PRESENCES = """
WITH moved AS (DELETE FROM segments_presence WHERE end_user_id = %(source)s RETURNING *)
INSERT INTO segments_presence AS p (segment_id, end_user_id, inside, epoch, changed_at)
SELECT segment_id, %(target)s, inside, epoch, changed_at FROM moved ORDER BY segment_id
ON CONFLICT (segment_id, end_user_id) DO UPDATE SET
  inside = p.inside OR EXCLUDED.inside,
  epoch = p.epoch + 1 + EXCLUDED.epoch + (p.inside AND NOT EXCLUDED.inside)::integer,
  changed_at = greatest(p.changed_at, EXCLUDED.changed_at)
"""


@transaction.atomic
def presences_absorb(*, source_id: int, target_id: int) -> None:
    """Where either was inside the survivor is, without entering; whether that is still so is judged after the merge.

    What campaigns were not yet told of the source they are told of the survivor, who was not inside before.
    """
    if not Presence.objects.filter(end_user_id=source_id).exists():
        # Nobody without a presence has passed in or out, unless the watching is over.
        Passage.objects.filter(end_user_id=source_id).delete()
        return
    values = {"source": source_id, "target": target_id}
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [[source_id, target_id]])
        cursor.execute(_PASSAGES, values)
        cursor.execute(_PRESENCES, values)


@transaction.atomic
def presences_forget(*, end_user_id: int) -> None:
    """Nothing is kept of where an erased person was."""
    Presence.objects.filter(end_user_id=end_user_id).delete()
    Passage.objects.filter(end_user_id=end_user_id).delete()
