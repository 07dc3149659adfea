"""`POST server/push` with `ttl` 0, from the call to the push service; and times that say when they are."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.delivery.sending.send import close_senders
from devices.models import Delivery, PropertyDefinition
from devices.pushservice.server import LocalPushService
from segments.rules import parse_rules
from segments.selectors.audiences import context_for, segment_queryset
from tests.api.server.client import event
from tests.api.server.pushes import send
from tests.support.sending import Channel


@pytest.fixture(scope="module")
def push_service():
    with LocalPushService() as service:
        yield service


@pytest.fixture
def channel(brand, push_service, settings):
    settings.SMARTPUSH_DEV_ORIGINS = frozenset({push_service.url})
    close_senders()
    yield Channel(brand, push_service)
    close_senders()


@pytest.mark.parametrize("ttl", [0, 1])
def test_a_push_that_is_not_to_be_kept_reaches_the_push_service_once(server, channel, shipped, ttl):
    channel.subscriber("ann")
    answer = send(server, shipped, ttl=ttl)
    channel.send_due(now=datetime.now(UTC) + timedelta(seconds=2))
    (told,) = server.call("GET", f"push/{answer['id']}")["deliveries"]
    assert told["state"] == "accepted"
    (message,) = channel.service.messages(token=channel.tokens["ann"])
    assert message["ttl"] == 0
    assert Delivery.objects.get().tries == 1


@pytest.mark.parametrize("at", ["2026-12-01T10:00:00", "2026-12-01", "2026-12-01 10:00", "tomorrow", 1764500000])
def test_send_at_without_an_offset_is_refused_and_asks_for_one(server, subscriber, shipped, at):
    error = send(server, shipped, send_at=at, expect=400)
    assert list(error["fields"]) == ["send_at"]
    assert "2026-11-23T12:00:00Z" in error["fields"]["send_at"][0]
    assert not Delivery.objects.exists()


@pytest.mark.parametrize(
    "written",
    [
        "{:%Y-%m-%dT%H:%M:%S}.1234567Z",
        "{:%Y-%m-%dt%H:%M:%S}z",
        "{:%Y-%m-%d %H:%M:%S},5+0000",
        "{:%Y-%m-%dT%H:%M}+00",
        "{:%Y%m%dT%H%M%S}Z",
    ],
)
def test_times_are_read_however_programs_write_them(server, subscriber, shipped, written):
    at = (datetime.now(UTC) + timedelta(hours=2)).replace(second=0, microsecond=0)
    answer = send(server, shipped, send_at=written.format(at))
    assert abs(datetime.fromisoformat(answer["send_at"]) - at) < timedelta(seconds=1)
    happened = written.format(at - timedelta(hours=4))
    assert server.events(event("ann", occurred_at=happened))["accepted"] == 1
    (row,) = server.users({"external_id": "ann", "properties": {"seen": happened}})["errors"] or [None]
    assert row is None


@pytest.mark.parametrize("at", ["2026-11-30T10:00:00", "2026-11-30", "now", 1, {}])
def test_an_event_without_an_offset_costs_its_row_only(server, subscriber, at):
    answer = server.events(event("ann", occurred_at=at), event("ann"))
    assert (answer["accepted"], [(one["index"], one["code"]) for one in answer["errors"]]) == (1, [(0, "invalid_row")])
    assert answer["errors"][0]["message"].startswith("occurred_at: ")
    if isinstance(at, str) and at.startswith("2026"):
        assert "offset" in answer["errors"][0]["message"]


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_look_up_asks_for_the_offset_too(server, subscriber, name):
    assert list(server.call("GET", f"deliveries?{name}=2026-11-30T10:00:00", expect=400)["fields"]) == [name]
    server.call("GET", f"deliveries?{name}=2026-11-30T10:00:00.1234567Z")


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("2026-11-30T10:00:00.1234567Z", "date"),
        ("2026-11-30t10:00:00,5z", "date"),
        ("2026-11-30T10:00:00+01", "date"),
        ("2026-11-30T10:00:00", "date"),
        ("20261130T100000Z", "text"),
        ("2026-11-30T10:00:00.1234567 o'clock", "text"),
    ],
)
def test_a_date_property_in_any_form_is_one_from_its_first_value_and_segments_find_it(server, brand, first, kind):
    server.users({"external_id": "ann", "properties": {"seen": first}})
    assert PropertyDefinition.objects.get(name="seen").type == kind
    if kind == "date":
        later = {"external_id": "bob", "properties": {"seen": "2026-12-24T18:00:00.0000001+0100"}}
        assert server.users(later)["errors"] == []
        assert seen_before(brand, "2026-12-01") == ["ann"]


def seen_before(brand, day: str) -> list[str]:
    """Whom a segment on the property finds."""
    date = {"date": day, "zone": "brand"}
    rule = {"field": "property", "params": {"name": "seen", "type": "date"}, "operator": "before", "value": date}
    rules = parse_rules({"version": 1, "rule": rule})
    context = context_for(rules=rules, brand_id=brand.pk, now=datetime.now(UTC))
    return list(segment_queryset(rules=rules, context=context).values_list("external_id", flat=True))
