"""Native pushes through the real send path, at the local push service's FCM endpoint, to every outcome."""

import json
from datetime import timedelta

import pytest

from devices.delivery.services.fcm_accounts import app_credentials_set
from devices.models import Delivery, SendBudget, TokenHolding
from tests.support.native import Phone, native_app, service_account
from tests.support.sending import variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def android(channel):
    return native_app(channel.brand, "android", url=channel.service.url)


@pytest.fixture
def ios(channel):
    return native_app(channel.brand, "ios", url=channel.service.url)


@pytest.fixture
def phone(channel, android):
    return subscribed(channel, android)


def subscribed(channel, app, external_id="ann"):
    phone = Phone(app, channel.service.fcm_tokens(1)[0])
    phone.open(external_id)
    return phone


def state_of(delivery):
    delivery.refresh_from_db()
    return delivery.state, delivery.reason, delivery.hold_reason


def sent_to(channel, phone):
    return [one["message"] for one in channel.service.messages(token=phone.token)]


def test_a_push_reaches_an_android_app_as_fcm_documents_it(channel, phone):
    delivery = channel.push(phone, variants={"en": variant(title="Hello", message="There")})

    assert state_of(delivery) == ("accepted", "", "")
    (message,) = sent_to(channel, phone)
    assert message["notification"] == {"title": "Hello", "body": "There"}
    assert message["android"]["priority"] == "high"
    assert "apns" not in message


def test_messages_of_two_apps_are_cut_apart(channel, android, ios):
    phones = [subscribed(channel, android), subscribed(channel, ios)]
    channel.add(channel.dispatch(), phones[0])

    assert channel.send_due() == 2
    assert [len(sent_to(channel, one)) for one in phones] == [1, 1]
    assert sorted(Delivery.objects.values_list("origin", flat=True)) == sorted([f"fcm:{android.pk}", f"fcm:{ios.pk}"])


@pytest.mark.parametrize(
    ("mode", "state", "reachable"),
    [
        ("fcm:UNREGISTERED", ("gone", "unregistered", ""), False),
        ("fcm:INVALID_ARGUMENT:token", ("gone", "token_invalid", ""), False),
        ("fcm:INVALID_ARGUMENT", ("failed", "invalid_argument", ""), True),
        ("fcm:SENDER_ID_MISMATCH", ("failed", "sender_id_mismatch", ""), False),
        ("fcm:THIRD_PARTY_AUTH_ERROR", ("ready", "apns_credentials_refused", "breaker"), True),
        ("fcm:UNAUTHENTICATED", ("ready", "unauthorized", "breaker"), True),
        ("fcm:QUOTA_EXCEEDED", ("ready", "too_many_requests", "throttled"), True),
        ("fcm:UNAVAILABLE", ("ready", "server_error", "retry"), True),
        ("fcm:INTERNAL", ("ready", "server_error", "retry"), True),
        ("cut", ("ready", "connection_cut", "unsure"), True),
    ],
)
def test_each_answer_of_fcm_leads_to_its_state(channel, phone, mode, state, reachable):
    channel.service.fail(mode, token=phone.token)

    delivery = channel.push(phone)

    assert state_of(delivery) == state
    assert (phone.device.token_hash is not None) is reachable
    assert phone.device.push_statuses.get().status == "allowed"


def test_when_nobody_knows_whether_it_went_out_a_message_may_be_parked(channel, phone):
    channel.service.fail("cut", token=phone.token)

    assert state_of(channel.push(phone, policy="at_most_once")) == ("unknown", "connection_cut", "")


@pytest.mark.parametrize(
    ("mode", "retry_after", "least", "most"),
    [
        ("fcm:QUOTA_EXCEEDED", None, 59, 61),
        ("fcm:QUOTA_EXCEEDED", 300, 299, 301),
        ("fcm:UNAVAILABLE", None, 9, 16),
        ("fcm:UNAVAILABLE", 120, 119, 121),
    ],
)
def test_fcm_is_given_the_time_that_it_asks_for(channel, phone, mode, retry_after, least, most):
    channel.service.fail(mode, token=phone.token, retry_after=retry_after)

    before = channel.now
    delivery = channel.push(phone)

    assert timedelta(seconds=least) <= delivery.next_attempt_at - before <= timedelta(seconds=most + 3)


def test_one_app_s_refused_credentials_do_not_hold_the_other_app(channel, android, ios):
    phones = [subscribed(channel, android), subscribed(channel, ios)]
    channel.service.fail("fcm:THIRD_PARTY_AUTH_ERROR", token=phones[1].token)
    channel.add(channel.dispatch(), phones[0])
    channel.send_due()
    assert SendBudget.objects.get().origin == f"fcm:{ios.pk}"

    channel.add(channel.dispatch(), phones[0], request="2")
    channel.send_due()

    assert [len(sent_to(channel, one)) for one in phones] == [2, 0]
    held = Delivery.objects.filter(device=phones[1].device)
    assert set(held.values_list("state", "hold_reason")) == {("ready", "breaker")}


