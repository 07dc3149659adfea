"""Native apps on the SDK's HTTP surface: by app key, with a token in place of a subscription."""

from datetime import UTC, datetime

import pytest

from devices.delivery.sending.send import close_senders
from devices.delivery.services.outbox import deliveries_add
from devices.lifecycle.brands import brand_create
from devices.models import App, Delivery, Device, EndUser, PushStatus
from devices.pushservice.server import LocalPushService
from smartpush.api.sdk.auth import _sites
from tests.api.page import BASE, error_of, post
from tests.api.phone import TOKEN, Phone
from tests.support.native import native_app
from tests.support.sending import Channel


@pytest.fixture
def android(brand) -> App:
    return native_app(brand, "android")


@pytest.fixture
def phone(android) -> Phone:
    return Phone(android)


def test_a_session_registers_the_installation_with_what_it_says_of_itself(phone):
    answer = phone.session(external_id="ann")

    assert answer["status"] == "allowed"
    assert answer["resubscribe"] is False
    device = phone.device
    assert (device.platform, device.browser, device.form_factor) == ("android", "", "mobile")
    assert (device.os_version, device.app_version, device.model) == ("14", "2.1.0", "Pixel 8")
    assert (device.native_token, device.endpoint_origin) == (TOKEN, f"fcm:{phone.app.pk}")
    assert device.holder.external_id == "ann"


def test_the_token_never_stands_in_the_answer(phone):
    assert TOKEN not in str(phone.session(external_id="ann"))


@pytest.mark.parametrize("kind", ["android", "ios"])
def test_the_platform_is_the_app_s_own(brand, kind):
    phone = Phone(native_app(brand, kind))
    phone.session(device={"browser": "chrome", "os": "windows"})

    assert (phone.device.platform, phone.device.browser) == (kind, "")


@pytest.mark.parametrize(
    ("reported", "status", "reason", "resubscribe"),
    [
        (("allowed", ""), "allowed", "", False),
        (("allowed", "provisional"), "allowed", "provisional", False),
        (("ask", ""), "ask", "", False),
        (("blocked", "settings_off"), "blocked", "settings_off", False),
        (("not_supported", "play_services_missing"), "not_supported", "play_services_missing", False),
        (("not_supported", "simulator"), "not_supported", "simulator", False),
        (("not_supported", "token_missing"), "not_supported", "token_missing", True),
        (("ask", "token_missing"), "not_supported", "token_missing", True),
        (("blocked", "something new"), "blocked", "unknown", False),
    ],
)
def test_each_report_becomes_the_status_of_the_pair(phone, reported, status, reason, resubscribe):
    phone.report(*reported)
    answer = phone.session(external_id="ann")

    pair = PushStatus.objects.get()
    assert (answer["status"], pair.status, pair.reason) == (status, status, reason)
    assert answer["resubscribe"] is resubscribe


def test_a_refreshed_token_takes_the_place_of_the_old_one(phone):
    phone.session(external_id="ann")
    phone.token = "fXk3:APA91b" + "b" * 120
    phone.report("allowed")

    phone.call("status", push=phone.push)

    assert phone.device.native_token == phone.token


def test_switching_pushes_off_in_the_settings_makes_the_device_unreachable(phone):
    phone.session(external_id="ann")

    phone.call("status", push=phone.report("blocked", "settings_off"))

    assert (phone.device.token_hash, phone.device.native_token) == (None, "")


def test_a_token_moves_only_with_the_installation_s_own_secret(phone, android):
    phone.session(external_id="ann")
    thief = Phone(android)

    error = thief.session(external_id="eve", expect=403)

    assert error["code"] == "token_not_yours"
    assert phone.device.holder.external_id == "ann"
    assert not EndUser.objects.filter(external_id="eve").exists()


def test_login_of_another_on_the_same_installation_takes_the_token_along(phone):
    phone.session(external_id="ann")
    phone.session(path="identify", external_id="bob")

    assert phone.device.holder.external_id == "bob"
    statuses = dict(PushStatus.objects.values_list("end_user__external_id", "status"))
    assert statuses == {"ann": "suspended", "bob": "allowed"}


def test_logout_leaves_the_token_with_who_had_it(phone):
    phone.session(external_id="ann")

    answer = phone.call("logout")

    assert answer["end_user"]["anonymous"] is True
    assert phone.device.holder.external_id == "ann"


@pytest.mark.parametrize(
    ("push", "field"),
    [
        ({"status": "allowed"}, "push.token"),
        ({"status": "allowed", "token": "too short"}, "push.token"),
        ({"status": "allowed", "token": "has a space " * 5}, "push.token"),
        (
            {
                "status": "allowed",
                "subscription": {
                    "endpoint": "https://fcm.googleapis.com/fcm/send/x",
                    "p256dh": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
                    "auth": "8eDyX_uCN0XRhSbY5hs7Hg",
                    "vapid_key": "x",
                },
            },
            "push.subscription",
        ),
    ],
)
def test_an_app_reports_a_token_and_nothing_else(phone, push, field):
    phone.push = push

    error = phone.session(expect=400)

    assert error["code"] == "invalid_request"
    assert field in error["fields"]
    assert not Device.objects.exists()


def test_a_page_cannot_report_an_app_s_token(page):
    error = page.session(push={"status": "allowed", "token": TOKEN}, expect=400)

    assert "push.token" in error["fields"]


def test_an_unknown_app_key_is_refused(phone):
    error = phone.call("session", headers={"X_Smartpush_App": "ak_nobody"}, push=phone.push, expect=401)

    assert error["code"] == "app_unknown"


