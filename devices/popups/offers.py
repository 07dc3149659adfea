"""Popup offers: leased to one tab, shown, answered."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from devices.delivery.models import PopupOffer
from devices.delivery.popup_outcomes import ASKED, OPEN, POPUP_OUTCOMES, in_sql
from devices.installations.models import Device
from smartpush.common.database import statements

LEASE = timedelta(seconds=45)
_OPEN = in_sql(OPEN)


@dataclass(frozen=True, slots=True)
class LeasedOffer:
    """An offer that one tab may show now; `content` is the dispatch's."""

    id: int
    expires_at: datetime
    content: Mapping[str, Any]


# Whom a popup of the dispatch `p` may not be put before: the end user `u` of the brand `b`. A question about permission
# is a wish to send, whatever its purpose.
POPUP_OPTED_OUT = """(u.never_contact OR ((u.platform_opt_out OR u.user_opt_out)
        AND (p.content->'primary'->>'kind' = 'permission'
             OR NOT (p.purpose = 'operational' AND b.operational_ignores_opt_out))))"""


def journey_offers_sql(*, source: str) -> str:
    """SQL that offers one popup for each row of `source` to whom no other is open; the source is ours, never input.

    Columns of the source: brand_id, dispatch_id, end_user_id, enrolment_id, step_seq, expires_at. Placeholder: now.
    Returns enrolment_id and expires_at of the offers that were made.
    """
    return f"""
  INSERT INTO devices_popupoffer (brand_id, dispatch_id, end_user_id, enrolment_id, step_seq, created_at, expires_at)
  SELECT brand_id, dispatch_id, end_user_id, enrolment_id, step_seq, %(now)s, expires_at
  FROM {source}
  ORDER BY end_user_id, enrolment_id
  ON CONFLICT DO NOTHING
  RETURNING enrolment_id, expires_at"""


# A poll from the tab that shows the popup leases nothing and keeps its lease.
_LEASE_SQL = f"""
WITH leased AS (
UPDATE devices_popupoffer o
SET state = CASE WHEN o.state = 'shown' THEN 'shown' ELSE 'leased' END,
    device_id = %(device)s, leased_tab = %(tab)s, leased_until = %(until)s
FROM devices_dispatch p, devices_brand b, devices_enduser u
WHERE o.id = (
    SELECT c.id FROM devices_popupoffer c
    WHERE c.end_user_id = %(end_user)s AND c.state IN {_OPEN} AND c.expires_at > %(now)s
      AND (c.state = 'pending' OR c.leased_until < %(now)s
           OR (c.device_id = %(device)s AND c.leased_tab = %(tab)s AND (c.state = 'leased' OR %(loading)s)))
    FOR UPDATE SKIP LOCKED LIMIT 1)
  AND p.id = o.dispatch_id AND p.state = 'running'
  AND b.id = o.brand_id AND b.sending_stopped_at IS NULL
  AND u.id = o.end_user_id AND NOT {POPUP_OPTED_OUT}
  AND (p.content->'primary'->>'kind' <> 'permission' OR EXISTS (
        SELECT 1 FROM devices_pushstatus s
        WHERE s.end_user_id = o.end_user_id AND s.device_id = %(device)s AND s.status = 'ask'))
RETURNING o.id, o.expires_at, p.content
), renewed AS (
UPDATE devices_popupoffer SET leased_until = %(until)s
WHERE end_user_id = %(end_user)s AND device_id = %(device)s AND leased_tab = %(tab)s AND state = 'shown'
  AND NOT EXISTS (SELECT 1 FROM leased)
)
SELECT id, expires_at, content FROM leased
"""


class _Leased(NamedTuple):
    id: int
    expires_at: datetime
    content: str


def offer_lease(
    *, end_user_id: int, device: Device, tab: str, now: datetime, loading: bool = False
) -> LeasedOffer | None:
    """Lease the end user's open offer to this tab for 45 s, or None.

    A popup that asks for permission is offered only where the pair is still at ask. Nobody who opted out gets one,
    except an operational one where the brand says so; nobody marked *never contact* gets any. A shown one is offered
    again when its tab went away unanswered: no sign of life for the lease, or the same tab loading a page (`loading`).
    """
    values = {
        "device": device.pk,
        "end_user": end_user_id,
        "tab": tab,
        "until": now + LEASE,
        "now": now,
        "loading": loading,
    }
    leased = statements.first(_Leased, _LEASE_SQL, values)
    if leased is None:
        return None
    # Django registers no jsonb loader on raw cursors: jsonb arrives as text.
    return LeasedOffer(id=leased.id, expires_at=leased.expires_at, content=json.loads(leased.content))


