"""Calls that touch the same people and devices at the same moment: each is answered, none with a 503.

Real threads on real connections. PostgreSQL breaks a deadlock after a second; the order of locks (ARCHITECTURE,
invariants) leaves hardly any to be broken, and the transaction of a call that lost one is done again.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from devices.models import Brand, Device, EndUser, PushStatus, Status
from smartpush.common.calls.errors import unavailable
from smartpush.common.database import deadlocks
from smartpush.common.database.deadlocks import TRIES, ChangedMeanwhile, transaction_again
from tests.api.page import Page, error_of, event
from tests.api.server.client import Server
from tests.api.server.client import event as server_event
from tests.support.races import Held, together, wait_until_blocked

ORIGIN = "https://books.example"
MEANT = frozenset({200})
# An installation whose person was erased is unknown from then on, and so is the person.
ERASED = frozenset({200, 401, 404})
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("settings_for_fuzz")]


def broken_deadlocks() -> int:
    """How many deadlocks PostgreSQL has broken in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def answered(*calls: Callable[[], Any], meant: frozenset[int] = MEANT) -> list[Any]:
    """Run calls at one moment; every answer's status is one of those that are meant."""
    answers = together(*calls)
    odd = [(answer.status_code, answer.content) for answer in answers if answer.status_code not in meant]
    assert not odd, odd
    return answers


def body_of(page: Page, **more: Any) -> dict[str, Any]:
    return {
        "installation": page.installation,
        "tab": page.tab,
        "push": page.push,
        "device": {"browser": "firefox", "browser_version": "153.0", "os": "linux"},
        "page": {"url": page.origin + "/"},
    } | more


def here(page: Page, **more: Any) -> dict[str, Any]:
    return {"installation": page.installation, "tab": page.tab} | more


def subscriber(brand: Brand, external_id: str | None = None) -> Page:
    page = Page(brand, ORIGIN)
    page.allow()
    page.session(external_id=external_id)
    return page


def tokens_are_with_their_holders(brand: Brand) -> None:
    for device in Device.objects.filter(brand=brand, token_hash__isnull=False):
        allowed = PushStatus.objects.filter(device=device, status=Status.ALLOWED).values_list("end_user_id", flat=True)
        assert list(allowed) in ([], [device.holder_id])


def test_two_devices_swap_their_people(brand):
    one, two = subscriber(brand, "ann"), subscriber(brand, "bob")
    before = broken_deadlocks()
    for round_ in range(12):
        first, second = ("bob", "ann") if round_ % 2 == 0 else ("ann", "bob")
        answered(
            lambda who=first: one.send("identify", body_of(one, external_id=who)),
            lambda who=second: two.send("identify", body_of(two, external_id=who)),
        )
        assert (one.device.holder.external_id, two.device.holder.external_id) == (first, second)
    assert broken_deadlocks() == before
    tokens_are_with_their_holders(brand)


@pytest.mark.parametrize("names", [["ann"], [None], ["ann", None, "bob"]], ids=["one", "nobody", "several"])
def test_several_first_sessions_with_one_subscription(brand, names):
    for round_ in range(4):
        pages = [Page(brand, ORIGIN) for _ in range(6)]
        pages[0].allow()
        for page in pages[1:]:
            page.subscription, page.permission = pages[0].subscription, "granted"
        who = [name and f"{name}{round_}" for name in names] * 6
        answered(
            *[
                lambda page=page, who=who: page.send("session", body_of(page, external_id=who))
                for page, who in zip(pages, who, strict=False)
            ]
        )
        assert Device.objects.filter(brand=brand, token_hash__isnull=False).count() == round_ + 1
    tokens_are_with_their_holders(brand)


def test_one_device_is_many_peoples_at_once(brand):
    page = subscriber(brand)
    for _ in range(3):
        answered(
            *[
                lambda who=f"person{number}": page.send("identify", body_of(page, external_id=who))
                for number in range(6)
            ]
        )
    assert EndUser.objects.filter(brand=brand, external_id__startswith="person").count() == 6
    tokens_are_with_their_holders(brand)


def test_merges_amid_sessions(brand):
    server = Server(brand)
    for round_ in range(8):
        names = [f"a{round_}", f"b{round_}"]
        pages = [subscriber(brand, name) for name in names]
        answered(
            lambda names=names: server.send("POST", f"users/{names[0]}/merge", {"into": names[1]}),
            *[
                lambda page=page, who=who: page.send("session", body_of(page, external_id=who))
                for page, who in zip(pages, reversed(names), strict=True)
            ],
            lambda page=pages[0]: page.send("events", here(page, events=[event()])),
        )
    tokens_are_with_their_holders(brand)


def test_visitors_become_one_person_while_others_come_and_go(brand):
    for round_ in range(5):
        visitors = [subscriber(brand) for _ in range(3)]
        known = subscriber(brand, f"ann{round_}")
        answered(
            *[
                lambda page=page, who=f"ann{round_}": page.send("identify", body_of(page, external_id=who))
                for page in visitors
            ],
            lambda page=known: page.send("logout", here(page)),
            lambda page=visitors[0]: page.send("events", here(page, events=[event()])),
        )
        assert Device.objects.filter(holder__external_id=f"ann{round_}").count() == 4
    tokens_are_with_their_holders(brand)


