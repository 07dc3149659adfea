"""Update imported lists when two end users are merged, or one is erased."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from devices.lifecycle.steps import Erasure, Merge, Step
from devices.models import EndUser
from smartpush.common.database import statements

# A list that is changing has its import locked: a merge waits for it, and then moves what it has written.
_HOLD = """
SELECT i.id FROM segments_segmentimport i JOIN segments_segment s ON s.id = i.segment_id
WHERE s.brand_id = %(brand)s AND i.state IN ('receiving', 'waiting', 'running', 'asking')
ORDER BY i.id FOR SHARE OF i
"""
_SLICES = """
UPDATE segments_importslice SET end_users = {change}
WHERE job_id = ANY(%(jobs)s) AND end_users @> ARRAY[%(source)s::bigint]
"""
_MOVE = """
WITH moved AS (DELETE FROM segments_listentry WHERE end_user_id = %(source)s RETURNING segment_id)
INSERT INTO segments_listentry (segment_id, end_user_id) SELECT segment_id, %(target)s FROM moved ORDER BY segment_id
ON CONFLICT DO NOTHING
"""
_LEAVE = "DELETE FROM segments_listentry WHERE end_user_id = %(source)s"
_LINES = """
DELETE FROM segments_importline l USING segments_segmentimport i, segments_segment s
WHERE s.brand_id = %(brand)s AND i.segment_id = s.id AND l.job_id = i.id AND l.external_id = %(external_id)s
"""


@transaction.atomic
def lists_merge(*, source_id: int, target: EndUser, had_id: bool = False) -> None:
    """Replace the source by the target in every list.

    `had_id`: the source had an external id, so a file may name it; then this waits for a list that is changing.
    """
    values: dict[str, Any] = {"source": source_id, "target": target.pk, "brand": target.brand_id}
    if had_id:
        _hold(values, "array_replace(end_users, %(source)s::bigint, %(target)s::bigint)")
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, values)


@transaction.atomic
def lists_forget(*, end_user: EndUser) -> None:
    """Take an end user who is being erased out of every list, and their external id out of what files left behind."""
    values: dict[str, Any] = {
        "source": end_user.pk,
        "brand": end_user.brand_id,
        "external_id": end_user.external_id,
    }
    if end_user.external_id is not None:
        _hold(values, "array_remove(end_users, %(source)s::bigint)")
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, values)
        if end_user.external_id is not None:
            cursor.execute(_LINES, values)


def _hold(values: Mapping[str, Any], change: str) -> None:
    jobs = statements.column(_HOLD, values)
    if jobs:
        statements.written(_SLICES.format(change=change), {**values, "jobs": jobs})


def _merge(merge: Merge) -> None:
    lists_merge(source_id=merge.source.pk, target=merge.target, had_id=merge.source_known)


def _erase(erasure: Erasure) -> None:
    lists_forget(end_user=erasure.end_user)


_TABLES = ("segments_listentry", "segments_importslice")
MERGE_STEP = Step("lists", _TABLES, _merge)
ERASE_STEP = Step("lists", _TABLES, _erase)
