"""session, identify, logout and status over HTTP: who is here and what the browser says."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.installations.reporting import Subscription
from devices.lifecycle.brands import vapid_key_add
from devices.models import Brand, Device, EndUser, Event, PushStatus, PushStatusChange
from smartpush.common.crypto import hash_secret
from tests.api.page import Page, subscription_body
from tests.support.people import b64, new_subscription, person

SESSION_KEYS = {
    "installation",
    "end_user",
    "status",
    "vapid_key",
    "resubscribe",
    "popup",
    "poll_after",
    "click_hosts",
    "identity",
}


def test_a_first_session_makes_an_installation_and_an_anonymous_end_user(page):
    answer = page.session()
    assert set(answer) == SESSION_KEYS
    assert set(answer["installation"]) == {"id", "secret"}
    assert answer["end_user"] == {"id": answer["end_user"]["id"], "anonymous": True, "external_id": None}
    assert (answer["status"], answer["resubscribe"], answer["popup"], answer["poll_after"]) == ("ask", False, None, 30)
    assert answer["vapid_key"] == page.brand.vapid_keys.get(active=True).public_key
    assert page.device.secret_hash == hash_secret(answer["installation"]["secret"])
    assert (page.device.browser, page.device.language) == ("firefox", "en-GB")


def test_the_secret_is_told_once_and_the_same_installation_comes_back(page):
    first = page.session()
    again = page.session()
    assert again["installation"] == {"id": first["installation"]["id"]}
    assert again["end_user"] == first["end_user"]
    assert Device.objects.count() == 1


def test_a_session_records_its_event_once_in_the_brands_pause(page):
    page.session()
    page.session()
    assert list(Event.objects.values_list("name", flat=True)) == ["session"]


def sessions_of(external_id: str) -> int:
    return Event.objects.filter(name="session", end_user__external_id=external_id).count()


@pytest.mark.parametrize("known", [False, True])
def test_the_second_person_in_one_visit_gets_a_session_event_too(page, known):
    if known:
        Page(page.brand, page.origin).session(external_id="ben")
        assert sessions_of("ben") == 1
    page.session(external_id="ann")
    page.call("logout")
    page.session(external_id="ben", path="identify")
    assert sessions_of("ben") == 1 + known
    page.session(external_id="cid", path="identify")  # a switch without a logout
    page.session(external_id="cid")
    assert (sessions_of("ann"), sessions_of("cid")) == (1, 1)


def test_a_session_event_of_an_earlier_visit_is_none_of_this_one(page):
    page.session(external_id="ben")
    Event.objects.update(occurred_at=datetime.now(UTC) - timedelta(hours=2))
    page.session(external_id="ann", path="identify")
    page.session(external_id="ben", path="identify")
    assert sessions_of("ben") == 2


@pytest.mark.parametrize("known", [False, True])
def test_a_visitor_who_logs_in_and_who_comes_back_in_one_visit_gets_no_second_session(page, known):
    if known:
        EndUser.objects.create(brand=page.brand, external_id="ann", bucket=1)
    page.session()
    page.session(external_id="ann", path="identify")
    page.call("logout")
    page.session(external_id="ann", path="identify")
    assert sessions_of("ann") == 1


def test_an_identified_session_is_a_login_and_keeps_the_properties(page):
    answer = page.session(external_id="ann", properties={"first_name": "Ann", "vip": True}, language="el")
    assert answer["end_user"]["external_id"] == "ann"
    assert not answer["end_user"]["anonymous"]
    ann = person(page.brand, "ann")
    assert (ann.properties, ann.language) == ({"first_name": "Ann", "vip": True}, "el")
    assert set(Event.objects.values_list("name", flat=True)) == {"login", "session"}


def test_identify_promotes_the_visitor(page):
    visitor = page.session()["end_user"]
    answer = page.session(path="identify", external_id="ann")
    assert set(answer) == SESSION_KEYS
    assert answer["end_user"] == {"id": visitor["id"], "anonymous": False, "external_id": "ann"}
    assert list(Event.objects.order_by("id").values_list("name", flat=True)) == ["session", "login"]


def test_identify_merges_the_visitor_into_a_known_end_user(page, brand):
    desk = Page(brand, page.origin)
    known = desk.session(external_id="ann")["end_user"]
    visitor = page.session()["end_user"]
    page.call("markers", operation="add", markers=["sports"])
    answer = page.session(path="identify", external_id="ann")
    assert answer["end_user"] == known
    assert visitor["id"] != known["id"]
    assert EndUser.objects.filter(brand=brand).count() == 1
    assert person(brand, "ann").js_markers == ["SPORTS"]


def test_identify_as_another_end_user_suspends_the_first_and_back(page, brand):
    page.allow()
    page.session(external_id="a")
    assert page.session(path="identify", external_id="b")["status"] == "allowed"
    assert PushStatus.objects.get(end_user=person(brand, "a")).status == "suspended"
    assert page.session(path="identify", external_id="a")["status"] == "allowed"
    assert PushStatus.objects.get(end_user=person(brand, "b")).status == "suspended"


def test_identify_needs_the_external_id(page):
    page.session()
    error = page.session(path="identify", expect=400)
    assert error["code"] == "invalid_request"
    assert list(error["fields"]) == ["external_id"]


def test_logout_goes_on_as_a_new_visitor_on_the_same_installation(page):
    before = page.session(external_id="ann")
    answer = page.call("logout")
    assert set(answer) == SESSION_KEYS
    assert answer["installation"] == {"id": page.installation["id"]}
    assert answer["end_user"]["anonymous"]
    assert answer["end_user"]["id"] != before["end_user"]["id"]


def test_a_visitor_after_logout_is_suspended_where_the_token_is_anothers(page, brand):
    page.allow()
    page.session(external_id="ann")
    page.call("logout")
    assert page.session()["status"] == "suspended"
    assert page.device.holder == person(brand, "ann")


def test_status_reports_a_permission_given_outside_a_popup(page):
    page.session()
    page.allow()
    answer = page.call("status", push=page.push, cause="sdk_call")
    assert set(answer) == {"status", "vapid_key", "resubscribe", "popup", "poll_after"}
    assert (answer["status"], answer["resubscribe"]) == ("allowed", False)
    change = PushStatusChange.objects.order_by("-pk").first()
    assert (change.old, change.new, change.cause) == ("ask", "allowed", "sdk_call")


@pytest.mark.parametrize(
    ("status", "reason", "kept"),
    [
        ("blocked", "", ""),
        ("not_supported", "insecure_context", "insecure_context"),
        ("not_supported", "ios_not_installed", "ios_not_installed"),
        ("not_supported", "show_refused", "show_refused"),
        ("ask", "permission_default_after_prompt", "permission_default_after_prompt"),
        ("not_supported", "made_up", "unknown"),
    ],
)
def test_the_reason_of_a_status_is_kept(page, status, reason, kept):
    answer = page.session(push={"status": status, "reason": reason})
    assert answer["status"] == status
    assert PushStatus.objects.get(device=page.device).reason == kept


def test_blocked_drops_the_token(page):
    page.allow()
    page.session()
    page.permission = "denied"
    assert page.call("status", push=page.push)["status"] == "blocked"
    assert page.device.token_hash is None


def test_allowed_is_taken_only_with_a_subscription_and_suspended_never(page):
    error = page.session(push={"status": "allowed", "subscription": None}, expect=400)
    assert list(error["fields"]) == ["push.subscription"]
    error = page.session(push={"status": "suspended"}, expect=400)
    assert list(error["fields"]) == ["push.status"]
    assert not Device.objects.exists()


def test_a_rotated_key_asks_for_a_new_subscription_and_the_worker_brings_it(page):
    page.allow()
    page.session()
    vapid_key_add(brand=page.brand)
    answer = page.session()
    active = page.brand.vapid_keys.get(active=True)
    assert (answer["resubscribe"], answer["vapid_key"]) == (True, active.public_key)
    page.allow()
    body = {"installation": page.installation, "push": page.push}
    response = page.send("worker/subscription", body)
    assert response.status_code == 200
    assert not response.json()["resubscribe"]
    assert page.device.vapid_key == active


def test_the_workers_report_says_so_in_the_history(page):
    page.session()
    page.allow()
    page.send("worker/subscription", {"installation": page.installation, "push": page.push})
    assert PushStatusChange.objects.order_by("-pk").first().cause == "worker"


def test_a_wrong_secret_is_an_unknown_installation_and_changes_nothing(page):
    page.session()
    page.installation = page.installation | {"secret": "x" * 43}
    page.permission = "denied"
    for path in ("session", "identify", "status"):
        assert page.session(path=path, external_id="eve", expect=401)["code"] == "installation_unknown"
    assert page.call("events", events=[{"name": "x"}], expect=401)["code"] == "installation_unknown"
    assert page.call("logout", expect=401)["code"] == "installation_unknown"
    assert PushStatus.objects.get().status == "ask"
    assert not EndUser.objects.filter(external_id="eve").exists()


def test_the_same_browser_after_its_storage_was_cleared_gets_a_new_secret(page):
    page.allow()
    first = page.session(external_id="ann")["installation"]
    page.installation = None
    second = page.session()["installation"]
    assert second["id"] == first["id"]
    assert second["secret"] != first["secret"]
    old = Page(page.brand, page.origin, installation=first)
    assert old.session(expect=401)["code"] == "installation_unknown"


def test_an_endpoint_with_other_keys_is_not_yours(page, brand):
    page.allow()
    page.session(external_id="ann")
    thief = Page(brand, page.origin)
    thief.allow()
    mine = thief.subscription
    thief.subscription = Subscription(page.subscription.endpoint, mine.origin, mine.p256dh, mine.auth, mine.vapid_key)
    assert thief.session(external_id="mallory", expect=403)["code"] == "token_not_yours"
    assert page.device.holder == person(brand, "ann")
    assert not EndUser.objects.filter(external_id="mallory").exists()


def test_a_subscription_made_with_a_strange_key_is_another_senders(page):
    page.session()
    page.allow()
    push = page.push | {"subscription": subscription_body(new_subscription("BStrangeKey"))}
    assert page.call("status", push=push)["status"] == "not_supported"
    assert PushStatus.objects.get().reason == "foreign_subscription"
    assert page.device.token_hash is None


def test_the_first_session_after_a_grant_elsewhere_asks_for_the_subscription(page):
    """The page has no key to subscribe with before its first answer: the subscription follows."""
    answer = page.session(push={"status": "ask", "reason": "subscription_missing", "permission": "granted"})
    assert answer["resubscribe"]
    page.allow()
    assert page.call("status", push=page.push, cause="resubscribe")["status"] == "allowed"


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://updates.push.services.mozilla.com/wpush/v2/x", "endpoint_scheme"),
        ("https://updates.push.services.mozilla.com:8443/wpush/v2/x", "endpoint_port"),
        ("https://user:pw@updates.push.services.mozilla.com/x", "endpoint_malformed"),
        ("https://127.0.0.1/wpush/v2/x", "endpoint_host"),
        ("https://[::1]/wpush/v2/x", "endpoint_host"),
        ("https://169.254.169.254/latest/meta-data", "endpoint_host"),
        ("https://evil.example/updates.push.services.mozilla.com", "endpoint_host"),
        ("https://push.apple.com.evil.example/x", "endpoint_host"),
        ("https://evilfcm.googleapis.com/fcm/send/x", "endpoint_host"),
        ("https://fcm.googleapis.com\\@evil.example/x", "endpoint_malformed"),
        ("https://fcm.googleapis.com/fcm/send/\nx", "endpoint_malformed"),
        ("javascript:alert(1)", "endpoint_malformed"),
        ("file:///etc/passwd", "endpoint_malformed"),
    ],
)
def test_an_endpoint_that_is_no_push_services_is_refused(page, endpoint, code):
    page.allow()
    push = page.push
    push["subscription"]["endpoint"] = endpoint
    error = page.session(push=push, expect=400)
    assert code in error["fields"]["push.subscription.endpoint"][0]
    assert not Device.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("p256dh", b64(b"\x04" + b"\x01" * 64), "p256dh_not_on_curve"),
        ("p256dh", b64(b"\x04" * 64), "p256dh_length"),
        ("p256dh", "not base64!", "p256dh_malformed"),
        ("auth", b64(b"short"), "auth_length"),
        ("auth", "****", "auth_malformed"),
    ],
)
def test_keys_that_nothing_can_be_encrypted_to_are_refused(page, name, value, code):
    page.allow()
    push = page.push
    push["subscription"][name] = value
    error = page.session(push=push, expect=400)
    assert code in error["fields"][f"push.subscription.{name}"][0]


def test_a_brand_may_stop_pushes_at_logout(page, brand):
    Brand.objects.filter(pk=brand.pk).update(logout_policy="stop")
    page.allow()
    page.session(external_id="ann")
    page.call("logout")
    assert page.device.unreachable_reason == "logged_out"


def test_properties_of_any_text_are_kept(page):
    odd = {"path": "C:\\u0000", "emoji": "🎉", "big": 10**300}
    page.session(external_id="ann", properties=odd)
    assert person(page.brand, "ann").properties == odd


@pytest.mark.parametrize("path", ["session", "identify"])
@pytest.mark.parametrize("number", [5, 1.5, True])
def test_an_external_id_is_text(page, path, number):
    error = page.session(path=path, external_id=number, expect=400)
    assert (error["code"], list(error["fields"])) == ("invalid_request", ["external_id"])
    assert "text" in error["fields"]["external_id"][0]
    assert not EndUser.objects.exists()


def test_an_installation_is_known_by_the_id_of_a_rotated_key_and_is_told_its_new_one(page, settings):
    page.allow()
    first = page.session(external_id="ann")["installation"]["id"]
    device = page.device.pk
    settings.SMARTPUSH_ACCEPTED_ID_KEYS = (settings.SMARTPUSH_ID_KEY,)
    settings.SMARTPUSH_ID_KEY = "another key of thirty-two characters"
    told = page.session(external_id="ann")["installation"]
    assert told["id"] != first
    assert "secret" not in told
    assert page.installation["id"] == first  # a page that keeps the old one is known as well
    assert page.call("popups/poll")["popup"] is None
    settings.SMARTPUSH_ACCEPTED_ID_KEYS = ()
    page.installation = {**page.installation, "id": told["id"]}
    assert page.session(external_id="ann")["status"] == "allowed"
    assert page.device.pk == device
