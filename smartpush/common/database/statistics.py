"""The planner's statistics, before a large set statement: after a bulk load they still describe an empty table."""

from collections.abc import Sequence

from django.db import connection

from smartpush.common.database import statements

_STALE = """
SELECT relname FROM pg_stat_user_tables
WHERE schemaname = current_schema() AND relname = ANY(%s) AND n_mod_since_analyze > 500 + n_live_tup / 10
"""


def statistics_refresh(*, tables: Sequence[str]) -> list[str]:
    """Analyse those of our tables that changed by a tenth since they were last looked at; returns which.

    Autovacuum does the same a minute later. Until then a join of 2,000 end users was seen to take 5 s as a nested loop
    instead of 20 ms, and it grows with the square.
    """
    stale = sorted(statements.column(_STALE, [list(tables)]))
    if stale:
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(stale)}")  # names from the catalogue, among those that we asked for
    return stale
