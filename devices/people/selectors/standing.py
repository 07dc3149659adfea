"""Split Ask, in counts and lists, into people who visited and were not asked yet and people who never visited.

A person is at Ask from the moment that the brand's server names them, but only a page or an app can ask them: of a
million uploaded people nobody is prompted before they come. The stored status stays `ask`.
"""

from collections.abc import Mapping

from django.db import connection
from django.db.models import Q, TextChoices

from devices.people.models import EndUser, Status


class Standing(TextChoices):
    """The push status of the last session as it is counted."""

    ASK_VISITED = "ask_visited", "Ask: visited, not asked yet"
    ASK_NEVER_VISITED = "ask_never_visited", "Ask: never visited"
    ALLOWED = "allowed", str(Status.ALLOWED.label)
    BLOCKED = "blocked", str(Status.BLOCKED.label)
    NOT_SUPPORTED = "not_supported", str(Status.NOT_SUPPORTED.label)
    SUSPENDED = "suspended", str(Status.SUSPENDED.label)


# The two halves of Ask as conditions on a row `u` of devices_enduser. The second is spelt as the condition of the
# index devices_enduser_never_visited.
HALVES_OF_ASK: Mapping[str, str] = {
    Standing.ASK_VISITED: "u.last_session_status = 'ask' AND u.last_session_at IS NOT NULL",
    Standing.ASK_NEVER_VISITED: "u.last_session_status = 'ask' AND u.last_session_at IS NULL",
}

# Count a brand's people by status, and those who never visited, as of one moment. Both parts read an index alone:
# testing last_session_at in the first one would read the rows of a million people.
_COUNT_SQL = f"""
SELECT u.last_session_status, count(*) FROM devices_enduser u WHERE u.brand_id = %(brand)s GROUP BY 1
UNION ALL
SELECT 'ask_never_visited', count(*) FROM devices_enduser u
WHERE u.brand_id = %(brand)s AND {HALVES_OF_ASK[Standing.ASK_NEVER_VISITED]}
"""


def standing_of(*, end_user: EndUser) -> Standing:
    """Return the standing of one person."""
    if end_user.last_session_status != Status.ASK:
        return Standing(end_user.last_session_status)
    return Standing.ASK_NEVER_VISITED if end_user.last_session_at is None else Standing.ASK_VISITED


def standing_filter(*, value: str) -> Q:
    """Return the condition on EndUser of a standing, or of a status: `ask` is both halves."""
    if value in HALVES_OF_ASK:
        never = value == Standing.ASK_NEVER_VISITED
        return Q(last_session_status=Status.ASK, last_session_at__isnull=never)
    return Q(last_session_status=value)


def standings_counted(*, brand_id: int) -> dict[Standing, int]:
    """Count a brand's people by standing, in the order of the standings (one query)."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_SQL, {"brand": brand_id})
        found = dict(cursor.fetchall())
    never = found.get(Standing.ASK_NEVER_VISITED, 0)
    found[Standing.ASK_VISITED] = found.get(Status.ASK, 0) - never
    return {standing: found.get(standing, 0) for standing in Standing}
