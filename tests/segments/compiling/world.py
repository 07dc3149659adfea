"""A brand of odd end users: every mixture of devices, pairs, events, lists and of what JSON can hold."""

import json
import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from devices.models import App, Brand, Device, EndUser, Event, PushStatus
from segments.models import ListEntry, Segment
from tests.segments.population import LANGUAGES, MARKERS, PLATFORMS, STATUSES

# Midnight gaps, half hours, both ends of the earth, a day that was skipped, one that nobody knows.
ZONES = [
    "",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "Mars/Olympus",
]
COUNTRIES = ["", "DE", "GR", "XQ"]
TEXTS = [
    "",
    " ",
    "Ann",
    "ann",
    "ANN",
    "Ann%",
    "A_n",
    "100%",
    "\\",
    "'; DROP TABLE devices_enduser; --",
    "{} {name} %s %% $1",
    "Straße",
    "STRASSE",
    "İstanbul",
    "ıI",
    "e\u0301t\u00e9",
    "\u00e9t\u00e9",
    "👩‍👩‍👧 family",
    "\u202eright to left שלום",
    "true",
    "20",
]
NUMBERS = ["0", "-0", "0.1", "0.10", "0.30000000000000004", "20", "2e1", "1e15", "-1e15", "1e999", "-1e-300", "1e15"]
DATES = [
    "2026-02-30",
    "2026-02-29",
    "2028-02-29",
    "1900-02-29",
    "2000-02-29",
    "2026-13-01",
    "0000-01-01",
    "0001-01-01",
    "0001-01-01T00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59",
    "12026-01-01",
    "infinity",
    "now",
    "today",
    "epoch",
    "2026-11-20T25:00",
    "2026-11-20T24:00",
    "2026-11-20T12:60",
    "2026-11-20T12:00:60",
    "2026-11-20T12:00+24:00",
    "2026-11-20T12:00+00:75",
    "2026-11-20T12:00:00.1234567",
    "2026-11-20T12:00Z",
    "2026-11-20t12:00z",
    "2026-11-20T23:59:59,9999999999z",
    "2026-11-20T12:00:00+01",
    "2026-11-20T12:00:00." + "3" * 60 + "Z",
    "2026-11-20 12:00:00.5-1130",
    "2026-11-20\n",
    " 2026-11-20",
    "２０２６-11-20",
    "20261120",
    "2026-11-20T12:00:00 Europe/Berlin",
    "2026-03-29T02:30",
    "2026-10-25T02:30",
    "2018-11-04T00:30",
    "2011-12-30",
    "2011-12-30T12:00",
]
OTHERS = ["null", "true", "false", "[]", "{}", '["Ann"]', "[20]", '{"a": 1}', '"true"']
NAMES = ["name", "vip", "agreed", "renewal", "odd %s {} 'x' $1", "Ünï"]
VERSIONS = [
    "",
    "2.9",
    "2.10",
    "2.10.0",
    "v2.10.1-beta",
    "2",
    "latest",
    "1.99999999999999999999",
    "٣.٤",
    "10",
    ".5",
    "2..1",
]
SYSTEMS = ["", "android", "iOS", "windows", "tvos"]
BROWSERS = ["", "chrome", "firefox", "safari"]
EVENTS = ["deposit", "login", "100% {} 'off'"]


