"""Archiving a website or app: nothing is taken from it or sent to it, nothing of it is lost, and it can be restored.

Its devices' tokens are set aside, so that every count of who can be reached agrees. That goes by slices of devices, in
the transaction of each its place is kept, and the ticker goes on with what is left. The gate refuses an archived app's
devices from the first moment, whichever slice they are in.
"""

import time
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from devices.brands.models import App
from devices.installations.tokens import APP_ARCHIVED
from smartpush.common.database import statements

SLICE = 5_000
"""Ids of devices looked at in one transaction."""

# Devices are locked by id, as everywhere (docs/adr/0010). What follows is asked by arrays of ids: the statistics of a
# table that has just grown make a join with the locked rows a walk over the table for each of them.
_LIVE_SQL = """
SELECT v.id FROM devices_device v
WHERE v.id > %(after)s AND v.id <= %(upto)s AND v.app_id = %(app)s AND v.token_hash IS NOT NULL
ORDER BY v.id FOR NO KEY UPDATE
"""
_ASIDE_SQL = """
WITH closed AS (
    UPDATE devices_tokenholding SET until = %(now)s, ended = %(reason)s
    WHERE device_id = ANY(%(ids)s) AND until IS NULL
)
UPDATE devices_device SET token_hash = NULL, unreachable_reason = %(reason)s, unreachable_at = %(now)s
WHERE id = ANY(%(ids)s)
"""

_HASH = "encode(sha256(convert_to(CASE v.platform WHEN 'web' THEN v.endpoint ELSE v.native_token END, 'UTF8')), 'hex')"
_SET_ASIDE_SQL = f"""
SELECT v.id AS device_id, {_HASH} AS token_hash, v.last_seen_at FROM devices_device v
WHERE v.id > %(after)s AND v.id <= %(upto)s AND v.app_id = %(app)s AND v.token_hash IS NULL
  AND v.unreachable_reason = %(reason)s AND v.holder_id IS NOT NULL
  AND CASE v.platform WHEN 'web' THEN v.endpoint ELSE v.native_token END <> ''
ORDER BY v.id FOR NO KEY UPDATE
"""
_TAKEN_SQL = "SELECT token_hash FROM devices_device WHERE brand_id = %(brand)s AND token_hash = ANY(%(tokens)s)"
_BACK_SQL = f"""
WITH back AS (
    UPDATE devices_device v SET token_hash = {_HASH}, unreachable_reason = '', unreachable_at = NULL
    WHERE v.id = ANY(%(ids)s)
    RETURNING v.id, v.holder_id, v.token_hash
)
INSERT INTO devices_tokenholding (device_id, end_user_id, token_hash, since, ended)
SELECT id, holder_id, token_hash, %(now)s, '' FROM back
"""


def app_archive(*, app: App, now: datetime) -> None:
    """Put a website or app away: its calls are refused within two seconds, and nothing is sent to its devices."""
    _turn(app, archived_at=now)


def app_restore(*, app: App) -> None:
    """Use it again: its calls are taken, and devices whose push address still works are reached again."""
    _turn(app, archived_at=None)


@transaction.atomic
def _turn(app: App, *, archived_at: datetime | None) -> None:
    held = App.objects.select_for_update().get(pk=app.pk)
    app.archived_at, app.tokens_pending, app.tokens_upto = held.archived_at, held.tokens_pending, held.tokens_upto
    if (held.archived_at is None) == (archived_at is None):
        return
    app.archived_at, app.tokens_pending, app.tokens_upto = archived_at, True, 0
    app.save(update_fields=["archived_at", "tokens_pending", "tokens_upto"])


def tokens_follow(*, now: datetime, seconds: float = 0.3) -> int:
    """Set aside, or take back, tokens of apps that were archived or restored; return how many slices were done.

    It ends after so many seconds, and goes on where it was when it is called again.
    """
    until = time.monotonic() + seconds
    slices = 0
    while _slice(now):
        slices += 1
        if time.monotonic() >= until:
            break
    return slices


@transaction.atomic
def _slice(now: datetime) -> bool:
    pending = App.objects.filter(tokens_pending=True).order_by("pk")
    app = pending.select_for_update(skip_locked=True, no_key=True).first()
    if app is None:
        return False
    last = int(statements.value("SELECT coalesce(max(id), 0) FROM devices_device"))
    values: dict[str, Any] = {
        "app": app.pk, "brand": app.brand_id, "after": app.tokens_upto, "upto": app.tokens_upto + SLICE,
        "reason": APP_ARCHIVED, "now": now,
    }  # fmt: skip
    (_take_back if app.archived_at is None else _set_aside)(values)
    app.tokens_upto += SLICE
    app.tokens_pending = app.tokens_upto < last
    app.save(update_fields=["tokens_upto", "tokens_pending"])
    return True


def _set_aside(values: dict[str, Any]) -> None:
    if ids := statements.column(_LIVE_SQL, values):
        statements.written(_ASIDE_SQL, {**values, "ids": ids})


class _SetAside(NamedTuple):
    device_id: int
    token_hash: str
    last_seen_at: datetime


def _take_back(values: dict[str, Any]) -> None:
    """Give one device a token, the one seen last; a token that another device has meanwhile stays where it is."""
    found = statements.rows(_SetAside, _SET_ASIDE_SQL, values)
    latest = {row.token_hash: row.device_id for row in sorted(found, key=lambda row: row.last_seen_at)}
    if not latest:
        return
    for token in statements.column(_TAKEN_SQL, {**values, "tokens": list(latest)}):
        del latest[token]
    statements.written(_BACK_SQL, {**values, "ids": sorted(latest.values())})
