"""Dates of rules as half-open windows of instants, in the brand's time zone or in each end user's own.

Minutes and hours are exact durations. Days, weeks and months go by wall clock: the same time of day so many days
back; a month that is too short ends on its last day; a time that the clocks skipped moves on to the next valid instant,
one that they show twice is the first.
"""

import calendar
import functools
import json
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from segments.conditions import Context
from segments.sql import TRUE, Sql, fill
from segments.values import BadValue
from smartpush.common.time.wall_clock import instant_of, zone_of

UNITS: Mapping[str, str] = {"minute": "minutes", "hour": "hours", "day": "days", "week": "weeks", "month": "months"}
CURRENT: Mapping[str, str] = {"day": "day", "week": "week", "month": "month"}
ZONES: Mapping[str, str] = {"brand": "the brand's time", "user": "the end user's own time"}
_MOST = {"minute": 525_600, "hour": 87_600, "day": 3_650, "week": 520, "month": 120}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_JUST = timedelta(microseconds=1)
_FAR = timedelta(days=3)
_ROOT = Sql("'{}'")  # the path to the whole of a JSON value
_NEAR = timedelta(hours=30)  # further than any change of a clock moves an end
_FIRST, _LAST = date(1900, 1, 1), date(2199, 12, 31)


@dataclass(frozen=True)
class Moment:
    """A cleaned date value: the operator that it belongs to and what was given; `zone` is brand or user."""

    operator: str
    zone: str
    count: int = 0
    unit: str = ""
    first: date | None = None
    last: date | None = None

    def as_json(self) -> dict[str, Any]:
        """As it was given."""
        if self.operator == "between_days":
            return {"from": str(self.first), "to": str(self.last), "zone": self.zone}
        if self.first is not None:
            return {"date": str(self.first), "zone": self.zone}
        counted = {"count": self.count} if self.count else {}
        return {**counted, "unit": self.unit, "zone": self.zone}


@dataclass(frozen=True)
class Window:
    """From `low` on and before `high`; None is without end."""

    low: datetime | None
    high: datetime | None


def clean(operator: str, value: object) -> Moment:
    """The date value of this operator; raises BadValue with the place at fault."""
    if not isinstance(value, Mapping):
        raise BadValue("Say when.")
    zone = value.get("zone", "brand")
    if not isinstance(zone, str) or zone not in ZONES:
        raise BadValue("Choose whose time counts: the brand's or the end user's.", ".zone")
    if operator == "between_days":
        first, last = _day(value.get("from"), ".from"), _day(value.get("to"), ".to")
        _only(value, {"from", "to", "zone"})
        if first > last:
            raise BadValue("The first day must not be after the last.", ".to")
        return Moment(operator, zone, first=first, last=last)
    if operator in ("on", "before", "after"):
        _only(value, {"date", "zone"})
        return Moment(operator, zone, first=_day(value.get("date"), ".date"))
    unit = value.get("unit")
    if operator == "in_current":
        _only(value, {"unit", "zone"})
        if not isinstance(unit, str) or unit not in CURRENT:
            raise BadValue("Choose day, week or month.", ".unit")
        return Moment(operator, zone, unit=unit)
    _only(value, {"count", "unit", "zone"})
    if not isinstance(unit, str) or unit not in UNITS:
        raise BadValue("Choose minutes, hours, days, weeks or months.", ".unit")
    count = value.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= _MOST[unit]:
        raise BadValue(f"Give a whole number from 1 to {_MOST[unit]:,}.", ".count")
    return Moment(operator, zone, count=count, unit=unit)


def _only(value: Mapping[Any, Any], keys: set[str]) -> None:
    if not set(value) <= keys:
        raise BadValue("Say when.")


def _day(value: object, path: str) -> date:
    if isinstance(value, str) and _DAY.match(value):
        try:
            found = date.fromisoformat(value)
        except ValueError:
            raise BadValue("The calendar does not have this day.", path) from None
        if _FIRST <= found <= _LAST:
            return found
    raise BadValue("Choose a day.", path)


def window(moment: Moment, now: datetime, time_zone: str) -> Window:
    """The window that a date value means in a time zone, at `now`."""
    return _window(moment, now, zone_of(time_zone))


