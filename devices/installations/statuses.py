"""Write the push status of a pair (end user, device), with its history."""

from datetime import datetime

from django.db import connection

from devices.installations.models import Device
from devices.people.models import Status

HELD_BY_OTHER = "held_by_other"
"""The pair is suspended because the device's token is somebody else's."""

# The device is locked, so that nobody changes its pairs between `before` and the write.
_PAIR = """
WITH before AS (
  SELECT status FROM devices_pushstatus WHERE end_user_id = %(end_user)s AND device_id = %(device)s
),
pair AS (
  INSERT INTO devices_pushstatus AS p (brand_id, end_user_id, device_id, status, reason, since, reported_at)
  VALUES (%(brand)s, %(end_user)s, %(device)s, %(status)s, %(reason)s, %(now)s, %(now)s)
  ON CONFLICT (end_user_id, device_id) DO UPDATE SET
    status = EXCLUDED.status, reason = EXCLUDED.reason, reported_at = EXCLUDED.reported_at,
    since = CASE WHEN p.status = EXCLUDED.status THEN p.since ELSE EXCLUDED.since END
)"""
_HISTORY = """
INSERT INTO devices_pushstatuschange (end_user_id, device_id, old, new, reason, cause, at)
SELECT %(end_user)s, %(device)s, coalesce((SELECT status FROM before), ''), %(status)s, %(reason)s, %(cause)s, %(now)s
WHERE (SELECT status FROM before) IS DISTINCT FROM %(status)s
"""
_PAIR_SET = f"{_PAIR} {_HISTORY}"
_LAST_SESSION_SET = f"""{_PAIR}, history AS ({_HISTORY})
UPDATE devices_enduser
SET last_session_at = %(now)s, last_session_status = %(status)s, last_session_device_id = %(device)s
WHERE id = %(end_user)s
"""


def _pair_write(
    sql: str, *, end_user_id: int, device: Device, status: Status, reason: str, cause: str, now: datetime
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "brand": device.brand_id,
                "end_user": end_user_id,
                "device": device.pk,
                "status": str(status),
                "reason": reason,
                "cause": cause,
                "now": now,
            },
        )


def pair_set(*, end_user_id: int, device: Device, status: Status, reason: str, cause: str, now: datetime) -> None:
    """Write the state of one pair and, when it changed, a row of its history."""
    _pair_write(_PAIR_SET, end_user_id=end_user_id, device=device, status=status, reason=reason, cause=cause, now=now)


def session_pair_set(
    *, end_user_id: int, device: Device, status: Status, reason: str, cause: str, now: datetime
) -> None:
    """Write the state of one pair as `pair_set` does, and the end user's push status of the last session with it."""
    _pair_write(
        _LAST_SESSION_SET, end_user_id=end_user_id, device=device, status=status, reason=reason, cause=cause, now=now
    )