class World:
    """Made from a seed: the same for the same."""

    def __init__(self, *, seed, now, time_zone, end_users=30, name="Acme"):
        self.dice = random.Random(seed)
        self.now = now
        self.brand = Brand.objects.create(name=name, time_zone=time_zone)
        self.apps = [
            App.objects.create(brand=self.brand, name=f"Site {n}", origin=f"https://{n}.{name.lower()}.example")
            for n in range(2)
        ]
        self.people = self._people(end_users, name)
        self._devices(end_users, f"{name}-{seed}")
        self._events(end_users * 4)
        self.imported, self.dynamic = self._segments()
        with connection.cursor() as cursor:  # as a table of a running system is: of empty ones everything is expected
            cursor.execute(
                "ANALYZE devices_enduser, devices_device, devices_pushstatus, devices_event, segments_listentry"
            )

    def _any(self, choices):
        return self.dice.choice(choices)

    def moment(self):
        """An instant at or beside what windows begin and end with, or anywhere near."""
        zone = ZoneInfo(self._any([zone for zone in ZONES if zone not in ("", "Mars/Olympus")]))
        if self.dice.random() < 0.2:
            at = self.now
        elif self.dice.random() < 0.5:
            days = self._any([-31, -30, -14, -7, -2, -1, 0, 1, 2, 7, 8, 30])
            clock = self._any([{}, {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}])
            wall = self.now.astimezone(zone).replace(**clock) + timedelta(days=days)
            at = wall.astimezone(UTC)
        else:
            at = self.now + timedelta(minutes=self.dice.randint(-60 * 24 * 70, 60 * 24 * 40))
        return at + self._any([timedelta(), timedelta(microseconds=1), -timedelta(microseconds=1), timedelta(hours=1)])

    def date(self):
        """A stored date: one that the calendar has, in every way of writing it, or one that it has not."""
        if self.dice.random() < 0.3:
            return self._any(DATES)
        at = self.moment().astimezone(ZoneInfo(self._any(["UTC", "Europe/Berlin", "Asia/Kolkata"])))
        wall = at.replace(tzinfo=None)
        written = self._any(
            [
                str(wall.date()),
                wall.isoformat(timespec="minutes"),
                wall.isoformat(" "),
                at.isoformat(),
                at.isoformat(timespec="minutes").replace("+00:00", "Z"),
            ]
        )
        return written

    def json(self):
        """An object whose values have the type that their names promise, mostly."""
        found = {}
        for name in NAMES:
            dice = self.dice.random()
            if dice < 0.15:
                continue
            kind = NAMES.index(name) % 4 if dice < 0.8 else self.dice.randint(0, 4)
            found[name] = (
                json.dumps(self._any(TEXTS)),
                self._any(NUMBERS),
                self._any(["true", "false"]),
                json.dumps(self.date()),
                self._any(OTHERS),
            )[kind]
        return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in found.items()) + "}"

    def _people(self, number, name):
        people = EndUser.objects.bulk_create(
            EndUser(
                brand=self.brand,
                external_id=f"{self._any(TEXTS)}{name}-{n}" if self.dice.random() < 0.7 else None,
                language=self._any(LANGUAGES),
                time_zone=self._any(ZONES),
                country=self._any(COUNTRIES),
                js_markers=self.dice.sample(MARKERS, self.dice.randint(0, 3)),
                external_markers=self.dice.sample(MARKERS, self.dice.randint(0, 2)),
                backoffice_markers=self.dice.sample(MARKERS, self.dice.randint(0, 1)),
                last_session_status=self._any(STATUSES),
                last_session_at=self.moment() if self.dice.random() < 0.8 else None,
                target_devices=self._any(["all", "web", "native"]),
                platform_opt_out=self.dice.random() < 0.3,
                user_opt_out=self.dice.random() < 0.3,
                never_contact=self.dice.random() < 0.3,
                created_at=self.moment(),
            )
            for n in range(number)
        )
        # As text: Python's floats cannot hold what JSON can.
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE devices_enduser SET properties = %s::jsonb WHERE id = %s",
                [(self.json(), person.pk) for person in people],
            )
        return people

    def _devices(self, number, mark):
        pairs = []
        devices = []
        for n in range(number):
            live = self.dice.random() < 0.6
            device = Device(
                brand=self.brand,
                app=self._any(self.apps),
                session_end_user=self._any(self.people),
                holder=self._any(self.people) if live or self.dice.random() < 0.3 else None,
                secret_hash="s",
                platform=self._any(PLATFORMS[1:]) if live else self._any(PLATFORMS),
                browser=self._any(BROWSERS),
                browser_version=self._any(VERSIONS),
                os=self._any(SYSTEMS),
                os_version=self._any(VERSIONS),
                app_version=self._any(VERSIONS),
                form_factor=self._any(["", "desktop", "mobile"]),
                language=self._any(LANGUAGES),
                native_token="fcm",
                token_hash=f"{mark}-{n}" if live else None,
                last_seen_at=self.now,
            )
            devices.append(device)
            allowed = False
            for person in {device.holder, *self.dice.sample(self.people, 2)} - {None}:
                status = self._any([one for one in STATUSES if one != "allowed" or not allowed])
                allowed = allowed or status == "allowed"
                pairs.append((device, person, status))
        Device.objects.bulk_create(devices)
        PushStatus.objects.bulk_create(
            PushStatus(
                brand=self.brand, end_user=person, device=device, status=status, since=self.now, reported_at=self.now
            )
            for device, person, status in pairs
        )

    def _events(self, number):
        rows = []
        for _ in range(number):
            at = self.moment()
            rows.append(
                Event(
                    brand=self.brand,
                    end_user=self._any(self.people),
                    name=self._any(EVENTS),
                    occurred_at=at,
                    recorded_at=at,
                    day=at.date(),
                )
            )
        Event.objects.bulk_create(rows)
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE devices_event SET properties = %s::jsonb WHERE id = %s AND day = %s",
                [(self.json(), row.pk, row.day) for row in rows],
            )

    def _segments(self):
        imported = [
            Segment.objects.create(brand=self.brand, name=f"List {n}", kind="imported", rules={}) for n in range(2)
        ]
        ListEntry.objects.bulk_create(
            ListEntry(segment=imported[0], end_user=person)
            for person in self.dice.sample(self.people, len(self.people) // 3)
        )
        rules = {"any": [{"field": "language", "operator": "is", "value": "en"}, _in(imported[0]), _in(imported[1])]}
        inner = self._segment("Inner", rules)
        outer = self._segment("Outer", {"not": {"all": [_in(inner), _in(inner, "not_in")]}})
        other = self._segment("Other", {"all": [_in(inner), {"not": _in(outer, "not_in")}]})
        return imported, [inner, outer, other]

    def _segment(self, name, rule):
        return Segment.objects.create(brand=self.brand, name=name, rules={"version": 1, "rule": rule})


def _in(segment, operator="in"):
    return {"field": "segment", "operator": operator, "value": segment.pk}


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