def _window(moment: Moment, now: datetime, zone: tzinfo) -> Window:
    if moment.first is not None:
        low = _begin(moment.first, zone)
        after = _begin((moment.last or moment.first) + timedelta(days=1), zone)
        match moment.operator:
            case "before":
                return Window(None, low)
            case "after":
                return Window(after, None)
        return Window(low, after)
    match moment.operator:
        case "in_current":
            today = now.astimezone(zone).date()
            return Window(*(_begin(day, zone) for day in _current(today, moment.unit)))
        case "in_the_last":
            return Window(_shifted(now, moment, -1, zone), now + _JUST)  # what happens right now is in it
        case "before_the_last":
            return Window(None, _shifted(now, moment, -1, zone))
    return Window(now, _shifted(now, moment, 1, zone))


def within(expression: Sql, moment: Moment, context: Context, zone: Sql) -> Sql:
    """A boolean: the instant lies in the window, the row's own `zone` deciding where the rule says so."""
    if moment.zone == "brand":
        found = window(moment, context.now, context.time_zone)
        low, high = (None if end is None else fill("{}", end) for end in (found.low, found.high))
    else:
        low, high = _by_zone(moment, context, zone)
    parts = [fill("{} >= {}", expression, low)] if low else []
    parts += [fill("{} < {}", expression, high)] if high else []
    if moment.zone == "user":  # with ends that no row has to be read for, so that an index finds them
        around = window_around(moment, context)
        parts += [fill("{} >= {}", expression, around.low)] if around.low else []
        parts += [fill("{} < {}", expression, around.high)] if around.high else []
    return functools.reduce(lambda one, other: one & other, parts) if parts else TRUE


def window_around(moment: Moment, context: Context) -> Window:
    """A window that holds the one that is meant, whosever clock it goes by: of the current month there may be two."""
    if moment.zone == "brand":
        return window(moment, context.now, context.time_zone)
    return _outermost(moment, None if moment.first is not None else context.now, context.time_zone)


@functools.lru_cache(maxsize=64)
def _outermost(moment: Moment, now: datetime | None, brand: str) -> Window:
    low, high = (
        None if table is None else [datetime.fromisoformat(end) for end in (table[1], *json.loads(table[0]).values())]
        for table in _tables(moment, now, brand, False)
    )
    return Window(min(low) if low else None, max(high) if high else None)


def stored_within(value: Sql, moment: Moment, context: Context, zone: Sql) -> Sql:
    """The same of a date that is stored as text in JSON: one without a zone is wall clock where the rule's clock is.

    What begins with a day far outside is left out first: the text of a date begins with its day by the wall clock,
    which is never three days from that of another place.
    """
    found = window(moment, context.now, context.time_zone)
    names = [fill("{}", end) for end in (found.low, found.high)]
    names += [fill("{}::timestamp", None if end is None else _wall(end, context.time_zone)) for end in _ends(found)]
    if moment.zone == "user":
        instants, walls = _by_zone(moment, context, zone), _by_zone(moment, context, zone, walls=True)
        names = [end if end is not None else Sql("NULL") for end in (*instants, *walls)]
    near = []
    around = window_around(moment, context)
    if around.low is not None:
        near.append(fill('({} #>> {}) COLLATE "C" >= {}', value, _ROOT, str(around.low.date() - _FAR)))
    if around.high is not None:
        near.append(fill('({} #>> {}) COLLATE "C" < {}', value, _ROOT, str(around.high.date() + _FAR)))
    exactly = fill("segments_date_in({}, {}, {}, {}, {})", value, *names)
    return functools.reduce(lambda one, other: one & other, [*near, exactly])


def stored_known(value: Sql) -> Sql:
    """Whether it is a date at all."""
    return fill("segments_date_in({}, NULL, NULL, NULL, NULL) IS NOT NULL", value)


def _ends(found: Window) -> tuple[datetime | None, datetime | None]:
    return found.low, found.high