# Locked in the order of their ids, as whatever ends several offers.
_WITHDRAW_SQL = f"""
WITH withdrawn AS MATERIALIZED (
    SELECT o.id FROM devices_popupoffer o
    JOIN devices_dispatch p ON p.id = o.dispatch_id
    JOIN devices_brand b ON b.id = o.brand_id
    JOIN devices_enduser u ON u.id = o.end_user_id
    WHERE o.end_user_id = ANY(%(end_users)s) AND o.state IN {_OPEN} AND {POPUP_OPTED_OUT}
    ORDER BY o.id FOR UPDATE OF o)
UPDATE devices_popupoffer o SET state = 'cancelled', finished_at = %(now)s FROM withdrawn WHERE o.id = withdrawn.id
"""


def offers_withdraw(*, end_user_ids: Sequence[int], now: datetime) -> int:
    """End the open popups that these people may not be shown (any more); returns how many. A tab that shows one hears
    it from its next poll (`offer_withdrawn`)."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW_SQL, {"end_users": list(end_user_ids), "now": now})
        return int(cursor.rowcount)


def offer_withdrawn(*, offer_id: int, end_user_id: int) -> bool:
    """Return whether a popup that a tab shows was taken back: its person opted out, or its campaign was stopped."""
    return PopupOffer.objects.filter(pk=offer_id, end_user_id=end_user_id, state=PopupOffer.State.CANCELLED).exists()


def offer_shown(*, offer_id: int, end_user_id: int, device: Device, tab: str, now: datetime) -> bool:
    """The tab is about to draw it; False when the offer is not this tab's (any more)."""
    mine = PopupOffer.objects.filter(
        pk=offer_id, end_user_id=end_user_id, device_id=device.pk, leased_tab=tab, expires_at__gt=now
    )
    if mine.filter(state=PopupOffer.State.LEASED).update(
        state=PopupOffer.State.SHOWN, shown_at=now, leased_until=now + LEASE
    ):
        return True
    return bool(mine.filter(state=PopupOffer.State.SHOWN).update(leased_until=now + LEASE))


def offer_answer(*, offer_id: int, end_user_id: int, device: Device, outcome: str, now: datetime) -> bool:
    """Record the outcome; False when it was answered, expired or cancelled before, or is not this end user's."""
    if outcome not in POPUP_OUTCOMES:
        raise ValueError(outcome)
    changed = PopupOffer.objects.filter(
        Q(pk=offer_id, end_user_id=end_user_id, device_id=device.pk)
        & Q(state__in=[PopupOffer.State.LEASED, PopupOffer.State.SHOWN])
    ).update(state=outcome, finished_at=now, asked_at=now if outcome in ASKED else None)
    return bool(changed)


def offer_only_closes(*, offer_id: int) -> bool:
    """Return whether the first button of this popup closes it and is no click, whatever the page calls it."""
    return PopupOffer.objects.filter(pk=offer_id, dispatch__content__primary__kind="close").exists()


def offer_content(*, offer_id: int) -> Mapping[str, Any]:
    """What the popup of this offer said, as its dispatch carries it."""
    content: Mapping[str, Any] = PopupOffer.objects.values_list("dispatch__content", flat=True).get(pk=offer_id)
    return content


def offers_expire(*, now: datetime, limit: int = 5000) -> int:
    """End what nobody answered in time: shown ones had no answer, others expired unseen."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH due AS MATERIALIZED (
                SELECT id FROM devices_popupoffer
                WHERE state IN {_OPEN} AND expires_at <= %(now)s
                ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
            UPDATE devices_popupoffer o SET finished_at = %(now)s,
                state = CASE WHEN o.state = 'shown' THEN 'no_answer' ELSE 'expired' END
            FROM due WHERE o.id = due.id
            """,
            {"now": now, "limit": limit},
        )
        return int(cursor.rowcount)
