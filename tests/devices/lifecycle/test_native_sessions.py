"""Native installations: whose token it is, through login, switch, logout, refresh and a reinstalled app."""

import pytest
from django.db import transaction

from devices.installations.reporting import DeviceInfo, InstallationUnknown, PushReport, TokenNotYours
from devices.installations.tokens import token_hash, tokens_gone
from devices.lifecycle.sessions import session_close, status_update
from devices.models import Brand, Device, PushStatus, Status, TokenHolding
from tests.support.native import Phone, native_app
from tests.support.people import new_subscription, push_enabled

pytestmark = pytest.mark.django_db
TOKEN = "fXk2:APA91b" + "a" * 120


@pytest.fixture
def app(brand):
    return native_app(brand)


@pytest.fixture
def phone(app):
    return Phone(app, TOKEN)


def statuses() -> dict[str, str]:
    return dict(PushStatus.objects.values_list("end_user__external_id", "status"))


def test_the_token_follows_whoever_identified_last_and_comes_back(phone):
    ann = phone.open("ann").end_user
    bob = phone.open("bob").end_user
    assert statuses() == {"ann": "suspended", "bob": "allowed"}
    assert (push_enabled(ann), push_enabled(bob)) == (False, True)

    phone.open("ann")

    assert statuses() == {"ann": "allowed", "bob": "suspended"}
    assert TokenHolding.objects.filter(until__isnull=True).count() == 1
    assert TokenHolding.objects.count() == 3


def test_a_new_installation_cannot_take_a_live_token_but_a_dead_one_is_free(phone, app):
    phone.open("ann")
    reinstalled = Phone(app, TOKEN)
    with pytest.raises(TokenNotYours):
        reinstalled.open("ann")

    tokens_gone(tokens=[(phone.device.pk, token_hash(TOKEN))], reason="gone", now=phone.now)
    reinstalled.open("ann")

    assert reinstalled.device.token_hash == token_hash(TOKEN)
    assert phone.device.native_token == ""


def test_with_its_secret_an_installation_changes_its_token(phone):
    phone.open("ann")
    phone.token = TOKEN[:-1] + "b"

    phone.report()

    assert phone.device.native_token == phone.token
    ended = TokenHolding.objects.get(until__isnull=False)
    assert ended.ended == "refreshed"


def test_a_provisional_permission_is_allowed_and_says_so(phone):
    phone.reason = "provisional"
    ann = phone.open("ann").end_user

    assert PushStatus.objects.get().reason == "provisional"
    assert push_enabled(ann)


def test_a_dead_token_leaves_the_status_and_asks_for_a_new_one(phone):
    ann = phone.open("ann").end_user
    tokens_gone(tokens=[(phone.device.pk, token_hash(TOKEN))], reason="gone", now=phone.now)

    assert statuses() == {"ann": "allowed"}
    assert not push_enabled(ann)
    assert phone.device.unreachable_reason == "gone"
    phone.status, phone.reason = Status.NOT_SUPPORTED, "token_missing"
    assert phone.report().resubscribe is True


def test_a_brand_may_stop_pushes_at_logout_of_an_app_too(phone, brand):
    phone.open("ann")
    Brand.objects.filter(pk=brand.pk).update(logout_policy="stop")
    phone.app.refresh_from_db()

    session_close(app=phone.app, credentials=phone.credentials, info=DeviceInfo(), now=phone.now)

    assert (phone.device.token_hash, phone.device.native_token) == (None, "")


def test_a_visitor_on_a_phone_is_merged_with_the_device(phone, app):
    phone.open()
    known = Phone(app, "other" * 10)
    known.open("ann")

    phone.open("ann")

    assert set(Device.objects.values_list("holder__external_id", flat=True)) == {"ann"}


def test_an_app_has_no_subscription_and_a_browser_no_token(phone, browser, brand):
    phone.open("ann")
    browser.load("ann")
    subscription = new_subscription(brand.vapid_keys.get().public_key)
    for app, credentials, push in [
        (phone.app, phone.credentials, PushReport(Status.ALLOWED, subscription=subscription)),
        (browser.app, browser.credentials, PushReport(Status.ALLOWED, token=TOKEN)),
    ]:
        with pytest.raises(InstallationUnknown), transaction.atomic():
            status_update(app=app, credentials=credentials, push=push, cause="sdk_call", now=phone.now)
