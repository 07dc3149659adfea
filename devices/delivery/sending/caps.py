"""Frequency caps: one message is counted once for its end user and its brand, whatever number of devices it goes to.

Counters are locked in the order of (cap, end user, window) after the deliveries and before nothing else, so that
concurrent chunks wait for each other and never deadlock. What was read before a lock was had is read again after it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from devices.delivery.models import CapCounter
from smartpush.common.database import statements
from smartpush.common.time.wall_clock import instant_of

EVERYONE = 0  # the end user of a counter of the whole brand
KEEP = timedelta(days=9)  # longer than the longest window: a week in which clocks were put back


class Key(NamedTuple):
    """Which counter: of a cap, for one end user or EVERYONE, in the window that began then."""

    cap: int
    end_user: int
    began: datetime


class Message(NamedTuple):
    """What is counted once for all devices; 0 stands for none."""

    end_user: int
    enrolment: int
    step: int
    request: int

    @property
    def alone(self) -> bool:
        """Whether it belongs to no step and no request: nothing else is the same message."""
        return not (self.enrolment or self.step or self.request)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many messages of the dispatch's purpose in a period."""

    id: int
    scope: str
    period: str
    most: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A delivery that nothing else holds up, and the counters that it was counted in when it was tried before."""

    id: int
    message: Message
    counted: Sequence[int] | None


def window_start(*, period: str, at: datetime, zone: str) -> datetime:
    """The beginning (UTC) of the hour, or of the day or the week (from Monday) in `zone`, that holds the instant."""
    if period == "hour":
        return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    day = at.astimezone(ZoneInfo(zone)).date()
    if period == "week":
        day -= timedelta(days=day.weekday())
    return instant_of(wall=datetime.combine(day, time()), zone=zone)


# The update changes nothing: it is there to lock the row, and to answer with its count as it stands now.
_LOCK_SQL = """
INSERT INTO devices_capcounter AS c (cap_id, end_user_id, window_start, count)
SELECT k.cap, k.end_user, k.began, 0
FROM unnest(%(caps)s::bigint[], %(end_users)s::bigint[], %(begans)s::timestamptz[]) AS k(cap, end_user, began)
ORDER BY 1, 2, 3
ON CONFLICT (cap_id, end_user_id, window_start) DO UPDATE SET count = c.count
RETURNING id, cap_id, end_user_id, window_start, count AS counted
"""

_COUNTED_SQL = """
SELECT d.end_user_id AS end_user, coalesce(d.enrolment_id, 0) AS enrolment, coalesce(d.step_seq, 0) AS step,
       coalesce(d.request_id, 0) AS request, d.counted