def _by_zone(moment: Moment, context: Context, zone: Sql, *, walls: bool = False) -> tuple[Sql | None, Sql | None]:
    """Bounds that a row looks up by its zone, as instants or by wall clock; the brand's where it is not known."""
    cast = Sql("timestamp" if walls else "timestamptz")
    lows, highs = _tables(moment, None if moment.first is not None else context.now, context.time_zone, walls)

    def bound(table: tuple[str, str] | None) -> Sql | None:
        if table is None:
            return None
        return fill("coalesce(({}::jsonb->>{})::{}, {}::{})", table[0], zone, cast, table[1], cast)

    return bound(lows), bound(highs)


@functools.lru_cache(maxsize=64)
def _tables(
    moment: Moment, now: datetime | None, brand: str, walls: bool
) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """Low and high end: those by zone that are not the brand's, as JSON, and the brand's; None for no end.

    `now` is not given where it does not matter, so that they are made once.
    """
    ends = _ends_by_zone(moment, now or datetime.combine(moment.first or _FIRST, time(12), UTC), brand, walls)
    found = []
    for side in (0, 1):
        usual = ends[brand][side]
        others = {name: item[side] for name, item in ends.items() if item[side] != usual}
        found.append(None if usual is None else (json.dumps(others), usual))
    return found[0], found[1]


def _ends_by_zone(moment: Moment, now: datetime, brand: str, walls: bool) -> dict[str, tuple[str | None, str | None]]:
    """Both ends in every zone, written out.

    Most of the hundreds of zones have the same time as others now and where the window ends, and so the same window:
    it is made once for them. Where the clocks move near an end it is made for that zone.
    """
    alike: dict[object, tuple[str | None, str | None]] = {}
    near: dict[timedelta | None, list[datetime]] = {}
    found = {}
    for name in sorted(_known_zones() | {brand}):
        zone = zone_of(name)
        offset = now.astimezone(zone).utcoffset()
        if offset not in near:
            roughly = _ends(_window(moment, now, timezone(offset or timedelta())))
            near[offset] = [end + side for end in roughly if end is not None for side in (-_NEAR, _NEAR)]
        around = [at.astimezone(zone).utcoffset() for at in near[offset]]
        steady = around[::2] == around[1::2]
        key: object = (offset, *around) if steady else name
        if key not in alike:
            low, high = _ends(_window(moment, now, zone))
            write = _wall if walls else _instant_text
            alike[key] = (None if low is None else write(low, name), None if high is None else write(high, name))
        found[name] = alike[key]
    return found


def _instant_text(end: datetime, time_zone: str) -> str:
    return end.astimezone(UTC).isoformat()


@functools.cache
def _known_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _current(today: date, unit: str) -> tuple[date, date]:
    if unit == "day":
        return today, today + timedelta(days=1)
    if unit == "week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=7)
    first = today.replace(day=1)
    return first, first + timedelta(days=calendar.monthrange(first.year, first.month)[1])


def _shifted(now: datetime, moment: Moment, sign: int, zone: tzinfo) -> datetime:
    count = sign * moment.count
    if moment.unit in ("minute", "hour"):
        return now + timedelta(**{f"{moment.unit}s": count})
    local = now.astimezone(zone).replace(tzinfo=None)
    if moment.unit == "month":
        year, month = divmod(local.year * 12 + local.month - 1 + count, 12)
        day = min(local.day, calendar.monthrange(year, month + 1)[1])
        return instant_of(wall=local.replace(year=year, month=month + 1, day=day), zone=zone)
    return instant_of(wall=local + timedelta(days=count * (7 if moment.unit == "week" else 1)), zone=zone)


def _begin(day: date, zone: tzinfo) -> datetime:
    return instant_of(wall=datetime(day.year, day.month, day.day), zone=zone)  # noqa: DTZ001  (wall clock)


def _wall(end: datetime, time_zone: str) -> str:
    """The first wall-clock time whose instant is not before this one: the end of a window for dates without a zone."""
    zone = zone_of(time_zone)
    wall = end.astimezone(zone).replace(tzinfo=None)
    if instant_of(wall=wall, zone=zone) != end or instant_of(wall=wall - _JUST, zone=zone) >= end:
        # In an hour that the clocks show twice, or right after one that they skip.
        low, high = wall - timedelta(days=2), wall + timedelta(days=2)
        while high - low > _JUST:
            middle = low + (high - low) // 2
            if instant_of(wall=middle, zone=zone) < end:
                low = middle
            else:
                high = middle
        wall = high
    return wall.isoformat()
