"""What rules mean, one end user at a time in plain Python: written from the documents, sharing nothing with segments.

It reads the tables itself, JSON with exact numbers, and has its own reading of windows and of time zones.
"""

import json
import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.db import connection

_VERSION = re.compile(r" *[vV]?([0-9]+(?:\.[0-9]+)*)")
_STORED = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?::?[0-5]\d)?)?)?", re.ASCII
)
_ZONES = frozenset(available_timezones())  # goes through the whole folder each time
_OPPOSITES = {
    "is_not": "is",
    "is_none_of": "is_any_of",
    "is_not_set": "is_set",
    "has_not": "has",
    "has_none": "has_any",
    "not_contains": "contains",
    "not_in_the_last": "in_the_last",
    "never": "happened",
    "not_in": "in",
}


def _rows(text, *params):
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _json(text):
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


class Evaluator:
    """A brand as it was when this was made."""

    def __init__(self, brand_id, now):
        self.now = now
        (brand,) = _rows("SELECT time_zone FROM devices_brand WHERE id = %s", brand_id)
        self.zone = brand["time_zone"]
        self.people = {
            row["id"]: row
            for row in _rows("SELECT *, properties::text AS said FROM devices_enduser WHERE brand_id = %s", brand_id)
        }
        self.devices = _rows("SELECT * FROM devices_device WHERE brand_id = %s", brand_id)
        self.by_id = {row["id"]: row for row in self.devices}
        self.pairs = _rows("SELECT * FROM devices_pushstatus WHERE brand_id = %s", brand_id)
        self.events = _rows(
            "SELECT end_user_id, name, occurred_at, properties::text AS said FROM devices_event WHERE brand_id = %s",
            brand_id,
        )
        for row in (*self.people.values(), *self.events):
            row["properties"] = _json(row["said"])
        self.listed = {
            (row["segment_id"], row["end_user_id"])
            for row in _rows(
                "SELECT l.* FROM segments_listentry l JOIN segments_segment s ON s.id = l.segment_id"
                " WHERE s.brand_id = %s AND s.kind = 'imported'",
                brand_id,
            )
        }
        self.segments = {
            row["id"]: _json(row["said"])["rule"]
            for row in _rows(
                "SELECT id, rules::text AS said FROM segments_segment WHERE brand_id = %s AND kind = 'dynamic'",
                brand_id,
            )
        }

    def selected(self, rule):
        """Ids of those whom a rule selects."""
        return {key for key, person in self.people.items() if self.holds(rule, person)}

    def each(self, rule, person, path="rule"):
        """(path, whether it holds) of the rule and of everything in it."""
        yield path, self.holds(rule, person)
        for kind in ("all", "any"):
            for number, item in enumerate(rule.get(kind, ())):
                yield from self.each(item, person, f"{path}.{kind}[{number}]")
        if "not" in rule:
            yield from self.each(rule["not"], person, f"{path}.not")

    def holds(self, rule, person):
        """Whether a rule selects this end user."""
        if "all" in rule:
            return not [item for item in rule["all"] if not self.holds(item, person)]
        if "any" in rule:
            return bool([item for item in rule["any"] if self.holds(item, person)])
        if "not" in rule:
            return not self.holds(rule["not"], person)
        name, operator, value = rule["field"], rule["operator"], rule.get("value")
        if name in ("event", "event_first", "event_last"):
            return self._events(rule, person)
        if operator in _OPPOSITES:
            return not self.holds({**rule, "operator": _OPPOSITES[operator]}, person)
        zone = person["time_zone"]
        if name == "segment":
            if value in self.segments:
                return self.holds(self.segments[value], person)
            return (value, person["id"]) in self.listed
        if name == "push_enabled":
            return bool(self.reached_on(person)) is value
        if name == "is_anonymous":
            return (person["external_id"] is None) is value
        if name in ("platform_opt_out", "user_opt_out", "never_contact"):
            return person[name] is value
        if name == "property":
            given = rule["params"]
            return self._property(person["properties"], given["name"], given["type"], operator, value, zone)
        if name in ("last_seen", "first_seen"):
            at = person["last_session_at" if name == "last_seen" else "created_at"]
            return self._date(at, operator, value, zone)
        if name.endswith("_markers"):
            wanted = [value] if operator == "has" else value
            found = [one.strip().upper() in person[name] for one in wanted]
            return any(found) if operator == "has_any" else all(found)
        if name == "language":
            return _language(person["language"], operator, value)
        if name == "push_status_last_session":
            visited = "ask_never_visited" if person["last_session_at"] is None else "ask_visited"
            names = {person["last_session_status"], visited if person["last_session_status"] == "ask" else ""}
            return any(_text(name, operator, value) for name in names)
        if name in ("country", "time_zone"):
            return _text(person[name] or None, operator, value)
        if name in ("external_id", "target_devices"):
            return _text(person[name], operator, value)
        if name == "push_status_any_device":
            return any(_text(p["status"], operator, value) for p in self.pairs if p["end_user_id"] == person["id"])
        return any(_device(device, name, rule.get("params", {}), operator, value) for device in self._devices(person))

    def _devices(self, person):
        return [d for d in self.devices if person["id"] in (d["holder_id"], d["session_end_user_id"])]

    def reached_on(self, person):
        """The devices on which a push reaches this end user."""
        own = [pair for pair in self.pairs if pair["end_user_id"] == person["id"] and pair["status"] == "allowed"]
        devices = [self.by_id[pair["device_id"]] for pair in own]
        return [d for d in devices if d["holder_id"] == person["id"] and d["token_hash"] is not None]

    def _events(self, rule, person):
        given, zone = rule["params"], person["time_zone"]
        within, tests = given.get("within"), given.get("where", ())
        times = [
            event["occurred_at"]
            for event in self.events
            if event["end_user_id"] == person["id"]
            and event["name"] == given["name"]
            and (within is None or self._date(event["occurred_at"], within["operator"], within["value"], zone))
            and all(self._test(event["properties"], test, zone) for test in tests)
        ]
        operator, value = rule["operator"], rule.get("value")
        if rule["field"] == "event":
            count = len(times)
            return {
                "at_least": lambda: count >= value,
                "less_than": lambda: count < value,
                "more_than": lambda: count > value,
                "at_most": lambda: count <= value,
                "happened": lambda: count > 0,
                "never": lambda: count == 0,
            }[operator]()
        at = None if not times else min(times) if rule["field"] == "event_first" else max(times)
        if operator in _OPPOSITES:
            return not self._date(at, _OPPOSITES[operator], value, zone)
        return self._date(at, operator, value, zone)

    def _test(self, properties, test, zone):
        operator, value = test["operator"], test.get("value")
        if operator in _OPPOSITES:
            return not self._property(properties, test["name"], test["type"], _OPPOSITES[operator], value, zone)
        return self._property(properties, test["name"], test["type"], operator, value, zone)

    def _property(self, properties, name, type_, operator, value, zone):
        stored = properties.get(name)
        if type_ == "text":
            return _text(stored if isinstance(stored, str) else None, operator, value)
        if type_ == "number":
            return _number(stored if isinstance(stored, Decimal) else None, operator, value)
        if type_ == "boolean":
            return isinstance(stored, bool) and (operator == "is_set" or stored is value)
        read = _read(stored) if isinstance(stored, str) else None
        if read is None or operator == "is_set":
            return read is not None
        if read.tzinfo is None:
            read = _first(read, self._clock(value["zone"], zone))
        return self._date(read, operator, value, zone)

    def _clock(self, whose, own):
        return own if whose == "user" and own in _ZONES else self.zone

    def _date(self, at, operator, value, own):
        if at is None or operator == "is_set":
            return at is not None
        zone = self._clock(value["zone"], own)
        if operator in ("on", "before", "after", "between_days"):
            first = date.fromisoformat(value.get("from") or value["date"])
            last = date.fromisoformat(value.get("to") or value["date"])
            begin, end = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
            return at < begin if operator == "before" else at >= end if operator == "after" else begin <= at < end
        today = self.now.astimezone(ZoneInfo(zone)).date()
        if operator == "in_current":
            begin = {
                "day": today,
                "week": today - timedelta(days=today.isoweekday() - 1),
                "month": date(today.year, today.month, 1),
            }[value["unit"]]
            end = {
                "day": begin + timedelta(days=1),
                "week": begin + timedelta(days=7),
                "month": (begin + timedelta(days=31)).replace(day=1),
            }[value["unit"]]
            return _midnight(begin, zone) <= at < _midnight(end, zone)
        if operator == "in_the_next":
            return self.now <= at < _moved(self.now, value["count"], value["unit"], zone)
        back = _moved(self.now, -value["count"], value["unit"], zone)
        return at < back if operator == "before_the_last" else back <= at <= self.now


