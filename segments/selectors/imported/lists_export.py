"""End users as a CSV for spreadsheets, straight out of PostgreSQL: no more than a few lines are ever in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from segments.core.devices import reachable
from segments.models import Segment, SegmentImport
from segments.selectors.audiences import context_for, segment_queryset
from segments.selectors.segments import segment_rules

_BLOCK = 64 * 1024  # bytes
_BOM = "\ufeff".encode()  # without it spreadsheets take the file for Latin-1


def _plain(column: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"CASE WHEN {column} ~ '^[=+@\\t\\r-]' THEN '''' || {column} ELSE {column} END"


_LISTED = "u.id IN (SELECT e.end_user_id FROM segments_listentry e WHERE e.segment_id = %s)"
_EXPORT = f"""
SELECT {_plain("u.external_id")} AS external_id, {_plain("u.language")} AS language, {_plain("u.country")} AS country,
       u.last_session_status AS push_status_of_the_last_session,
       CASE WHEN u.last_session_at IS NULL THEN 'no' ELSE 'yes' END AS visited,
       CASE WHEN {{reached}} THEN 'yes' ELSE 'no' END AS reachable,
       CASE WHEN u.never_contact THEN 'yes' ELSE 'no' END AS never_contact,
       to_char(u.last_session_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_seen
FROM devices_enduser u
WHERE u.brand_id = %s AND u.external_id IS NOT NULL AND {{chosen}}
"""
_COUNT = """
SELECT count(*), count(u.external_id) FROM devices_enduser u WHERE u.brand_id = %s AND {chosen}
"""
_UNKNOWN = f"""
SELECT line, {_plain("external_id")} AS external_id FROM segments_importline WHERE job_id = %s ORDER BY line
"""


@dataclass(frozen=True, slots=True)
class ExportSize:
    """`named` of all have an external id: these are exported."""

    all: int
    named: int

    @property
    def visitors(self) -> int:
        """Those without an external id."""
        return self.all - self.named


def export_size(*, segment: Segment, now: datetime) -> ExportSize:
    """How many end users an export has; raises InvalidRules."""
    chosen, values = _chosen(segment, now)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(chosen=chosen), [segment.brand_id, *values])
        return ExportSize(*cursor.fetchone())


def export_csv(*, segment: Segment, now: datetime) -> Iterator[bytes]:
    """The end users with an external id, block by block; raises InvalidRules at the first one."""
    chosen, values = _chosen(segment, now)
    found = reachable(segment.brand_id)
    reached = f"u.id IN (SELECT {found.key} FROM {found.source.text} WHERE {found.where.text})"
    yield from _csv(
        _EXPORT.format(reached=reached, chosen=chosen),
        [*found.source.params, *found.where.params, segment.brand_id, *values],
    )


def unknown_csv(*, job: SegmentImport) -> Iterator[bytes]:
    """The ids of a file that no end user had, with their lines."""
    yield from _csv(_UNKNOWN, [job.pk])


def _chosen(segment: Segment, now: datetime) -> tuple[str, list[Any]]:
    if segment.kind == Segment.Kind.IMPORTED:
        return _LISTED, [segment.pk]
    rules = segment_rules(segment=segment)
    context = context_for(rules=rules, brand_id=segment.brand_id, now=now)
    sql, params = segment_queryset(rules=rules, context=context).order_by().values("pk").query.sql_with_params()
    return f"u.id IN ({sql})", list(params)


def _csv(sql: str, values: list[Any]) -> Iterator[bytes]:
    block = bytearray(_BOM)
    with connection.cursor() as cursor:
        statement = cursor.mogrify(sql, values)
        with cursor.copy(f"COPY ({statement}) TO STDOUT WITH (FORMAT csv, HEADER)") as copy:
            for data in copy:
                block += data
                if len(block) >= _BLOCK:
                    yield bytes(block)
                    block.clear()
    yield bytes(block)
