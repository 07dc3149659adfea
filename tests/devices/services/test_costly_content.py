"""Costly content on the send path: it ends with its reason, nobody healthy is lost, and no other brand waits for it."""

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from devices.models import Delivery, DeliveryChunk, Incident
from devices.services.brands import brand_create
from devices.services.outbox import chunks_cut
from devices.services.sending import chunk_send, send
from devices.services.sending.turns import TURN, RenderTurn
from smartpush.common.personalisation import MOST_SPENT, limits
from tests.devices.services.sending import Channel, variant

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


def turns_of(channel: Channel, monkeypatch, *, people: int, title: str, lane: str) -> list[int]:
    """Write a costly message to many, and one plain one of another brand behind it; send as a worker takes the queue.

    Returns what each call to chunk_send spent on rendering, up to the plain message's.
    """
    spent: list[int] = []
    kept = RenderTurn.add

    def counted(turn: RenderTurn, meter) -> None:
        spent[-1] += meter.spent
        kept(turn, meter)

    monkeypatch.setattr(RenderTurn, "add", counted)
    for n in range(people):
        write(channel, channel.subscriber(f"p{n}", n=190), title=title, request=f"{n}", lane=lane)
    queue = [chunk.id for chunk in chunks_cut(now=channel.now)]
    other = Channel(brand_create(name="Other", origin="https://other.example"), channel.service)
    healthy = write(other, other.subscriber("zoe"), title="Plain", lane=lane, key="other")
    queue += [chunk.id for chunk in chunks_cut(now=channel.now)]
    assert len(queue) == 2
    while Delivery.objects.get(pk=healthy).state != "accepted":
        OrmQ.objects.all().delete()
        chunk = queue.pop(0)
        spent.append(0)
        chunk_send(chunk_id=chunk, now=channel.now)
        queue += [job.func_args()[0] for job in OrmQ.objects.order_by("pk") if job.func_args()[0] == chunk]
    return spent


@pytest.mark.parametrize("lane", ["urgent", "bulk"])
def test_another_brand_waits_for_one_turn_at_most(channel, monkeypatch, lane):
    spent = turns_of(channel, monkeypatch, people=14, title=COSTLY, lane=lane)
    assert len(spent) == 2  # one turn of the costly chunk, then the other brand's
    assert TURN <= spent[0] < TURN + MOST_SPENT
    left = Delivery.objects.filter(brand=channel.brand, state="ready")
    assert left.exists()
    assert set(left.values_list("tries", flat=True)) == {0}


def test_a_chunk_that_gave_way_goes_on_in_its_next_turn_until_all_is_sent(channel):
    people = 14
    for n in range(people):
        write(channel, channel.subscriber(f"p{n}", n=190), title=COSTLY, request=f"{n}")
    (chunk,) = chunks_cut(now=channel.now)
    turns = 0
    while not DeliveryChunk.objects.filter(pk=chunk.id, state="done").exists():
        turns += 1
        assert turns < people
        sent = chunk_send(chunk_id=chunk.id, now=channel.now)
        assert sent > 0
    assert turns > 1
    assert states() == [("accepted", "")] * people
    assert all(len(channel.received(f"p{n}")) == 1 for n in range(people))
    assert set(Delivery.objects.values_list("tries", flat=True)) == {1}


def test_rows_that_a_turn_is_too_short_for_go_back_as_they_were(channel, monkeypatch):
    """Cheap at first, so that many rows are taken at once, and then costly."""
    people = 30
    for n in range(people):
        cost = 1 if n < 10 else 190
        write(channel, channel.subscriber(f"p{n:02}", n=cost), title=COSTLY, request=f"{n}")
    (chunk,) = chunks_cut(now=channel.now)
    chunk_send(chunk_id=chunk.id, now=channel.now)
    waiting = Delivery.objects.filter(state="ready")
    assert 0 < waiting.count() < people
    assert set(waiting.values_list("chunk_id", "tries", "hold_reason")) == {(chunk.id, 0, "turn")}
    assert not Delivery.objects.filter(state="sending").exists()


def test_a_text_that_fails_for_everybody_costs_a_chunk_one_filling_in(channel, monkeypatch):
    people = 12
    title = "{% for i in (1..190) %}" + "{% # for all %}" * 60 + "{% endfor %}"
    for n in range(people):
        write(channel, channel.subscriber(f"p{n}"), title=title, request=f"{n}")
    (chunk,) = chunks_cut(now=channel.now)
    spent = []
    kept = RenderTurn.add
    monkeypatch.setattr(RenderTurn, "add", lambda turn, meter: (spent.append(meter.spent), kept(turn, meter)))
    chunk_send(chunk_id=chunk.id, now=channel.now)
    assert states() == [("failed", "template_limit")] * people
    assert sorted(spent)[:-1] == [0] * (people - 1)
    assert Incident.objects.get().count == people


def test_plain_texts_are_sent_in_one_turn_whatever_their_number(channel, monkeypatch):
    taken = []
    gate = send.rows_gate
    monkeypatch.setattr(send, "rows_gate", lambda **given: (taken.append(given["limit"]), gate(**given))[1])
    for n in range(12):
        title = 'Hi {{ user.first_name | default: "there" }}'
        write(channel, channel.subscriber(f"p{n}"), title=title, request=f"{n}")
    channel.send_due()
    assert taken == [send.GATE_AT_ONCE]
    assert states() == [("accepted", "")] * 12