def everything_at_once(brand: Brand, ann: str, bob: str, *, end: str) -> None:
    server = Server(brand)
    one, two = subscriber(brand, ann), subscriber(brand, bob)
    rows = [{"external_id": who, "markers": {"add": ["VIP"]}, "properties": {"n": 1}} for who in (bob, ann)]
    rows.append({"external_id": f"{ann}-friend", "language": "el"})
    ending = {
        "erase": lambda: server.send("DELETE", f"users/{ann}"),
        "merge": lambda: server.send("POST", f"users/{ann}/merge", {"into": bob}),
    }
    answered(
        lambda: one.send("identify", body_of(one, external_id=bob)),
        lambda: two.send("identify", body_of(two, external_id=ann)),
        lambda: one.send("events", here(one, events=[event()])),
        lambda: two.send("markers", here(two, operation="add", markers=["GOLD"])),
        lambda: one.send("preferences", here(one, opted_out=True)),
        lambda: two.send("status", here(two, push=two.push, cause="sdk_call")),
        lambda: server.send("POST", "users/bulk", {"users": rows}),
        lambda: server.send("POST", "users/bulk", {"users": rows[::-1]}),
        lambda: server.send("POST", "events/bulk", {"events": [server_event(ann), server_event(bob)]}),
        lambda: server.send("POST", f"users/{bob}/opt-out", {"opted_out": True}),
        ending[end],
        meant=ERASED,
    )


@pytest.mark.parametrize("end", ["merge", "erase"])
def test_all_calls_about_two_people_at_one_moment(brand, end):
    for round_ in range(4):
        everything_at_once(brand, f"ann{round_}", f"bob{round_}", end=end)
    tokens_are_with_their_holders(brand)


CALLS = {
    "session": lambda page: page.send("session", body_of(page, external_id="ann")),
    "identify": lambda page: page.send("identify", body_of(page, external_id="bob")),
    "logout": lambda page: page.send("logout", here(page)),
    "status": lambda page: page.send("status", here(page, push=page.push, cause="sdk_call")),
    "events": lambda page: page.send("events", here(page, events=[event()])),
    "markers": lambda page: page.send("markers", here(page, operation="add", markers=["GOLD"])),
    "preferences": lambda page: page.send("preferences", here(page, opted_out=True)),
    "consents": lambda page: page.send("consents", here(page, subject="tracking", answer="withdrawn")),
    "erase": lambda page: Server(page.brand).send("DELETE", "users/ann"),
    "merge": lambda page: Server(page.brand).send("POST", "users/ann/merge", {"into": "bob"}),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_people_are_locked_before_their_devices(brand, call):
    """While somebody else has the person, the call waits for them and keeps the device from nobody."""
    page = subscriber(brand, "ann")
    subscriber(brand, "bob")
    person = page.device.session_end_user_id
    held = Held(lambda: EndUser.objects.select_for_update(no_key=True).get(pk=person))
    pids: list[int] = []
    started = threading.Event()
    answers: list[int] = []

    def other() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            started.set()
            answers.append(call(page).status_code)
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    thread.start()
    assert started.wait(120)
    wait_until_blocked(pids[0])
    with transaction.atomic():
        Device.objects.select_for_update(nowait=True).get(pk=page.device.pk)
    held.finish()
    thread.join(120)
    assert answers == [200]


def test_a_call_that_loses_every_time_says_why_and_when_to_try_again(brand, page, monkeypatch):
    monkeypatch.setattr(deadlocks, "_JITTER_SECONDS", 0.0)
    tried = []

    def overtaken(*args: Any, **values: Any) -> None:
        tried.append(1)
        raise ChangedMeanwhile

    monkeypatch.setattr("smartpush.api.sdk.flows.session_open", overtaken)
    answer = page.send("session", body_of(page))
    assert (answer.status_code, len(tried)) == (503, TRIES)
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert error_of(answer)["message"] == "Other calls are changing the same data; try again."


def test_a_503_names_the_cause_that_it_has(brand):
    """Causes as PostgreSQL tells them, made here by the statements that bring them about."""

    def failing(*statements: str) -> Exception:
        with pytest.raises(OperationalError) as caught, transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        return caught.value

    slow = failing("SET LOCAL statement_timeout = 1", "SELECT pg_sleep(60)")
    assert "took too long" in unavailable(slow)[0]["error"]["message"]
    held = Held(lambda: EndUser.objects.select_for_update().get(pk=EndUser.objects.create(brand=brand).pk))
    person = held.result.pk
    # The row is not committed: whoever makes the same one waits for it.
    waiting = failing(
        "SET LOCAL lock_timeout = 1",
        f"INSERT INTO devices_enduser (id, brand_id, language, time_zone, country, properties)"
        f" VALUES ({person}, {brand.pk}, '', '', '', '{{}}')",
    )
    held.finish()
    assert "changing the same data" in unavailable(waiting)[0]["error"]["message"]
    with pytest.raises(OperationalError) as gone, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    body, headers = unavailable(gone.value)
    assert "restarting" in body["error"]["message"] and int(headers["Retry-After"]) > 0


def test_inside_a_bigger_transaction_nothing_is_done_twice(brand):
    tried = []

    def overtaken() -> None:
        tried.append(1)
        raise ChangedMeanwhile

    with pytest.raises(ChangedMeanwhile), transaction.atomic():
        transaction_again(overtaken)
    assert tried == [1]


def test_what_a_lost_try_wrote_is_gone(brand):
    tries = []

    def work() -> int:
        EndUser.objects.create(brand=brand, external_id=f"try{len(tries)}")
        tries.append(1)
        if len(tries) < 3:
            raise ChangedMeanwhile
        return len(tries)

    assert transaction_again(work) == 3
    assert list(EndUser.objects.values_list("external_id", flat=True)) == ["try2"]


def test_a_poll_waits_for_no_person(page):
    page.session(external_id="ann")
    held = Held(lambda: EndUser.objects.select_for_update().get(external_id="ann"))
    try:
        assert page.call("popups/poll")["popup"] is None
    finally:
        held.finish()
