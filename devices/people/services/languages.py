"""Bring the canonical language tags of stored rows up to date."""

import json
from typing import Final, NamedTuple

from django.db import connection, transaction

from smartpush.common.database import statements
from smartpush.common.language.languages import canonical

BATCH: Final = 1000  # rows a transaction
TABLES: Final = ("devices_enduser", "devices_device")
# Which tags are kept, with which canonical ones.
_PAIRS = "SELECT DISTINCT language, language_canonical FROM {table} WHERE language <> ''"
# The next rows of some tags, by id, held until they are written.
_NEXT = """
SELECT id, language FROM {table} WHERE id > %(last)s AND language = ANY(%(tags)s::text[])
ORDER BY id LIMIT %(batch)s FOR NO KEY UPDATE
"""
# Write the canonical tag of each of these rows, where it is another one.
_FILL = """
UPDATE {table} SET language_canonical = %(canonical)s::jsonb ->> language
WHERE id = ANY(%(ids)s::bigint[]) AND language_canonical IS DISTINCT FROM (%(canonical)s::jsonb ->> language)
"""


class _Tagged(NamedTuple):
    id: int
    language: str


def languages_refill(*, batch: int = BATCH) -> int:
    """Write canonical tags where they are missing or differ from what a tag means now; returns how many were written.

    Rows that the release before wrote during an upgrade have none, and a new CLDR may give a tag another meaning.
    """
    return sum(_refill(table, batch) for table in TABLES)


def _refill(table: str, batch: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS.format(table=table))
        wrong = {tag: canonical(tag) for tag, kept in cursor.fetchall() if kept != canonical(tag)}
    last, written = 0, 0
    while wrong:
        with transaction.atomic():
            values = {"last": last, "tags": list(wrong), "batch": batch}
            rows = statements.rows(_Tagged, _NEXT.format(table=table), values)
            if rows:
                last = rows[-1].id
                tags = json.dumps({row.language: wrong[row.language] for row in rows})
                ids = [row.id for row in rows]
                written += statements.written(_FILL.format(table=table), {"canonical": tags, "ids": ids})
        if len(rows) < batch:
            break
    return written
