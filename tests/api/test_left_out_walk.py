"""Every field of the calls with whatever may stand in it: only what makes a call meaningless or forged is refused."""

import json
import math

import pytest
from django.utils.functional import cached_property
from rest_framework import serializers

from smartpush.api.sdk import serializers as s
from smartpush.api.sdk.parsers import MAX_DEPTH, characters_replace
from smartpush.common.calls.left_out import LeftOutCode
from tests.api.page import Page, event, post


def _deep(levels: int) -> dict:
    return {"a": _deep(levels - 1)} if levels else {}


HOSTILE = {
    "too long": "x" * 6000,
    "blank": "",
    "another text": "???",
    "NUL": "a\x00b",
    "half an emoji": "a\ud83d",
    "half of another": "\udfff",
    "number": 7,
    "fraction": -0.5,
    "huge": 10**400,
    "beyond every number": math.inf,
    "yes": True,
    "null": None,
    "list": ["a", 1, None],
    "long list": ["a"] * 1000,
    "object": {"a": {"b": [1]}},
    "deep": _deep(MAX_DEPTH - 6),
    "names": {"\x00": 1, "\ud800": 2, "": 3, "y" * 100: 4},
}
# Without these a call means nothing, or it is forged.
REFUSED = {
    "session": {"installation", "external_id", "push", "push.status", "push.subscription", "push.token"},
    "identify": {"installation", "external_id", "push", "push.status", "push.subscription", "push.token"},
    "events": {"installation", "events", "events.0", "events.0.name"},
    "markers": {"installation", "operation", "markers"},
    "reports": {"reports", "reports.0", "reports.0.token", "reports.0.kind"},
    "status": {"installation", "push", "push.status", "push.subscription", "push.token"},
    "consents": {"installation", "subject", "answer"},
    "preferences": {"installation", "categories", "opted_out"},
}
BODIES = {
    "session": s.SessionSerializer,
    "identify": s.IdentifySerializer,
    "events": s.EventsSerializer,
    "markers": s.MarkersSerializer,
    "reports": s.ReceiptsSerializer,
    "status": s.StatusSerializer,
    "consents": s.ConsentsSerializer,
    "preferences": s.PreferencesSerializer,
}
# Parts that are objects: a walk that breaks them whole has nothing left to break inside.
EMPTY = {("device",), ("consent",)}
ITEMS = {"events": s.EventSerializer, "reports": s.ReceiptSerializer}


