"""What devices report of a delivery: displayed, clicked, closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from smartpush.common.database import statements
from smartpush.common.ids import read_report_token


@dataclass(frozen=True, slots=True)
class Receipt:
    """One report; `token` is the only proof that it needs."""

    token: str
    kind: str
    at: datetime
    action: str = ""


_SQL = """
WITH told AS MATERIALIZED (
    SELECT DISTINCT ON (id, day) * FROM unnest(%(ids)s::bigint[], %(days)s::date[], %(ats)s::timestamptz[],
        %(actions)s::text[]) AS t(id, day, at, action) ORDER BY id, day, at
), mine AS MATERIALIZED (  -- locked in the order of ids: the workers' result writes come across the same rows
    SELECT d.id, d.day, t.at, t.action FROM devices_delivery d JOIN told t ON t.id = d.id AND t.day = d.day
    WHERE d.tries > 0 ORDER BY d.id FOR UPDATE OF d
)
UPDATE devices_delivery d SET
    displayed_at = CASE WHEN %(kind)s IN ('displayed', 'clicked') THEN least(coalesce(d.displayed_at, r.at), r.at)
                        ELSE d.displayed_at END,
    clicked_at = CASE WHEN %(kind)s = 'clicked' THEN coalesce(d.clicked_at, r.at) ELSE d.clicked_at END,
    clicked_action = CASE WHEN %(kind)s = 'clicked' AND d.clicked_at IS NULL THEN r.action ELSE d.clicked_action END,
    closed_at = CASE WHEN %(kind)s = 'closed' THEN coalesce(d.closed_at, r.at) ELSE d.closed_at END,
    state = CASE WHEN d.state = 'unknown' OR (d.state = 'ready' AND d.tries > 0) THEN 'accepted' ELSE d.state END,
    reason = CASE WHEN d.state = 'unknown' OR (d.state = 'ready' AND d.tries > 0) THEN 'seen_on_device'
                  ELSE d.reason END,
    -- what has arrived waits for nothing
    hold_reason = CASE WHEN d.state = 'unknown' OR (d.state = 'ready' AND d.tries > 0) THEN '' ELSE d.hold_reason END,
    finished_at = coalesce(d.finished_at, CASE WHEN d.state <> 'sending' THEN %(now)s::timestamptz END)
FROM mine r
WHERE d.id = r.id AND d.day = r.day
"""


class _Report(NamedTuple):
    """What one receipt says of a delivery."""

    id: int
    day: date
    kind: str
    at: datetime
    action: str


def receipts_record(*, receipts: Sequence[Receipt], now: datetime) -> int:
    """Record reports, each once; unknown tokens are left out. Times outside the last 30 days become now.

    A report about a message whose sending was unsure settles it: it arrived, so it is not sent again.
    """
    reports = []
    for receipt in receipts:
        known = read_report_token(receipt.token)
        if known is None:
            continue
        at = receipt.at if now - timedelta(days=30) <= receipt.at <= now else now
        reports.append(_Report(*known, receipt.kind, at, receipt.action[:32]))
    changed = 0
    for kind in ("displayed", "clicked", "closed"):
        mine = [report for report in reports if report.kind == kind]
        if not mine:
            continue
        values = {
            "ids": [report.id for report in mine],
            "days": [report.day for report in mine],
            "ats": [report.at for report in mine],
            "actions": [report.action for report in mine],
        }
        changed += statements.written(_SQL, {**values, "kind": kind, "now": now})
    return changed