def _text(stored, operator, value):
    if stored is None or operator == "is_set":
        return stored is not None
    return {
        "is": lambda: stored == value,
        "is_any_of": lambda: stored in value,
        "contains": lambda: value in stored,
        "starts_with": lambda: stored[: len(value)] == value,
        "ends_with": lambda: len(stored) >= len(value) and stored[len(stored) - len(value) :] == value,
    }[operator]()


def _number(stored, operator, value):
    if stored is None or operator == "is_set":
        return stored is not None
    low, high = (Decimal(repr(end)) for end in (value if operator == "between" else (value, value)))
    return {
        "is": stored == low,
        "more_than": stored > low,
        "at_least": stored >= low,
        "less_than": stored < low,
        "at_most": stored <= low,
        "between": low <= stored <= high,
    }[operator]


# What the languages of the worlds are, said by hand: language, script, region.
_TAGS = {
    "en": "en", "eng": "en", "en-gb": "en Latn GB", "pt": "pt", "pt-br": "pt Latn BR", "de": "de",
    "nb-no": "no Latn NO", "nn": "no", "no": "no", "zh-tw": "zh Hant TW", "zh-hant": "zh Hant", "zh": "zh",
}  # fmt: skip


def _language(stored, operator, value):
    if operator == "is_set":
        return stored != ""
    spoken = _TAGS[stored.lower()].split() if stored else []
    wanted = [_TAGS[one.lower()].split() for one in ([value] if operator == "is" else value)]
    return any(spoken[: len(one)] == one for one in wanted)


