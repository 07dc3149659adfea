"""Costly content on the send path: it ends with its reason, nobody healthy is lost, and no other brand waits for it."""

from datetime import timedelta

import pytest

from devices.delivery.sending import carrying
from devices.delivery.sending.send import lane_send
from devices.delivery.sending.turns import TURN, RenderTurn
from devices.delivery.services.outbox import chunks_cut
from devices.lifecycle.brands import brand_create
from devices.models import Delivery, DeliveryChunk, Incident
from smartpush.common.personalisation import MOST_SPENT, Meter, limits
from tests.support.sending import Channel, variant

# Within the limits, and near them: what it takes depends on the person.
COSTLY = "{% for i in (1..user.n) %}" + "{% # step %}" * 48 + "{% endfor %}Hello"
LONG = "{% for i in (1..150) %}{{ i }} {% endfor %}"
BOMB = "{% assign a = 9999999999 %}{% for i in (1..13) %}{% assign a = a | times: a %}{% endfor %}{{ a }}"


def write(channel: Channel, browser, *, title: str, request: str = "1", **fields) -> int:
    dispatch = channel.dispatch(variants={"en": variant(title=title)}, **fields)
    (made,) = channel.add(dispatch, browser, request=request)
    return made


def states() -> list[tuple[str, str]]:
    return list(Delivery.objects.order_by("pk").values_list("state", "reason"))


@pytest.mark.parametrize("field", ["title", "message", "url", "button"])
def test_over_the_limit_ends_at_once_with_an_incident_that_says_where(channel, field):
    ann = channel.subscriber("ann")
    address = f"https://books.example/{BOMB}"
    content = {
        "title": variant(title=BOMB),
        "message": variant(message=BOMB),
        "url": variant(url=address),
        "button": variant(buttons=[{"id": "b1", "title": "Open", "url": address}]),
    }[field]
    delivery = channel.push(ann, variants={"en": content}, label="Spring sale")
    assert (delivery.state, delivery.reason) == ("failed", "template_limit")
    (incident,) = Incident.objects.all()
    assert (incident.kind, incident.brand_id, incident.count) == ("template_limit", channel.brand.pk, 1)
    assert "Spring sale" in incident.subject
    assert incident.detail.startswith(field)
    assert "64 bits" in incident.detail
    assert channel.received("ann") == []


def test_those_over_the_limit_end_and_the_others_get_the_message(channel):
    ann, bob = channel.subscriber("ann", n=199), channel.subscriber("bob", n=2)
    for n, browser in enumerate((ann, bob)):
        write(channel, browser, title=COSTLY, request=str(n))
    channel.send_due()
    assert [state for state, _ in states()] == ["accepted", "accepted"]
    greedy = "{% for i in (1..user.n) %}" + "{% # step %}" * 52 + "{% endfor %}Hello"
    for n, browser in enumerate((ann, bob)):
        write(channel, browser, title=greedy, request=f"greedy {n}", key="greedy")
    channel.send_due()
    assert states()[2:] == [("failed", "template_limit"), ("accepted", "")]
    assert Incident.objects.get().count == 1


def test_too_long_by_the_clock_is_held_and_tried_once_more(channel, monkeypatch):
    ann = channel.subscriber("ann")
    write(channel, ann, title=LONG)
    monkeypatch.setattr(limits, "MAX_SECONDS", 0)
    channel.send_due()
    (row,) = Delivery.objects.all()
    assert (row.state, row.hold_reason, row.reason, row.tries) == ("ready", "template_time", "template_time", 0)
    assert not Incident.objects.exists()
    later = row.next_attempt_at
    assert channel.now < later <= channel.now + timedelta(minutes=5)
    monkeypatch.undo()
    channel.send_due(now=later)
    assert states() == [("accepted", "")]
    assert channel.received("ann")[0]["title"].startswith("1 2 3")


def test_too_long_twice_ends_it_with_an_incident(channel, monkeypatch):
    ann = channel.subscriber("ann")
    write(channel, ann, title=LONG)
    monkeypatch.setattr(limits, "MAX_SECONDS", 0)
    channel.send_due()
    channel.send_due(now=Delivery.objects.get().next_attempt_at)
    assert states() == [("failed", "template_limit")]
    assert Incident.objects.get().kind == "template_limit"


