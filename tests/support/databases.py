"""Databases that a test makes beside its own, and how they go."""

from typing import Any

# Of clients only: the server's own workers, such as autovacuum's, are not ours to end, and a plain DROP DATABASE ends
# them itself. WITH (FORCE) fails at them: "permission denied to terminate process".
_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def sessions_end(cursor: Any, *, name: str) -> None:
    """End what is connected to a database."""
    cursor.execute(_END_SESSIONS, [name])


def database_drop(cursor: Any, *, name: str) -> None:
    """Drop a database where there is one; who is connected to it is not asked."""
    sessions_end(cursor, name=name)
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')