def _device(device, name, given, operator, value):
    if "browser" in given and device["browser"] != given["browser"]:
        return False
    if "os" in given and device["os"].lower() != given["os"]:
        return False
    if "app" in given and device["app_id"] != given["app"]:
        return False
    if name == "device_language":
        return _language(device["language"], operator, value)
    if name == "app":
        return _text(str(device["app_id"]), operator, value)
    if not name.endswith("_version"):
        return _text((device[name].lower() if name == "os" else device[name]) or None, operator, value)
    found = _VERSION.match(device[name])
    if found is None or operator == "is_set":
        return found is not None
    ours, theirs = ([int(part) for part in text.split(".")] for text in (found[1], value))
    longest = max(len(ours), len(theirs))
    ours, theirs = (part + [0] * (longest - len(part)) for part in (ours, theirs))
    return {
        "is": ours == theirs,
        "at_least": ours >= theirs,
        "more_than": ours > theirs,
        "at_most": ours <= theirs,
        "less_than": ours < theirs,
    }[operator]


def _read(text):
    """A stored date, with its zone where it has one; None for what is none."""
    found = _STORED.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        micro = int((found[7] or "")[:6].ljust(6, "0"))
        wall = datetime(year, month, day, hour, minute, second, micro)  # noqa: DTZ001  (wall clock)
    except ValueError:
        return None
    if found[8] is None:
        return wall
    ahead = timedelta()
    if found[8] not in "Zz":
        hours, minutes = int(found[8][1:3]), int(found[8][3:].strip(":") or 0)
        ahead = timedelta(hours=hours, minutes=minutes) * (-1 if found[8][0] == "-" else 1)
    if abs(ahead) >= timedelta(days=1):
        return None
    if wall.year in (1, 9999):
        return wall.replace(tzinfo=UTC)  # outside of every window, whatever the zone
    return (wall - ahead).replace(tzinfo=UTC)


@cache
def _offsets(day, zone):
    """(instant from which on, offset) around a day, by looking at every quarter of an hour and then between two."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
    found = [(at, _offset(at, zone))]
    for _ in range(4 * 24 * 4):
        after = at + timedelta(minutes=15)
        if _offset(after, zone) != found[-1][1]:
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low).seconds // 2)
                low, high = (middle, high) if _offset(middle, zone) == found[-1][1] else (low, middle)
            found.append((high, _offset(high, zone)))
        at = after
    return found


def _offset(at, zone):
    return at.astimezone(ZoneInfo(zone)).utcoffset()


def _first(wall, zone):
    """The first instant at which a clock of the zone shows this time or a later one."""
    if not 2 < wall.toordinal() < date.max.toordinal() - 2:
        return wall.replace(tzinfo=UTC)  # of the year 1 or 9999: far outside of every window, whatever the zone
    spans = _offsets(wall.date(), zone)
    for number, (begin, offset) in enumerate(spans):
        end = spans[number + 1][0] if number + 1 < len(spans) else None
        at = max((wall - offset).replace(tzinfo=UTC), begin)
        if end is None or at < end:
            return at
    raise AssertionError(wall)


def _midnight(day, zone):
    return _first(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001  (wall clock)


def _moved(now, count, unit, zone):
    if unit in ("minute", "hour"):
        return now + count * timedelta(minutes=1 if unit == "minute" else 60)
    wall = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    if unit == "month":
        months = wall.year * 12 + (wall.month - 1) + count
        year, month = months // 12, months % 12 + 1
        return _first(wall.replace(year=year, month=month, day=min(wall.day, monthrange(year, month)[1])), zone)
    return _first(wall + timedelta(days=count * (7 if unit == "week" else 1)), zone)