FROM devices_delivery d
WHERE d.day = %(day)s AND d.counted IS NOT NULL AND d.{column} = ANY(%(ids)s)
"""

_SET_SQL = """
UPDATE devices_capcounter c SET count = v.count
FROM unnest(%(ids)s::bigint[], %(counts)s::int[]) AS v(id, count) WHERE c.id = v.id
"""


class _Counter(NamedTuple):
    id: int
    cap_id: int
    end_user_id: int
    window_start: datetime
    counted: int


def _locked(keys: Iterable[Key]) -> dict[Key, _Counter]:
    """Lock the counters of these keys, made where missing."""
    ordered = sorted(set(keys))
    values = {
        "caps": [key.cap for key in ordered],
        "end_users": [key.end_user for key in ordered],
        "begans": [key.began for key in ordered],
    }
    found = statements.rows(_Counter, _LOCK_SQL, values)
    return {Key(row.cap_id, row.end_user_id, row.window_start): row for row in found}


class _Counted(NamedTuple):
    end_user: int
    enrolment: int
    step: int
    request: int
    counted: list[int]


def _counted(*, day: date, messages: Collection[Message]) -> dict[Message, list[int]]:
    """Which of these messages were counted already, when they went to another device of the same end user."""
    found: dict[Message, list[int]] = {}
    of_steps = {message.enrolment for message in messages}
    of_requests = {message.request for message in messages}
    for column, ids in (("enrolment_id", of_steps - {0}), ("request_id", of_requests - {0})):
        if not ids:
            continue
        rows = statements.rows(_Counted, _COUNTED_SQL.format(column=column), {"day": day, "ids": sorted(ids)})
        found |= {Message(row.end_user, row.enrolment, row.step, row.request): row.counted for row in rows}
    return found


def caps_take(
    *,
    caps: Sequence[Cap],
    zone: str,
    day: date,
    candidates: Sequence[Candidate],
    released: Collection[int],
    now: datetime,
) -> dict[int, list[int] | None]:
    """Count what may go, in the order given: delivery id to the counters that it is counted in, None over a cap.

    What was counted before (an earlier try, another device of the end user) goes without being counted again. The
    counters in `released` are locked along with the others, for a `caps_refund` in the same transaction.
    """
    taken: dict[int, list[int] | None] = {c.id: list(c.counted) for c in candidates if c.counted is not None}
    fresh = [candidate for candidate in candidates if candidate.counted is None]
    keys = _Keys(caps, zone=zone, now=now)
    wanted = {key for candidate in fresh for key in keys.of(candidate.message)}
    if released:
        rows = CapCounter.objects.filter(pk__in=released).values_list("cap_id", "end_user_id", "window_start")
        wanted.update(Key(*row) for row in rows)
    if not wanted:
        return taken
    counters = _locked(wanted)
    if not fresh:
        return taken
    return taken | _count(fresh, keys=keys, counters=counters, day=day)


class _Keys:
    """The counters that a message falls under, one for each cap, in their order."""

    def __init__(self, caps: Sequence[Cap], *, zone: str, now: datetime) -> None:
        self.caps = caps
        self._starts = {cap.period: window_start(period=cap.period, at=now, zone=zone) for cap in caps}

    def of(self, message: Message) -> list[Key]:
        return [
            Key(cap.id, message.end_user if cap.scope == "end_user" else EVERYONE, self._starts[cap.period])
            for cap in self.caps
        ]


def _count(
    fresh: Sequence[Candidate], *, keys: _Keys, counters: Mapping[Key, _Counter], day: date
) -> dict[int, list[int] | None]:
    """Count those that fit under all caps, each message once, and write the counters that changed."""
    counted = _counted(day=day, messages={candidate.message for candidate in fresh})
    known: dict[Message, list[int] | None] = dict(counted)
    before = {row.id: row.counted for row in counters.values()}
    counts = dict(before)
    taken: dict[int, list[int] | None] = {}
    for candidate in fresh:
        message = candidate.message
        if message.alone or message not in known:
            ids = [counters[key].id for key in keys.of(message)]
            fits = all(counts[pk] < cap.most for pk, cap in zip(ids, keys.caps, strict=True))
            if fits:
                for pk in ids:
                    counts[pk] += 1
            known[message] = ids if fits else None
        taken[candidate.id] = known[message]
    changed = sorted(pk for pk, count in counts.items() if count != before[pk])
    if changed:
        statements.written(_SET_SQL, {"ids": changed, "counts": [counts[pk] for pk in changed]})
    return taken


# A message is given back once, by the last of its deliveries that failed: while another of them waits, is on the wire
# or may have been shown, it stays counted.
_REFUND_SQL = """
WITH ended AS MATERIALIZED (
    SELECT d.id, d.end_user_id, d.enrolment_id, d.step_seq, d.request_id, d.counted FROM devices_delivery d
    WHERE d.id = ANY(%(ids)s) AND d.day = %(day)s AND d.counted IS NOT NULL
), cleared AS (
    UPDATE devices_delivery d SET counted = NULL FROM ended e WHERE d.id = e.id AND d.day = %(day)s
), given AS (
    SELECT DISTINCT n.counter, e.end_user_id, e.enrolment_id, e.step_seq, e.request_id,
           CASE WHEN e.enrolment_id IS NULL AND e.request_id IS NULL THEN e.id END AS alone
    FROM ended e CROSS JOIN unnest(e.counted) AS n(counter)
    WHERE NOT EXISTS (
        SELECT 1 FROM devices_delivery s
        WHERE s.day = %(day)s AND s.id <> ALL(%(ids)s) AND s.end_user_id = e.end_user_id
          AND s.state IN ('ready', 'sending', 'accepted', 'unknown') AND s.counted @> ARRAY[n.counter]
          AND ((s.enrolment_id = e.enrolment_id AND s.step_seq = e.step_seq) OR s.request_id = e.request_id))
)
UPDATE devices_capcounter c SET count = greatest(c.count - g.messages, 0)
FROM (SELECT counter, count(*) AS messages FROM given GROUP BY counter) g WHERE c.id = g.counter
"""


def caps_refund(*, day: date, counted: Mapping[int, Sequence[int]]) -> None:
    """Give back what deliveries that ended without being sent were counted in: delivery id to its counters."""
    if not counted:
        return
    counters = sorted({counter for ids in counted.values() for counter in ids})
    list(
        CapCounter.objects.filter(pk__in=counters)
        .order_by("cap_id", "end_user_id", "window_start")
        .select_for_update()
        .values_list("pk")
    )
    statements.written(_REFUND_SQL, {"ids": sorted(counted), "day": day})


def counters_remove_old(*, now: datetime) -> int:
    """Remove the counters of windows that are over; returns how many."""
    removed, _ = CapCounter.objects.filter(window_start__lt=now - KEEP).delete()
    return removed
