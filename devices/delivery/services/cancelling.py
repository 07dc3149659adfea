"""Cancelling what waits. Rows are locked in the order of their ids, as every bulk statement on deliveries does."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection


def _cancel(where: str, values: Mapping[str, Any], *, reason: str, now: datetime) -> int:
    sql = f"""
    WITH waiting AS MATERIALIZED (
        SELECT d.id, d.day FROM devices_delivery d WHERE d.state = 'ready' AND {where} ORDER BY d.id FOR UPDATE
    )
    UPDATE devices_delivery d SET state = 'cancelled', reason = %(reason)s, hold_reason = '', finished_at = %(now)s
    FROM waiting w WHERE d.id = w.id AND d.day = w.day
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {**values, "reason": reason, "now": now})
        return int(cursor.rowcount)


def device_cancel(*, device_id: int, reason: str, now: datetime, end_user_id: int | None = None) -> int:
    """Cancel what waits for a device (of one end user, if given); returns how many messages."""
    return _cancel(
        "d.device_id = %(device)s AND (%(end_user)s::bigint IS NULL OR d.end_user_id = %(end_user)s)",
        {"device": device_id, "end_user": end_user_id},
        reason=reason,
        now=now,
    )


def dispatches_cancel(*, dispatch_ids: list[int], reason: str, now: datetime) -> int:
    """Cancel what waits under these dispatches; returns how many messages."""
    return _cancel("d.dispatch_id = ANY(%(ids)s)", {"ids": dispatch_ids}, reason=reason, now=now)


def enrolments_deliveries_cancel(*, enrolment_ids: list[int], reason: str, now: datetime) -> int:
    """Cancel what waits for these enrolments; returns how many messages."""
    return _cancel("d.enrolment_id = ANY(%(ids)s)", {"ids": enrolment_ids}, reason=reason, now=now)


def requests_cancel(*, brand_id: int, request_id: int, reason: str, now: datetime) -> int:
    """Cancel what waits of one send outside journeys; returns how many messages."""
    return _cancel(
        "d.brand_id = %(brand)s AND d.request_id = %(request)s",
        {"brand": brand_id, "request": request_id},
        reason=reason,
        now=now,
    )


def end_users_cancel(*, end_user_ids: list[int], reason: str, now: datetime) -> int:
    """Cancel everything that waits for these end users; returns how many messages."""
    return _cancel("d.end_user_id = ANY(%(ids)s)", {"ids": end_user_ids}, reason=reason, now=now)
