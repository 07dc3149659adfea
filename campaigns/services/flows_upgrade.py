"""Bring stored flows to the version that this code reads: drafts, their history, and the graphs of versions.

It goes in 0.5.0, with the release after the last that wrote version 1.
"""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from django.db import connection, transaction

from campaigns.journey.upgrade import draft_upgrade, graph_upgrade
from smartpush.common.database import statements

BATCH: Final = 500  # rows a transaction

# The next rows that hold a flow of version 1.
_NEXT = """
SELECT {key} AS pk, {column} AS flow FROM {table}
WHERE {column}->>'version' = '1' AND {key} > %(last)s
ORDER BY {key} LIMIT %(batch)s FOR NO KEY UPDATE
"""
# Write one of them.
_WRITE = "UPDATE {table} SET {column} = %(flow)s::jsonb WHERE {key} = %(key)s"
# Give the steps of a version their settings, which version 1 had in the graph alone.
_STEPS = """
UPDATE campaigns_versionstep s SET settings = g.value->'settings'
FROM campaigns_campaignversion v, jsonb_each(v.graph->'steps') g
WHERE v.id = %(key)s AND s.version_id = v.id AND s.key = g.key
"""
_FLOWS: Final[tuple[tuple[str, str, str, Callable[[Any], Any]], ...]] = (
    ("campaigns_campaign", "id", "flow", draft_upgrade),
    ("campaigns_historicalcampaign", "history_id", "flow", draft_upgrade),
    ("campaigns_campaignversion", "id", "graph", graph_upgrade),
)


class _Stored(NamedTuple):
    pk: int
    flow: str


def flows_upgrade(*, batch: int = BATCH) -> int:
    """Upgrade what is still of version 1 and return how many rows that were; a flow that cannot be read stays."""
    return sum(_upgrade(table, key, column, upgrade, batch) for table, key, column, upgrade in _FLOWS)


def _upgrade(table: str, key: str, column: str, upgrade: Callable[[Any], Any], batch: int) -> int:
    names = {"table": table, "key": key, "column": column}
    last, written = 0, 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            found = statements.rows(_Stored, _NEXT.format(**names), {"last": last, "batch": batch})
            for pk, text in found:
                flow = json.loads(text)
                upgraded = upgrade(flow)
                if upgraded != flow:
                    cursor.execute(_WRITE.format(**names), {"flow": json.dumps(upgraded), "key": pk})
                    written += 1
                    if column == "graph":
                        cursor.execute(_STEPS, {"key": pk})
        if len(found) < batch:
            return written
        last = found[-1].pk