def test_a_page_gets_nowhere_with_an_app_key(phone):
    error = phone.call("session", headers={"Origin": "https://evil.example"}, push=phone.push, expect=403)

    assert error["code"] == "origin_not_allowed"


def test_a_browser_may_not_even_ask_with_an_app_key(client, brand):
    answer = client.options(
        BASE + "session",
        headers={
            "Origin": "https://books.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-smartpush-app",
        },
    )

    assert "x-smartpush-app" not in answer["Access-Control-Allow-Headers"].lower()


def test_a_web_app_has_no_app_key(brand):
    App.objects.filter(brand=brand).update(app_key="ak_web")

    response = post("session", {}, X_Smartpush_App="ak_web")

    assert error_of(response)["code"] == "app_unknown"


def test_an_archived_app_is_refused(brand, phone):
    phone.session(external_id="ann")
    App.objects.filter(pk=phone.app.pk).update(archived_at=datetime.now(UTC))
    _sites.clear()  # what is remembered for two seconds
    assert phone.session(expect=401)["code"] == "app_unknown"


def test_an_installation_belongs_to_its_app(brand, phone, page):
    phone.session(external_id="ann")
    page.session(external_id="ann")
    other = Phone(native_app(brand, "ios"), installation=phone.installation)
    assert other.session(expect=401)["code"] == "installation_unknown"

    other.installation = page.installation
    assert other.session(expect=401)["code"] == "installation_unknown"
    page.installation = phone.installation
    assert page.session(expect=401)["code"] == "installation_unknown"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("session", {}),
        ("identify", {"external_id": "eve"}),
        ("status", {}),
        ("logout", {}),
        ("events", {"events": [{"name": "deposit"}]}),
        ("markers", {"operation": "add", "markers": ["NEWS"]}),
        ("popups/poll", {}),
        ("popups/outcome", {"offer": "x", "outcome": "blocked"}),
        ("consents", {"subject": "tracking", "answer": "withdrawn"}),
        ("preferences", {"opted_out": True}),
    ],
)
def test_no_call_takes_an_installation_of_another_kind_of_app(brand, phone, page, path, body):
    page.allow()
    page.session(external_id="bob")
    phone.session(external_id="ann")
    blocked = {"status": "blocked", "reason": "", "permission": "denied", "subscription": None}
    page.installation, phone.installation = phone.installation, page.installation
    other = Phone(native_app(brand, "ios"), installation=page.installation)
    before = [list(Device.objects.order_by("pk").values()), list(EndUser.objects.order_by("pk").values())]

    for caller in (page, phone, other):
        push = {"push": blocked} if path in ("session", "identify", "status") else {}
        assert caller.call(path, expect=401, **push, **body)["code"] == "installation_unknown"

    assert [list(Device.objects.order_by("pk").values()), list(EndUser.objects.order_by("pk").values())] == before


def test_another_brand_s_app_learns_nothing_of_an_installation(phone):
    phone.session(external_id="ann")
    stranger = Phone(native_app(brand_create(name="Other", origin="https://other.example")), "z" * 30)
    stranger.installation = phone.installation

    for path, body in [
        ("session", {"push": stranger.push}),
        ("status", {"push": stranger.push}),
        ("events", {"events": [{"name": "deposit"}]}),
        ("markers", {"operation": "add", "markers": ["NEWS"]}),
        ("popups/poll", {}),
        ("logout", {}),
    ]:
        assert stranger.call(path, expect=401, **body)["code"] == "installation_unknown"


def test_events_and_markers_of_an_app_are_its_end_user_s(phone):
    phone.session(external_id="ann")

    answer = phone.call("events", events=[{"id": "1", "name": "deposit", "properties": {"amount": 20}}])
    markers = phone.call("markers", operation="add", markers=["news"])

    assert answer["accepted"] == 1
    assert markers == {"markers": ["NEWS"]}


def test_a_popup_is_handed_to_the_app_to_draw_and_its_answer_goes_on(phone, asking):
    phone.report("ask")
    answer = phone.session(external_id="ann")
    offer = answer["popup"] or phone.call("popups/poll")["popup"]
    assert offer["template"] == "simple"
    assert offer["content"]["title"]

    phone.call("popups/shown", offer=offer["id"])
    answer = phone.call("popups/outcome", offer=offer["id"], outcome="allowed", push=phone.report("allowed"))

    assert answer["status"] == "allowed"
    assert phone.device.token_hash is not None


@pytest.fixture(scope="module")
def push_service():
    with LocalPushService() as service:
        yield service


def test_a_session_a_push_and_its_receipts_by_api_alone(brand, push_service, settings):
    settings.SMARTPUSH_DEV_ORIGINS = frozenset({push_service.url})
    close_senders()
    phone = Phone(native_app(brand, "ios", url=push_service.url), push_service.fcm_tokens(1)[0])
    phone.session(external_id="ann")
    channel = Channel(brand, push_service)
    dispatch = channel.dispatch()
    deliveries_add(
        dispatch_id=dispatch, end_user_id=phone.device.holder_id, request_key="1", variables=None, now=channel.now
    )
    assert channel.send_due() == 1
    data = push_service.messages(token=phone.token)[0]["message"]["data"]

    assert data["smartpush_report_url"].endswith(BASE + "reports")
    for kind in ("displayed", "clicked", "closed"):
        report = {"token": data["smartpush_report_token"], "kind": kind, "action": "b1" if kind == "clicked" else ""}
        assert post("reports", {"reports": [report]}).json() == {"accepted": 1}

    delivery = Delivery.objects.get()
    assert delivery.state == "accepted"
    assert delivery.displayed_at and delivery.clicked_at and delivery.closed_at
    assert delivery.clicked_action == "b1"
    close_senders()
