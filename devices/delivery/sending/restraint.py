"""Apply quiet hours and frequency caps to rows that nothing else holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from devices.delivery.sending.caps import Candidate, Cap, Message, caps_take
from devices.delivery.sending.quiet_hours import QuietHours, opening, zone_choose

# A row that waits for one of these was not sent by its last try; after any other, it may have been. Without a reason
# it was taken back before it left.
NOT_SENT = frozenset({"", "retry", "throttled", "breaker", "failing", "moved", "template_time"})


class Action(StrEnum):
    """What the gate does with a row; the reason says why."""

    SEND = "send"
    HOLD = "hold"
    CANCEL = "cancel"
    EXPIRE = "expire"
    SUPPRESS = "suppress"


@dataclass(slots=True)
class GatedRow:
    """A locked row with the gate's verdict so far, and what quiet hours and caps need to change it."""

    id: int
    action: str
    reason: str
    held_until: datetime | None
    counted: Sequence[int] | None
    hold_reason: str
    expires_at: datetime
    user_zone: str | None
    device_zone: str | None
    end_user_id: int
    enrolment_id: int | None
    step_seq: int | None
    request_id: int | None


def restrain(
    *,
    rows: Sequence[GatedRow],
    day: date,
    zone: str,
    quiet: QuietHours | None,
    caps: Sequence[Cap],
    now: datetime,
) -> dict[int, Sequence[int]]:
    """Apply quiet hours to the rows that may go, then count those left against the caps; changes their verdicts.

    `zone` is the brand's. Answers with what must be given back for rows that end here after an earlier try was
    counted: delivery id to counters, locked already.
    """
    if quiet is not None:
        _gate_quiet_hours(rows, quiet=quiet, zone=zone, now=now)
    refunds: dict[int, Sequence[int]] = {
        row.id: row.counted
        for row in rows
        if row.counted and row.hold_reason in NOT_SENT and row.action not in (Action.SEND, Action.HOLD)
    }
    if not caps:
        return refunds
    taken = caps_take(
        caps=caps,
        zone=zone,
        day=day,
        candidates=[
            Candidate(
                row.id,
                Message(row.end_user_id, row.enrolment_id or 0, row.step_seq or 0, row.request_id or 0),
                row.counted,
            )
            for row in rows
            if row.action == Action.SEND
        ],
        released={counter for ids in refunds.values() for counter in ids},
        now=now,
    )
    for row in rows:
        if row.id in taken:
            row.counted = taken[row.id]
            if row.counted is None:
                row.action, row.reason = Action.SUPPRESS, "frequency_cap"
    return refunds


def _gate_quiet_hours(rows: Sequence[GatedRow], *, quiet: QuietHours, zone: str, now: datetime) -> None:
    openings: dict[str, datetime | None] = {}  # once for each zone, however many live there
    for row in rows:
        if row.action != Action.SEND:
            continue
        there = zone_choose(row.user_zone, row.device_zone, zone)
        if there not in openings:
            openings[there] = opening(quiet=quiet, at=now, zone=there)
        opens = openings[there]
        if opens is None:
            continue
        if quiet.policy == "skip":
            row.action, row.reason = Action.SUPPRESS, "quiet_hours"
        else:
            row.action, row.reason = Action.HOLD, "quiet_hours"
            row.held_until = min(opens, row.expires_at)  # a row that expires first is claimed then, and ends as expired