def test_a_held_message_still_expires(channel, monkeypatch):
    ann = channel.subscriber("ann")
    write(channel, ann, title=LONG, ttl=60)
    monkeypatch.setattr(limits, "MAX_SECONDS", 0)
    channel.send_due()
    row = Delivery.objects.get()
    assert row.next_attempt_at <= row.expires_at
    channel.send_due(now=row.expires_at)
    assert Delivery.objects.get().state == "expired"


@pytest.fixture
def spent(monkeypatch) -> list[int]:
    """What filling in each message took, in the order in which they were."""
    found: list[int] = []
    kept = RenderTurn.add

    def counted(turn: RenderTurn, meter) -> None:
        found.append(meter.spent)
        kept(turn, meter)

    monkeypatch.setattr(RenderTurn, "add", counted)
    return found


@pytest.mark.parametrize("lane", ["urgent", "bulk"])
def test_another_brand_waits_for_one_turn_at_most(channel, spent, lane):
    """Counted, not timed: what is filled in before the other brand's message is."""
    people = 14
    for n in range(people):
        write(channel, channel.subscriber(f"p{n}", n=190), title=COSTLY, request=f"{n}", lane=lane)
    (costly,) = chunks_cut(now=channel.now)
    other = Channel(brand_create(name="Other", origin="https://other.example"), channel.service)
    healthy = write(other, other.subscriber("zoe"), title="Plain", lane=lane, key="other")
    chunks_cut(now=channel.now)
    lane_send(chunk_id=costly.id, lane=lane, now=channel.now)
    assert Delivery.objects.get(pk=healthy).state == "accepted"
    assert states() == [("accepted", "")] * (people + 1)
    before = spent[: spent.index(0)]
    assert sum(before) < TURN + MOST_SPENT
    assert len(before) < people


def test_a_costly_chunk_is_sent_in_many_turns_and_each_message_once(channel, spent):
    people = 14
    for n in range(people):
        write(channel, channel.subscriber(f"p{n}", n=190), title=COSTLY, request=f"{n}")
    assert channel.send_due() == people
    assert states() == [("accepted", "")] * people
    assert sum(spent) > 3 * TURN
    assert all(len(channel.received(f"p{n}")) == 1 for n in range(people))
    assert set(Delivery.objects.values_list("tries", flat=True)) == {1}
    assert not DeliveryChunk.objects.exclude(state="done").exists()


def test_few_rows_are_taken_where_each_is_costly():
    turn = RenderTurn({"variants": {"en": variant(title=COSTLY)}})
    assert turn.rows(500) < 20
    meter = Meter()
    meter.visits = limits.MAX_VISITS
    turn.add(meter)
    assert 1 <= turn.rows(500) < 100
    assert RenderTurn({"variants": {"en": variant(title="Hi {{ user.name }}")}}).rows(500) == 500


def test_a_text_that_fails_for_everybody_costs_a_chunk_one_filling_in(channel, spent):
    people = 12
    title = "{% for i in (1..190) %}" + "{% # for all %}" * 60 + "{% endfor %}"
    for n in range(people):
        write(channel, channel.subscriber(f"p{n}"), title=title, request=f"{n}")
    channel.send_due()
    assert states() == [("failed", "template_limit")] * people
    assert sorted(spent)[:-1] == [0] * (people - 1)
    assert Incident.objects.get().count == people


def test_plain_texts_are_taken_many_at_a_time(channel, monkeypatch):
    taken = []
    gate = carrying.rows_gate
    monkeypatch.setattr(carrying, "rows_gate", lambda **given: (taken.append(given["limit"]), gate(**given))[1])
    for n in range(12):
        title = 'Hi {{ user.first_name | default: "there" }}'
        write(channel, channel.subscriber(f"p{n}"), title=title, request=f"{n}")
    channel.send_due()
    assert taken == [carrying.GATE_AT_ONCE]
    assert states() == [("accepted", "")] * 12