def test_a_quarantined_token_is_kept_aside_until_other_credentials_come(channel, phone, android):
    channel.service.fail("fcm:SENDER_ID_MISMATCH", token=phone.token)
    channel.push(phone)
    assert (phone.device.unreachable_reason, phone.device.native_token) == ("sender_id_mismatch", phone.token)
    phone.open("ann")
    assert phone.device.token_hash is None

    channel.service.clear_failures()
    app_credentials_set(app=android, text=service_account(channel.service.url), now=channel.now)

    assert state_of(channel.push(phone, request="2")) == ("accepted", "", "")
    assert TokenHolding.objects.filter(device=phone.device, until__isnull=True).count() == 1


def test_without_credentials_messages_wait_with_the_reason_and_go_out_once_they_are_there(channel):
    app = native_app(channel.brand)
    phone = subscribed(channel, app)

    delivery = channel.push(phone)
    assert state_of(delivery) == ("ready", "fcm_credentials_missing", "breaker")
    app_credentials_set(app=app, text=service_account(channel.service.url), now=channel.now)
    channel.send_due()

    assert state_of(delivery) == ("accepted", "", "")
    assert not SendBudget.objects.exclude(kind="").exists()


def test_what_waited_for_credentials_too_long_ends_with_that_reason(channel):
    phone = subscribed(channel, native_app(channel.brand))
    delivery = channel.push(phone, ttl=60)

    channel.send_due(now=channel.now + timedelta(seconds=61))

    assert state_of(delivery) == ("expired", "fcm_credentials_missing", "")


@pytest.mark.parametrize(
    ("mode", "state"),
    [
        ("400", ("ready", "fcm_credentials_refused", "breaker")),
        ("503", ("ready", "fcm_token_unavailable", "failing")),
    ],
)
def test_google_may_give_no_access_token(channel, phone, mode, state):
    channel.service.fail(mode, token="oauth")

    assert state_of(channel.push(phone)) == state
    assert sent_to(channel, phone) == []


def test_a_message_too_large_for_fcm_names_the_field_to_shorten(channel, phone):
    delivery = channel.push(phone, variants={"en": variant(message="x" * 4000)})

    assert state_of(delivery) == ("failed", "payload_too_large:message", "")


def test_the_deep_link_goes_to_apps_and_the_address_to_browsers(channel, phone):
    browser = channel.subscriber("ann")
    words = variant(
        url="https://books.example/p/1",
        deep_link="harbour://p/{{ user.page }}",
        buttons=[{"id": "b1", "title": "Open", "url": "https://books.example/b", "deep_link": "harbour://b"}],
    )
    channel.add(channel.dispatch(variants={"en": words}), browser)
    channel.send_due()

    (native,) = sent_to(channel, phone)
    assert native["data"]["smartpush_link"] == "harbour://p/"
    assert json.loads(native["data"]["smartpush_actions"]) == [{"action": "b1", "title": "Open", "link": "harbour://b"}]
    (web,) = channel.received("ann")
    assert (web["url"], web["actions"][0]["url"]) == ("https://books.example/p/1", "https://books.example/b")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://evil.example/"])
def test_a_link_that_no_app_should_open_is_not_sent(channel, phone, link):
    delivery = channel.push(phone, variants={"en": variant(deep_link=link)})

    assert state_of(delivery) == ("failed", "deep_link_refused:link", "")


@pytest.mark.parametrize(
    ("message_for", "preference", "reached"),
    [
        ("all", "all", {"web", "native"}),
        ("web", "all", {"web"}),
        ("native", "all", {"native"}),
        ("all", "native", {"native"}),
        ("native", "native", {"native"}),
        ("web", "native", set()),
        ("native", "web", set()),
    ],
)
def test_a_message_goes_where_its_targets_and_the_end_user_s_agree(channel, phone, message_for, preference, reached):
    browser = channel.subscriber("ann")
    dispatch = channel.dispatch(target_devices=message_for)
    user = browser.device.holder
    type(user).objects.filter(pk=user.pk).update(target_devices=preference)

    channel.add(dispatch, browser)
    channel.send_due()

    got = {"web"} if channel.received("ann") else set()
    assert got | ({"native"} if sent_to(channel, phone) else set()) == reached


@pytest.mark.parametrize("kind", ["web", "native"])
def test_a_preference_that_changed_before_the_send_is_heeded_by_the_gate(channel, phone, kind):
    browser = channel.subscriber("ann")
    channel.add(channel.dispatch(), browser)
    user = browser.device.holder
    type(user).objects.filter(pk=user.pk).update(target_devices=kind)

    channel.send_due()

    assert (len(channel.received("ann")), len(sent_to(channel, phone))) == ((1, 0) if kind == "web" else (0, 1))
    assert Delivery.objects.filter(state="suppressed", reason="target_devices").count() == 1