def fields_below(serializer: serializers.Serializer, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every field of a body by its path, the fields of the first item of a list of objects too."""
    found = []
    for name, field in serializer.fields.items():
        here = (*path, name)
        found.append(here)
        if name in ITEMS:
            found += [(*here, "0"), *fields_below(ITEMS[name](), (*here, "0"))]
        elif isinstance(field, serializers.Serializer) and name not in {"installation", "subscription"}:
            found += fields_below(field, here)
    return found


OPTIONAL = [
    (call, path)
    for call, body in BODIES.items()
    for path in fields_below(body())
    if ".".join(path) not in REFUSED[call]
]


def put(body: dict, path: tuple[str, ...], value: object) -> dict:
    """The body with this value at this path."""
    head, *rest = path
    inner = put(body[head] if isinstance(body, dict) else body[int(head)], tuple(rest), value) if rest else value
    if isinstance(body, list):
        return [inner, *body[1:]]
    return body | {head: inner}


class Everything:
    """One good body of each call, with every field in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @cached_property
    def bodies(self) -> dict[str, dict]:
        me = {"installation": self.page.installation, "tab": "t"}
        push = {**self.page.push, "token": ""}
        device = dict.fromkeys(s.DeviceSerializer().fields, "") | {"browser": "chrome", "form_factor": "mobile"}
        consent = {"answer": "given", "at": "2026-11-23T12:00:00Z", "language": "en"}
        session = me | {"push": push, "device": device, "properties": {"a": 1}, "language": "en", "consent": consent}
        session |= {"external_id": "ann", "identity_token": "x"}
        report = {"token": "x", "kind": "clicked", "action": "a", "at": "2026-11-23T12:00:00Z"}
        return {
            "session": session,
            "identify": session,
            "events": me | {"events": [event(occurred_at="2026-11-23T12:00:00Z", kind="event"), event("other")]},
            "markers": me | {"operation": "add", "markers": ["GOOD"]},
            "reports": {"reports": [report, report]},
            "status": me | {"push": push, "cause": "popup"},
            "consents": me | {"subject": "tracking", **consent},
            "preferences": me | {"categories": None, "opted_out": None, "language": "en"},
        }


def test_the_walk_knows_every_field_of_the_calls():
    walked = {(call, ".".join(path)) for call, path in OPTIONAL}
    assert {("session", "device.app_version"), ("session", "consent.at"), ("events", "events.0.properties")} <= walked
    for call, refused in REFUSED.items():
        assert refused <= {".".join(path) for path in fields_below(BODIES[call]())}, call


def as_sent(body: object) -> str:
    """JSON as other languages write it: a number beyond every double has digits there."""
    return json.dumps(body).replace("Infinity", "1e400")


def whole(call: str, answer: dict, name: str) -> None:
    """All that the call is about was kept, and what is told has its shape."""
    if call in {"session", "identify"}:
        assert answer["end_user"]["external_id"] == "ann", name
    if call == "events":
        assert (answer["accepted"] + answer["duplicates"], answer["errors"]) == (2, []), name
    if call == "markers":
        assert answer["markers"] == ["GOOD"], name
    for one in answer.get("left_out", []):
        assert set(one) == {"field", "code", "message"}, name
        assert one["code"] in set(LeftOutCode), name
        assert one["message"].startswith(one["field"] + ": "), name


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("call", BODIES)
def test_whatever_stands_in_all_optional_parts_at_once_the_rest_is_kept(page, settings_for_fuzz, call, name):
    page.session()
    body = Everything(page).bodies[call]
    for _, path in [one for one in OPTIONAL if one[0] == call]:
        if not any(path[:length] == one for one in EMPTY for length in range(1, len(path))):
            body = put(body, path, HOSTILE[name])
    response = post(call, as_sent(body)) if call == "reports" else page.send(call, as_sent(body))
    assert response.status_code == 200, response.content
    whole(call, response.json(), name)


@pytest.mark.parametrize(("call", "path"), OPTIONAL, ids=[f"{call}-{'.'.join(path)}" for call, path in OPTIONAL])
def test_whatever_stands_in_an_optional_part_only_that_is_left_out(page, call, path):
    page.installation = {"id": "x", "secret": "y"}
    body = Everything(page).bodies[call]
    good, _ = kept_of(call, body)
    for value in HOSTILE.values():
        found, left_out = kept_of(call, put(body, path, characters_replace(value, [])))
        where = ".".join(path)
        # A part that is named stands inside this one, or is the optional object that means nothing without it.
        assert all(
            f"{one.field}.".startswith(f"{where}.") or f"{where}.".startswith(f"{one.field}.") for one in left_out
        )
        assert [one for one in good if one not in (path[0], "events", "reports") and found[one] != good[one]] == []


def kept_of(call: str, body: dict) -> tuple[dict, list]:
    """Return what the serializers make of a body, of the events in it too."""
    found, left_out = s.kept(s.checker(BODIES[call]), body)
    if call == "events":
        for index, item in enumerate(body["events"]):
            left_out += s.kept(s.checker(s.EventSerializer), item, under=f"events.{index}")[1]
    return found, left_out


@pytest.mark.parametrize("call", ["session", "identify", "events", "markers", "status"])
def test_what_makes_a_call_meaningless_or_forged_is_refused(page, settings_for_fuzz, call):
    page.session()
    body = Everything(page).bodies[call]
    for field in REFUSED[call] - {"push.token", "events.0", "events.0.name", "installation"}:
        for value in ([], {"a": 1}, True) if field != "markers" else ({"a": 1}, True):
            assert page.send(call, put(body, tuple(field.split(".")), value)).status_code == 400, (field, value)
    assert page.send(call, body | {"installation": {"id": "x", "secret": "y"}}).status_code == 401
    assert page.send(call, body | {"installation": "x"}).status_code == 400
