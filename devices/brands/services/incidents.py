"""Opening and closing incidents. One row a trouble, however often and by however many processes it is noted."""

from datetime import datetime
from typing import Any, NamedTuple

import structlog

from devices.brands.selectors.incidents import TEXTS
from smartpush.common.database import statements

log = structlog.get_logger(__name__)

# Open an incident, or add to the open one. `xmax = 0` holds for a row that this statement inserted.
_NOTE_SQL = """
INSERT INTO devices_incident AS i (brand_id, kind, subject, detail, count, since, last_at, created_at)
VALUES (%(brand)s, %(kind)s, %(subject)s, %(detail)s, %(count)s, %(now)s, %(now)s, %(now)s)
ON CONFLICT (coalesce(brand_id, 0), kind, subject) WHERE until IS NULL DO UPDATE
SET count = i.count + excluded.count, last_at = greatest(i.last_at, excluded.last_at),
    detail = CASE WHEN excluded.detail = '' THEN i.detail ELSE excluded.detail END
RETURNING xmax = 0 AS opened
"""

# Close the open incident, if there is one.
_END_SQL = """
UPDATE devices_incident SET until = greatest(%(now)s, since)
WHERE coalesce(brand_id, 0) = coalesce(%(brand)s, 0) AND kind = %(kind)s AND subject = %(subject)s AND until IS NULL
RETURNING id
"""

# Close the open incidents of a kind that were not noted for its quiet time; over since they were noted last. One about
# a push service stays as long as it holds our key: nothing is sent then that it could refuse.
_QUIET_SQL = """
UPDATE devices_incident i SET until = i.last_at
FROM unnest(%(kinds)s::text[], %(before)s::timestamptz[]) AS q(kind, before)
WHERE i.kind = q.kind AND i.until IS NULL AND i.last_at < q.before AND NOT EXISTS (
    SELECT 1 FROM devices_sendbudget b
    WHERE b.brand_id = i.brand_id AND b.kind <> '' AND b.held_until > %(now)s
      AND (b.origin = i.subject OR (b.origin = 'fcm' AND i.subject LIKE 'fcm:%%')))
RETURNING i.kind, i.brand_id, i.subject
"""


def incident_note(
    *, kind: str, brand_id: int | None, subject: str, now: datetime, count: int = 1, detail: str = ""
) -> None:
    """Open the incident of this kind, brand and subject, or count `count` more in the open one.

    The log tells of the opening once. `brand_id` None means the whole installation.
    """
    values = {
        "kind": kind,
        "brand": brand_id,
        "subject": subject[:255],
        "detail": detail[:500],
        "count": count,
        "now": now,
    }
    if statements.value(_NOTE_SQL, values):
        log.error("incident_opened", kind=kind, brand=brand_id, subject=subject, detail=detail)


def incident_end(*, kind: str, brand_id: int | None, subject: str, now: datetime) -> bool:
    """Close the open incident; says whether there was one."""
    values = {"kind": kind, "brand": brand_id, "subject": subject[:255], "now": now}
    ended = statements.value(_END_SQL, values) is not None
    if ended:
        log.info("incident_closed", kind=kind, brand=brand_id, subject=subject)
    return ended


class _Closed(NamedTuple):
    kind: str
    brand_id: int | None
    subject: str


def incidents_close_quiet(*, now: datetime) -> int:
    """Close what was not noted again for the quiet time of its kind; returns how many."""
    values: dict[str, Any] = {
        "kinds": list(TEXTS),
        "before": [now - text.quiet for text in TEXTS.values()],
        "now": now,
    }
    closed = statements.rows(_Closed, _QUIET_SQL, values)
    for one in closed:
        log.info("incident_closed", kind=one.kind, brand=one.brand_id, subject=one.subject)
    return len(closed)
