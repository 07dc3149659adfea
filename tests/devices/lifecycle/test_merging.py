"""A visitor turns out to be somebody known: nothing of theirs is lost, doubled, or left behind."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import chunks_cut, deliveries_add
from devices.lifecycle.brands import brand_create
from devices.models import (
    Brand,
    CapCounter,
    ConsentRecord,
    Delivery,
    DeliveryChunk,
    Device,
    EndUser,
    Event,
    FrequencyCap,
    PopupOffer,
    PushStatusChange,
    TokenHolding,
)
from devices.people.services.events import EventInput, event_record
from tests.support.people import NOON, Browser, person, status_of
from tests.support.races import Held, blocked, together
from tests.support.references import references

ORIGIN = "https://books.example"


def dispatch(brand: Brand, key: str = "send") -> int:
    spec = DispatchSpec(brand_id=brand.pk, day=NOON.date(), source="test", source_key=key, content={"kind": "push"})
    return next(iter(dispatches_ensure(specs=[spec], now=NOON).values()))


def waiting(browser: Browser, key: str = "send") -> Delivery:
    """A push that waits for this browser, cut into a chunk."""
    (pk,) = deliveries_add(
        dispatch_id=dispatch(browser.brand, key),
        end_user_id=browser.device.holder_id,
        request_key=key,
        variables=None,
        now=NOON,
    )
    chunks_cut(now=NOON)
    return Delivery.objects.get(pk=pk)


def offer(browser: Browser, state: str = "pending") -> PopupOffer:
    return PopupOffer.objects.create(
        brand=browser.brand,
        dispatch_id=dispatch(browser.brand, "popup"),
        end_user_id=browser.device.session_end_user_id,
        state=state,
        created_at=NOON,
        expires_at=NOON + timedelta(days=1),
    )


@pytest.fixture
def ann(brand) -> Browser:
    desk = Browser(brand)
    desk.load("ann")
    desk.allow()
    return desk


@pytest.fixture
def visitor(brand) -> Browser:
    phone = Browser(brand)
    phone.load()
    phone.allow()
    return phone


def test_an_unknown_id_promotes_the_visitor_in_place(brand, visitor):
    before = visitor.answers[0].end_user.pk
    one = waiting(visitor)
    result = visitor.load("ann")
    assert (result.end_user.pk, result.merge, result.logged_in) == (before, None, True)
    one.refresh_from_db()
    assert (one.end_user_id, one.state, one.chunk_id is None) == (before, "ready", False)


def test_all_that_a_visitor_has_becomes_the_known_persons_and_nothing_points_at_them(brand, ann, visitor):
    was = visitor.answers[0].end_user.pk
    known = person(brand, "ann")
    cap = FrequencyCap.objects.create(brand=brand, most=5)
    event_record(
        brand_id=brand.pk, end_user_id=was, device_id=None, events=[EventInput("deposit", NOON, {"n": 1})], now=NOON
    )
    ConsentRecord.objects.create(brand=brand, end_user_id=was, subject="tracking", answer="given", at=NOON)
    CapCounter.objects.create(cap=cap, end_user_id=was, window_start=NOON, count=2)
    CapCounter.objects.create(cap=cap, end_user_id=was, window_start=NOON - timedelta(days=1), count=1)
    CapCounter.objects.create(cap=cap, end_user_id=known.pk, window_start=NOON, count=1)
    offer(visitor, "later")
    one = waiting(visitor)
    EndUser.objects.filter(pk=was).update(
        js_markers=["A", "B"], backoffice_markers=["VIP"], user_opt_out=True, country="GR", properties={"x": 1, "y": 1}
    )
    EndUser.objects.filter(pk=known.pk).update(js_markers=["B", "C"], properties={"y": 2})
    visitor.load("ann")
    assert references(was) == {}
    assert not EndUser.objects.filter(pk=was).exists()
    known.refresh_from_db()
    assert (known.js_markers, known.backoffice_markers) == (["A", "B", "C"], ["VIP"])
    assert (known.properties, known.user_opt_out, known.platform_opt_out) == ({"x": 1, "y": 2}, True, False)
    assert known.country == "GR"
    assert Event.objects.get(name="deposit").end_user_id == known.pk
    assert ConsentRecord.objects.get().end_user_id == known.pk
    counted = CapCounter.objects.filter(end_user_id=known.pk).order_by("window_start").values_list("count", flat=True)
    assert list(counted) == [1, 3]
    one.refresh_from_db()
    assert (one.end_user_id, one.state) == (known.pk, "ready")
    assert visitor.device.holder_id == visitor.device.session_end_user_id == known.pk
    assert {status_of(brand, "ann", browser.device) for browser in (ann, visitor)} == {"allowed"}
    assert TokenHolding.objects.get(device=visitor.device).end_user_id == known.pk


def test_an_opt_out_of_the_known_person_outlives_the_merge(brand, ann, visitor):
    EndUser.objects.filter(external_id="ann").update(user_opt_out=True)
    visitor.load("ann")
    assert person(brand, "ann").user_opt_out


def test_the_known_persons_markers_come_first_where_there_is_no_room_for_all(brand, ann, visitor):
    EndUser.objects.filter(external_id="ann").update(js_markers=[f"K{n:03}" for n in range(199)])
    EndUser.objects.filter(pk=visitor.answers[0].end_user.pk).update(js_markers=["A", "B", "K000"])
    visitor.load("ann")
    markers = person(brand, "ann").js_markers
    assert len(markers) == 200
    assert {"A", "K000", "K198"} <= set(markers)


def test_of_two_open_popups_the_known_persons_stays(brand, ann, visitor):
    mine, theirs = offer(ann), offer(visitor, "shown")
    visitor.load("ann")
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.state, theirs.state) == ("pending", "cancelled")
    assert theirs.finished_at is not None


def test_an_open_popup_goes_on_where_the_known_person_has_none(brand, ann, visitor):
    theirs = offer(visitor, "shown")
    visitor.load("ann")
    theirs.refresh_from_db()
    assert (theirs.state, theirs.end_user_id) == ("shown", person(brand, "ann").pk)


def test_the_visitor_after_a_logout_is_merged_by_who_logs_in_next_and_never_by_who_left(brand, ann, visitor):
    device = ann.device
    ann.log_out()
    EndUser.objects.filter(pk=ann.device.session_end_user_id).update(js_markers=["BETWEEN"])
    ann.load("bob")
    assert person(brand, "bob").js_markers == ["BETWEEN"]
    assert person(brand, "ann").js_markers == []
    assert status_of(brand, "ann", device) == "suspended"
    assert status_of(brand, "bob", device) == "allowed"


def test_a_visitor_on_anns_device_who_is_ann_again_leaves_her_status_as_it_was(brand, ann):
    ann.log_out()
    ann.load()
    result = ann.load("ann")
    assert result.merge is not None
    assert result.status == "allowed"
    assert references(result.merge.source.pk) == {}
    assert not PushStatusChange.objects.filter(reason="held_by_other").exists()
    assert TokenHolding.objects.count() == 1


def test_the_same_external_id_at_another_brand_is_somebody_else(brand, ann, visitor):
    other = Browser(brand_create(name="Other", origin="https://other.example"))
    other.load()
    result = other.load("ann")
    assert (result.merge, result.end_user.brand_id) == (None, other.brand.pk)
    assert EndUser.objects.filter(external_id="ann").count() == 2


def while_held(first: Callable[[], Any], second: Callable[[], Any]) -> Any:
    """Begin `second` while `first` is done and not committed, commit once it waits, and return what it answers."""
    held = Held(first)
    answers: list[Any] = []

    def go() -> None:
        try:
            answers.append(second())
        except Exception as error:
            answers.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=go)
    thread.start()
    blocked(second)
    held.finish()
    thread.join(120)
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]


def tab_of(browser: Browser) -> Browser:
    """Another tab of the same browser."""
    return Browser(browser.brand, browser.now, browser.permission, browser.subscription, browser.credentials)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_log_the_same_visitor_in_as_somebody_known(ann, visitor):
    other = tab_of(visitor)
    second = while_held(lambda: visitor.load("ann"), lambda: other.load("ann"))
    assert (second.end_user.external_id, second.merge, second.logged_in) == ("ann", None, False)
    assert EndUser.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_log_the_same_visitor_in_as_somebody_new(visitor):
    other = tab_of(visitor)
    second = while_held(lambda: visitor.load("ann"), lambda: other.load("ann"))
    assert (second.end_user.external_id, second.logged_in) == ("ann", False)
    assert EndUser.objects.get().external_id == "ann"


@pytest.mark.django_db(transaction=True)
def test_a_visitor_just_promoted_is_not_renamed_by_another_tabs_login(visitor):
    other = tab_of(visitor)
    second = while_held(lambda: visitor.load("ann"), lambda: other.load("bob"))
    assert set(EndUser.objects.values_list("external_id", flat=True)) == {"ann", "bob"}
    assert second.logged_in
    assert Device.objects.get().holder_id == person(visitor.brand, "bob").pk


@pytest.mark.django_db(transaction=True)
def test_a_logout_that_waits_for_a_login_logs_out_who_came(visitor):
    other = tab_of(visitor)
    result = while_held(lambda: visitor.load("ann"), other.log_out)
    assert EndUser.objects.get(pk=result.end_user.pk).external_id is None
    assert Device.objects.get().session_end_user_id == result.end_user.pk
    assert Device.objects.get().holder_id == person(visitor.brand, "ann").pk


@pytest.mark.django_db(transaction=True)
def test_two_visitors_who_turn_out_to_be_the_same_person_at_once(brand, ann):
    phones = [Browser(brand), Browser(brand)]
    for number, phone in enumerate(phones):
        visitor = phone.load().end_user
        phone.allow()
        EndUser.objects.filter(pk=visitor.pk).update(js_markers=[f"M{number}"])
    together(*[lambda phone=phone: phone.load("ann") for phone in phones])
    known = person(brand, "ann")
    assert known.js_markers == ["M0", "M1"]
    assert set(Device.objects.values_list("holder_id", flat=True)) == {known.pk}
    assert EndUser.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_visitors_who_turn_out_to_be_the_same_new_person_at_once(brand):
    phones = [Browser(brand), Browser(brand)]
    for phone in phones:
        phone.load()
    together(*[lambda phone=phone: phone.load("ann") for phone in phones])
    assert EndUser.objects.get().external_id == "ann"
    assert set(Device.objects.values_list("session_end_user__external_id", flat=True)) == {"ann"}


@pytest.mark.django_db(transaction=True)
def test_a_push_that_is_checked_during_the_merge_is_still_sent(ann, visitor):
    one = waiting(visitor)
    claim = chunk_claim(chunk_id=one.chunk_id, now=NOON)
    assert claim is not None

    def gated() -> int:
        return len(rows_gate(claim=claim, now=NOON, limit=100)[1])

    assert while_held(lambda: visitor.load("ann"), gated) == 0
    one.refresh_from_db()
    assert (one.state, one.reason, one.chunk_id) == ("ready", "", None)
    chunks_cut(now=NOON)
    one.refresh_from_db()
    again = chunk_claim(chunk_id=one.chunk_id, now=NOON)
    assert again is not None
    assert [row.id for row in rows_gate(claim=again, now=NOON, limit=100)[1]] == [one.pk]


@pytest.mark.django_db(transaction=True)
def test_a_push_that_is_on_the_wire_during_the_merge_keeps_its_chunk_for_its_result(ann, visitor):
    one = waiting(visitor)
    claim = chunk_claim(chunk_id=one.chunk_id, now=NOON)
    assert claim is not None
    while_held(lambda: rows_gate(claim=claim, now=NOON, limit=100), lambda: visitor.load("ann"))
    one.refresh_from_db()
    assert (one.state, one.chunk_id) == ("sending", claim.chunk_id)
    assert one.end_user_id == person(visitor.brand, "ann").pk
    assert DeliveryChunk.objects.get(pk=claim.chunk_id).attempt == claim.attempt


@pytest.mark.django_db(transaction=True)
def test_properties_that_a_server_writes_meanwhile_are_kept(ann):
    known = person(ann.brand, "ann")

    def server() -> None:
        with transaction.atomic():
            row = EndUser.objects.select_for_update().get(pk=known.pk)
            row.properties = {"tier": "gold"}
            row.save(update_fields=["properties"])

    while_held(server, lambda: ann.load("ann", first_name="Ann"))
    assert person(ann.brand, "ann").properties == {"tier": "gold", "first_name": "Ann"}
