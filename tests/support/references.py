"""Count what refers to an end user."""

from django.db import connection


def references(end_user_id: int) -> dict[str, int]:
    """In which tables an end user still occurs, whatever the tables are."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT table_name, column_name FROM information_schema.columns
               WHERE table_schema = 'public' AND column_name IN ('end_user_id', 'holder_id', 'session_end_user_id')"""
        )
        found = {}
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{column}" = %s', [end_user_id])
            if count := cursor.fetchone()[0]:
                found[f"{table}.{column}"] = count
    return found
