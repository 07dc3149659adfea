"""Keep which origins were refused, cheaply: anybody may send any Origin header, as often as they like.

A process writes an origin once a minute at most, and all of a brand's together `WRITES_A_MINUTE` times; a brand keeps
`MOST` of them, and none for longer than `KEEP`. What is no origin that a website could have is never kept.
"""

import threading
import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from devices.brands.models import RefusedOrigin
from smartpush.common.addresses.origins import NO_ORIGIN, normal_origin
from smartpush.common.calls.limits import limit_exceeded
from smartpush.common.database.advisory_locks import refused_origins_hold_try

MOST = 20
LONGEST = 255  # characters
KEEP = timedelta(days=7)
WRITES_A_MINUTE = 30
PAUSE = 60.0  # seconds between two writings of an origin by one process
_MOST_COUNTED = 1_000

_counting = threading.Lock()
_counted: dict[tuple[int, str], tuple[float, int]] = {}
"""By brand and origin: when this process wrote it last, and how many calls it has counted since then."""

_WRITE_SQL = """
INSERT INTO devices_refusedorigin AS kept (brand_id, origin, count, last_at)
VALUES (%(brand)s, %(origin)s, %(count)s, date_trunc('hour', %(now)s::timestamptz, 'UTC'))
ON CONFLICT (brand_id, origin) DO UPDATE
SET count = kept.count + excluded.count, last_at = greatest(kept.last_at, excluded.last_at)
"""
# The one just written stays; of the others go those that were refused least, then the oldest.
_BOUND_SQL = """
DELETE FROM devices_refusedorigin WHERE id IN (
    SELECT id FROM devices_refusedorigin WHERE brand_id = %(brand)s AND origin <> %(origin)s
    ORDER BY count DESC, last_at DESC, id DESC OFFSET %(others)s
)
"""


def origin_refused(*, brand_id: int, origin: str, now: datetime) -> bool:
    """Note that a call was refused for its origin; returns whether that was written."""
    spelled = origin if origin == NO_ORIGIN else normal_origin(origin)
    # An Origin header is written as browsers write it, or no browser sent it.
    if spelled != origin or len(origin) > LONGEST:
        return False
    count = _due(brand_id, origin)
    if not count:
        return False
    if limit_exceeded(scope="refused-origins", key=str(brand_id), per_minute=WRITES_A_MINUTE) is not None:
        return False
    values: dict[str, Any] = {"brand": brand_id, "origin": origin, "count": count, "now": now, "others": MOST - 1}
    with transaction.atomic(), connection.cursor() as cursor:
        # Two processes never wait for each other: while one writes for a brand, the others go on counting.
        if not refused_origins_hold_try(brand_id=brand_id):
            return False
        cursor.execute(_WRITE_SQL, values)
        cursor.execute(_BOUND_SQL, values)
    return True


def _due(brand_id: int, origin: str) -> int:
    """Count the call; returns how many there are to write, 0 while this process wrote it less than a minute ago."""
    key, at = (brand_id, origin), time.monotonic()
    with _counting:
        written, count = _counted.get(key, (at - PAUSE, 0))
        due = at - written >= PAUSE
        if key not in _counted and len(_counted) >= _MOST_COUNTED:
            _counted.clear()
        _counted[key] = (at, 0) if due else (written, count + 1)
    return count + 1 if due else 0


def refused_origins_forget_old(*, now: datetime) -> int:
    """Remove those that were not refused for a week; returns how many."""
    removed, _ = RefusedOrigin.objects.filter(last_at__lt=now - KEEP).delete()
    return removed
