"""Archiving a website or app: nothing is taken from it or sent to it, nothing of it is lost, and it can be restored.

Its devices' tokens are set aside, so that every count of who can be reached agrees. That goes by slices of devices, in
the transaction of each its place is kept, and the ticker goes on with what is left. The gate refuses an archived app's
devices from the first moment, whichever slice they are in.
"""

import time
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from devices.models import App
from devices.services.statuses import APP_ARCHIVED

SLICE = 5_000
"""Ids of devices looked at in one transaction."""

# Devices are locked by id, as everywhere (docs/adr/0010).
_ASIDE_SQL = """
WITH held AS MATERIALIZED (
    SELECT v.id FROM devices_device v
    WHERE v.id > %(after)s AND v.id <= %(upto)s AND v.app_id = %(app)s AND v.token_hash IS NOT NULL
    ORDER BY v.id FOR NO KEY UPDATE
), closed AS (
    UPDATE devices_tokenholding h SET until = %(now)s, ended = %(reason)s
    FROM held WHERE h.device_id = held.id AND h.until IS NULL
)
UPDATE devices_device v SET token_hash = NULL, unreachable_reason = %(reason)s, unreachable_at = %(now)s
FROM held WHERE v.id = held.id
"""

# One device a token, the one seen last; a token that another device has meanwhile stays where it is.
_BACK_SQL = """
WITH aside AS MATERIALIZED (
    SELECT v.id, v.holder_id, v.last_seen_at,
           encode(sha256(convert_to(CASE v.platform WHEN 'web' THEN v.endpoint ELSE v.native_token END, 'UTF8')),
                  'hex') AS token_hash
    FROM devices_device v
    WHERE v.id > %(after)s AND v.id <= %(upto)s AND v.app_id = %(app)s AND v.token_hash IS NULL
      AND v.unreachable_reason = %(reason)s AND v.holder_id IS NOT NULL
      AND CASE v.platform WHEN 'web' THEN v.endpoint ELSE v.native_token END <> ''
    ORDER BY v.id FOR NO KEY UPDATE
), one AS (
    SELECT DISTINCT ON (token_hash) id, token_hash FROM aside ORDER BY token_hash, last_seen_at DESC
), back AS (
    UPDATE devices_device v SET token_hash = o.token_hash, unreachable_reason = '', unreachable_at = NULL
    FROM one o
    -- A probe for each: as an anti-join, stale statistics made it a walk over the brand's devices for each.
    WHERE v.id = o.id AND (
        SELECT x.id FROM devices_device x WHERE x.brand_id = %(brand)s AND x.token_hash = o.token_hash LIMIT 1) IS NULL
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
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM devices_device")
        last = int(cursor.fetchone()[0])
        values: dict[str, Any] = {
            "app": app.pk, "brand": app.brand_id, "after": app.tokens_upto, "upto": app.tokens_upto + SLICE,
            "reason": APP_ARCHIVED, "now": now,
        }  # fmt: skip
        cursor.execute(_BACK_SQL if app.archived_at is None else _ASIDE_SQL, values)
    app.tokens_upto += SLICE
    app.tokens_pending = app.tokens_upto < last
    app.save(update_fields=["tokens_upto", "tokens_pending"])
    return True
