"""One browser, several people: what goes on, what stops, and what one of them never sees of the other."""

from datetime import UTC, datetime

import pytest

from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import deliveries_add
from devices.installations.tokens import tokens_gone
from devices.models import Brand, Delivery, EndUser, PopupOffer, PushStatus, TokenHolding
from smartpush.common.ids import public_id
from tests.api.page import Page
from tests.support.people import person, push_enabled


@pytest.fixture
def shared(page) -> Page:
    """Ann has logged in and allowed pushes here."""
    page.allow()
    page.session(external_id="ann", properties={"first_name": "Ann"})
    page.call("markers", operation="add", markers=["VIP"])
    return page


@pytest.fixture
def stopping(brand) -> Brand:
    Brand.objects.filter(pk=brand.pk).update(logout_policy="stop")
    brand.refresh_from_db()
    return brand


def waiting(page: Page, external_id: str) -> None:
    """A message that waits for this end user on this device."""
    now = datetime.now(UTC)
    end_user = person(page.brand, external_id)
    spec = DispatchSpec(brand_id=page.brand.pk, day=now.date(), source="api", source_key=external_id, content={})
    ids = dispatches_ensure(specs=[spec], now=now)
    (dispatch_id,) = ids.values()
    deliveries_add(dispatch_id=dispatch_id, end_user_id=end_user.pk, request_key=external_id, now=now)


def states(external_id: str) -> list[tuple[str, str]]:
    return list(Delivery.objects.filter(end_user__external_id=external_id).values_list("state", "reason"))


# --- keep ---
def test_pushes_to_who_logged_out_go_on_where_the_brand_keeps_them(shared, brand):
    waiting(shared, "ann")
    shared.call("logout")
    shared.session()
    assert push_enabled(person(brand, "ann"))
    assert shared.device.holder == person(brand, "ann")
    assert states("ann") == [("ready", "")]


def test_a_renewed_subscription_of_the_visitors_page_stays_with_who_logged_out(shared, brand):
    shared.call("logout")
    shared.allow()
    assert shared.session()["status"] == "suspended"
    assert push_enabled(person(brand, "ann"))
    assert TokenHolding.objects.get(until=None).end_user == person(brand, "ann")


# --- stop ---
def test_pushes_stop_at_logout_where_the_brand_says_so(stopping, shared):
    waiting(shared, "ann")
    shared.call("logout")
    assert not push_enabled(person(stopping, "ann"))
    assert states("ann") == [("cancelled", "logged_out")]


def test_the_visitors_page_does_not_bring_stopped_pushes_back(stopping, shared):
    shared.call("logout")
    for renewed in (False, True):
        if renewed:
            shared.allow()
        answer = shared.session()
        assert (answer["status"], answer["resubscribe"]) == ("suspended", False)
        shared.call("worker/subscription", push=shared.push)
        assert shared.device.token_hash is None
    assert not push_enabled(person(stopping, "ann"))
    assert not TokenHolding.objects.filter(until=None).exists()


def test_a_dead_token_at_logout_is_not_replaced_by_the_visitors(stopping, shared):
    device = shared.device
    tokens_gone(tokens=[(device.pk, device.token_hash)], reason="gone", now=datetime.now(UTC))
    shared.call("logout")
    shared.allow()
    shared.session()
    assert shared.device.token_hash is None


def test_stopped_pushes_begin_again_when_the_same_person_is_back(stopping, shared):
    shared.call("logout")
    shared.session()
    assert shared.session(external_id="ann")["status"] == "allowed"
    assert push_enabled(person(stopping, "ann"))


def test_after_a_stop_the_next_person_gets_their_own_pushes(stopping, shared):
    shared.call("logout")
    shared.session()
    assert shared.session(external_id="ben")["status"] == "allowed"
    assert push_enabled(person(stopping, "ben"))
    assert not push_enabled(person(stopping, "ann"))
    assert PushStatus.objects.get(end_user=person(stopping, "ann")).status == "suspended"


@pytest.mark.parametrize("policy", ["keep", "stop"])
def test_a_visitor_may_allow_where_who_logged_out_never_did(page, brand, policy):
    Brand.objects.filter(pk=brand.pk).update(logout_policy=policy)
    page.session(external_id="ann")
    page.call("logout")
    page.allow()
    assert page.call("status", push=page.push)["status"] == "allowed"
    assert page.device.holder.anonymous
    assert not push_enabled(person(brand, "ann"))


# --- a switch ---
def test_the_next_persons_login_takes_the_token_and_cancels_what_waits(shared, brand):
    waiting(shared, "ann")
    shared.call("logout")
    shared.session(external_id="ben")
    assert shared.device.holder == person(brand, "ben")
    assert PushStatus.objects.get(end_user=person(brand, "ann")).status == "suspended"
    assert person(brand, "ann").last_session_status == "suspended"
    assert states("ann") == [("cancelled", "device_taken_over")]
    assert states("ben") == []


# --- what one never sees of the other ---
def test_a_popup_of_who_logged_out_is_not_shown_to_the_visitor(page, asking):
    offer = page.session(external_id="ann")["popup"]
    page.call("popups/shown", offer=offer["id"])
    answer = page.call("logout")
    assert answer["popup"] is None
    for tab in ("tab-1", "tab-2"):
        told = page.beside(tab).call("popups/poll")["popup"]
        assert told is None or told["id"] != offer["id"]
    assert page.call("popups/shown", offer=offer["id"], expect=409)["code"] == "offer_not_yours"
    page.call("popups/outcome", offer=offer["id"], outcome="closed")
    assert PopupOffer.objects.get(end_user__external_id="ann").state == "shown"


def test_no_answer_after_logout_or_switch_says_anything_of_the_person_before(shared, brand):
    ann = person(brand, "ann")
    EndUser.objects.filter(pk=ann.pk).update(language="el", user_opt_out=True)
    said = [shared.call("logout"), shared.session(), shared.call("popups/poll"), shared.call("preferences/read")]
    said += [
        shared.session(external_id="ben"),
        shared.call("preferences/read"),
        shared.call("markers", operation="add"),
    ]
    text = str(said)
    for secret in ("ann", "Ann", "VIP", public_id("end_user", ann.pk), "el'", "opted_out': True"):
        assert secret not in text, secret


def test_what_the_visitor_and_the_next_person_do_is_never_the_first_ones(shared, brand):
    ann = person(brand, "ann")
    shared.call("logout")
    shared.session()
    shared.call("markers", operation="add", markers=["VISITOR"])
    shared.session(external_id="ben", properties={"first_name": "Ben"})
    ann.refresh_from_db()
    ben = person(brand, "ben")
    assert (ann.js_markers, ann.properties) == (["VIP"], {"first_name": "Ann"})
    assert (ben.js_markers, ben.properties) == (["VISITOR"], {"first_name": "Ben"})
