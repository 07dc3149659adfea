"""Who is on which device: register, identify, switch, logout, and storage that was cleared."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import deliveries_add
from devices.installations.reporting import Credentials, InstallationUnknown, Subscription, TokenNotYours
from devices.lifecycle.brands import brand_create, vapid_key_add
from devices.models import Brand, Delivery, Device, EndUser, PushStatus, PushStatusChange, Status, TokenHolding
from tests.support.people import NOON, Browser, new_subscription, person, push_enabled, status_of

CONTENT = {
    "kind": "push",
    "default_language": "en",
    "variants": {"en": {"title": "Hello", "message": "There", "url": "", "buttons": []}},
}


def waiting_push(brand: Brand, end_user: EndUser) -> Delivery:
    spec = DispatchSpec(brand_id=brand.pk, day=NOON.date(), source="test", source_key="t", content=CONTENT)
    dispatch_id = next(iter(dispatches_ensure(specs=[spec], now=NOON).values()))
    (delivery_id,) = deliveries_add(
        dispatch_id=dispatch_id, end_user_id=end_user.pk, request_key=f"r{end_user.pk}", now=NOON
    )
    return Delivery.objects.get(pk=delivery_id)


def test_a_first_page_load_is_an_anonymous_visitor_at_ask(browser):
    result = browser.load()
    assert result.end_user.anonymous
    assert result.status == Status.ASK
    assert result.end_user.last_session_status == Status.ASK
    assert result.secret


def test_an_anonymous_visitor_can_allow(browser):
    browser.load()
    result = browser.allow()
    assert result.status == Status.ALLOWED
    assert push_enabled(result.end_user)


def test_blocked_is_blocked_and_has_no_token(browser):
    browser.load()
    browser.allow()
    result = browser.block()
    assert result.status == Status.BLOCKED
    assert browser.device.token_hash is None
    assert not push_enabled(result.end_user)


def test_identify_with_an_unknown_id_promotes_the_visitor_in_place(browser):
    visitor = browser.load().end_user
    browser.allow()
    result = browser.load("ann", first_name="Ann")
    assert result.end_user.pk == visitor.pk
    assert result.logged_in
    assert push_enabled(person(browser.brand, "ann"))
    assert person(browser.brand, "ann").properties == {"first_name": "Ann"}


def test_identify_with_a_known_id_merges_the_visitor(brand):
    desk, phone = Browser(brand), Browser(brand)
    desk.load("ann")
    visitor = phone.load().end_user
    EndUser.objects.filter(pk=visitor.pk).update(js_markers=["SPORTS"])
    EndUser.objects.filter(brand=brand, external_id="ann").update(js_markers=["NEWS"])
    phone.allow()
    result = phone.load("ann")
    ann = person(brand, "ann")
    assert result.merge.source.pk == visitor.pk
    assert not EndUser.objects.filter(pk=visitor.pk).exists()
    assert ann.js_markers == ["NEWS", "SPORTS"]
    assert phone.device.holder_id == ann.pk
    assert status_of(brand, "ann", phone.device) == Status.ALLOWED
    assert TokenHolding.objects.get(device=phone.device, until=None).end_user_id == ann.pk


def test_login_of_b_takes_the_token_from_a_at_once_and_gives_it_back(browser):
    brand = browser.brand
    browser.load("a")
    browser.allow()
    waiting = waiting_push(brand, person(brand, "a"))
    browser.load("b")
    assert status_of(brand, "a", browser.device) == Status.SUSPENDED
    assert status_of(brand, "b", browser.device) == Status.ALLOWED
    assert person(brand, "a").last_session_status == Status.SUSPENDED
    assert not push_enabled(person(brand, "a"))
    assert push_enabled(person(brand, "b"))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("cancelled", "device_taken_over")
    browser.load("a")
    assert status_of(brand, "a", browser.device) == Status.ALLOWED
    assert status_of(brand, "b", browser.device) == Status.SUSPENDED
    holders = TokenHolding.objects.filter(device=browser.device).order_by("pk")
    assert [(h.end_user.external_id, h.ended) for h in holders] == [
        ("a", "taken_over"),
        ("b", "taken_over"),
        ("a", ""),
    ]


def test_who_keeps_another_device_is_not_suspended_as_a_whole(brand):
    desk, phone = Browser(brand), Browser(brand)
    for one in (desk, phone):
        one.load("a")
        one.allow()
    desk.load("b")
    assert person(brand, "a").last_session_status == Status.ALLOWED
    assert push_enabled(person(brand, "a"))


def test_a_switch_is_never_a_merge(browser):
    browser.load("a")
    EndUser.objects.filter(external_id="a").update(js_markers=["SECRET"])
    result = browser.load("b")
    assert result.merge is None
    assert person(browser.brand, "b").js_markers == []
    assert person(browser.brand, "a").js_markers == ["SECRET"]


def test_logout_leaves_the_token_and_a_visitor_never_takes_it(browser):
    brand = browser.brand
    browser.load("a")
    browser.allow()
    browser.log_out()
    visitor = browser.load()
    assert visitor.end_user.anonymous
    assert visitor.status == Status.SUSPENDED
    assert push_enabled(person(brand, "a"))
    assert browser.device.holder_id == person(brand, "a").pk


@pytest.mark.parametrize("policy", ["keep", "stop"])
def test_who_logs_out_where_they_allowed_leaves_a_visitor_who_is_suspended_at_once(browser, policy):
    Brand.objects.update(logout_policy=policy)
    browser.brand.refresh_from_db()
    browser.load("a")
    browser.allow()
    assert browser.log_out().status == Status.SUSPENDED
    visitor = browser.device.session_end_user
    assert visitor.last_session_status == Status.SUSPENDED
    assert PushStatus.objects.get(end_user=visitor).reason == "held_by_other"


def test_a_visitor_after_a_logout_has_what_the_browser_last_said(browser):
    browser.load("a")
    assert browser.log_out().status == Status.ASK
    browser.load("a")
    browser.block()
    assert browser.log_out().status == Status.BLOCKED


def test_a_brand_may_stop_pushes_at_logout(browser):
    Brand.objects.update(logout_policy="stop")
    browser.brand.refresh_from_db()
    browser.load("a")
    browser.allow()
    browser.log_out()
    assert not push_enabled(person(browser.brand, "a"))
    assert browser.device.unreachable_reason == "logged_out"


def test_login_again_after_logout_keeps_the_status_history_clean(browser):
    browser.load("a")
    browser.allow()
    browser.log_out()
    browser.load()
    browser.load("a")
    changes = PushStatusChange.objects.filter(end_user=person(browser.brand, "a")).values_list("new", flat=True)
    assert "suspended" not in changes
    assert status_of(browser.brand, "a", browser.device) == Status.ALLOWED


def test_cleared_storage_with_a_living_subscription_is_the_same_device(browser):
    browser.load("a")
    browser.allow()
    before = browser.device.pk
    browser.clear_storage()
    result = browser.load()
    assert result.device.pk == before
    assert result.secret
    assert result.end_user.external_id == "a"


def test_cleared_storage_does_not_leave_the_old_secret_working(browser):
    browser.load("a")
    browser.allow()
    old = browser.credentials
    browser.clear_storage()
    browser.load()
    with pytest.raises(InstallationUnknown):
        Browser(browser.brand, credentials=old, now=browser.now).load()


def test_an_endpoint_with_other_keys_proves_nothing(brand, browser):
    browser.load("a")
    browser.allow()
    thief = Browser(brand, permission="granted")
    stolen = new_subscription(browser.subscription.vapid_key)
    thief.subscription = Subscription(
        browser.subscription.endpoint, stolen.origin, stolen.p256dh, stolen.auth, stolen.vapid_key
    )
    with pytest.raises(TokenNotYours):
        thief.load("mallory")
    assert browser.device.holder_id == person(brand, "a").pk
    assert not EndUser.objects.filter(external_id="mallory").exists()


def test_a_wrong_secret_or_another_brands_installation_is_unknown(brand, browser):
    browser.load()
    with pytest.raises(InstallationUnknown):
        Browser(brand, credentials=Credentials(browser.device.pk, "wrong")).load()
    other = brand_create(name="Other", origin="https://other.example")
    with pytest.raises(InstallationUnknown):
        Browser(other, credentials=browser.credentials).load()


def test_a_refreshed_token_replaces_the_old_one(browser):
    browser.load("a")
    browser.allow()
    old = browser.device.token_hash
    browser.subscribe()
    browser.report()
    assert browser.device.token_hash != old
    assert Device.objects.filter(token_hash=old).count() == 0
    assert [h.ended for h in TokenHolding.objects.order_by("pk")] == ["refreshed", ""]


def test_a_rotated_vapid_key_asks_the_sdk_to_subscribe_again(browser):
    browser.load("a")
    browser.allow()
    vapid_key_add(brand=browser.brand)
    assert browser.load("a").resubscribe
    browser.subscribe()
    assert not browser.load("a").resubscribe


def test_a_session_begins_after_the_brands_pause_only(browser):
    assert browser.load().new_session
    assert not browser.load().new_session
    browser.now += timedelta(minutes=31)
    assert browser.load().new_session


def test_the_database_refuses_two_allowed_pairs_on_one_device(browser):
    browser.load("a")
    browser.allow()
    other = EndUser.objects.create(brand=browser.brand, external_id="x")
    with pytest.raises(IntegrityError):
        PushStatus.objects.create(
            brand=browser.brand, end_user=other, device=browser.device, status="allowed", since=NOON, reported_at=NOON
        )


def test_the_database_refuses_a_token_without_a_holder(browser):
    browser.load("a")
    browser.allow()
    with pytest.raises(IntegrityError):
        Device.objects.update(holder=None)
