"""FCM HTTP v1: firebase-admin takes the answers for Google's."""

import pytest
import requests

from tests.devices.pushservice.conftest import PATIENCE_SECONDS

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@pytest.fixture
def token(service):
    return service.fcm_tokens(1)[0]


def send(service, token, /, *, bearer="Bearer ya29.anything", **extra):
    return requests.post(
        f"{service.url}/v1/projects/demo/messages:send",
        json={"message": {"token": token, "notification": {"title": "Hi"}, **extra}},
        headers={"Authorization": bearer} if bearer else {},
        timeout=PATIENCE_SECONDS,
    )


def error_code(answer):
    for detail in answer.json()["error"].get("details", []):
        if detail["@type"] == FCM_ERROR:
            return detail["errorCode"]
    return None


def violated_fields(answer):
    details = answer.json()["error"].get("details", [])
    return [one["field"] for detail in details for one in detail.get("fieldViolations", [])]


def test_a_message_to_a_registered_token_is_named_and_listed(service, token):
    answer = send(service, token, data={"a": "b"})

    assert answer.status_code == 200
    assert answer.json()["name"].startswith("projects/demo/messages/")
    (message,) = service.messages(token=token)
    assert message["kind"] == "fcm"
    assert message["message"] == {"token": token, "notification": {"title": "Hi"}, "data": {"a": "b"}}
    assert "authorization" not in message["headers"]
    assert service.state()["accepted"] == {"webpush": 0, "fcm": 1}


@pytest.mark.parametrize("revoked", [True, False])
def test_a_token_that_is_unknown_or_revoked_is_unregistered(service, token, revoked):
    if revoked:
        service.revoke(token)
    answer = send(service, token if revoked else "unknown")

    assert answer.status_code == 404
    assert answer.json()["error"] == {
        "code": 404,
        "message": "Requested entity was not found.",
        "status": "NOT_FOUND",
        "details": [{"@type": FCM_ERROR, "errorCode": "UNREGISTERED"}],
    }


@pytest.mark.parametrize(
    ("mode", "http", "status", "code"),
    [
        ("fcm:UNREGISTERED", 404, "NOT_FOUND", "UNREGISTERED"),
        ("fcm:SENDER_ID_MISMATCH", 403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
        ("fcm:INVALID_ARGUMENT", 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        ("fcm:INVALID_ARGUMENT:token", 400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        ("fcm:THIRD_PARTY_AUTH_ERROR", 401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
        ("fcm:UNAUTHENTICATED", 401, "UNAUTHENTICATED", None),
        ("fcm:QUOTA_EXCEEDED", 429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
        ("fcm:UNAVAILABLE", 503, "UNAVAILABLE", "UNAVAILABLE"),
        ("fcm:INTERNAL", 500, "INTERNAL", "INTERNAL"),
        ("503", 503, "UNAVAILABLE", "UNAVAILABLE"),
    ],
)
def test_each_error_code_comes_in_google_s_shape(service, token, mode, http, status, code):
    service.fail(mode, token=token, retry_after=60)
    answer = send(service, token)

    assert answer.status_code == http
    assert (answer.json()["error"]["code"], answer.json()["error"]["status"]) == (http, status)
    assert error_code(answer) == code
    assert violated_fields(answer) == (["message.token"] if mode.endswith(":token") else [])
    assert answer.headers["Retry-After"] == "60"
    assert service.messages() == []


def test_an_fcm_failure_for_all_leaves_web_push_alone(service, sender, subscription, token):
    service.fail("fcm:INTERNAL")
    assert sender.post(subscription).status_code == 201
    assert send(service, token).status_code == 500


def test_410_for_all_leaves_fcm_alone_for_it_has_no_such_answer(service, sender, subscription, token):
    service.fail(410)
    assert sender.post(subscription).status_code == 410
    assert send(service, token).status_code == 200


@pytest.mark.parametrize("bearer", ["", "Bearer ", "Basic abc"])
def test_a_call_without_an_access_token_is_unauthenticated(service, token, bearer):
    answer = send(service, token, bearer=bearer)
    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    ("extra", "fields"),
    [
        ({"data": {"a": 1}}, ["message.data[0].value"]),
        ({"token": ""}, ["message.token"]),
        ({"data": {"a": "x" * 5000}}, []),
    ],
)
def test_a_message_that_fcm_would_not_take_is_an_invalid_argument(service, token, extra, fields):
    answer = send(service, token, **extra)
    assert (answer.status_code, error_code(answer)) == (400, "INVALID_ARGUMENT")
    assert violated_fields(answer) == fields


def test_validate_only_sends_nothing(service, token):
    answer = requests.post(
        f"{service.url}/v1/projects/demo/messages:send",
        json={"validate_only": True, "message": {"token": token}},
        headers={"Authorization": "Bearer x"},
        timeout=PATIENCE_SECONDS,
    )
    assert answer.status_code == 200
    assert service.messages() == []


@pytest.mark.parametrize(("cut", "arrived"), [("after", 1), ("before", 0)])
def test_a_cut_send_call_leaves_the_sender_in_doubt(service, token, cut, arrived):
    service.fail("cut", token=token, cut=cut)
    with pytest.raises(requests.ConnectionError):
        send(service, token)
    assert len(service.messages()) == arrived


def ask_for_access(service, **form):
    fields = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c", **form}
    return requests.post(f"{service.url}/token", data=fields, timeout=PATIENCE_SECONDS)


def test_a_service_account_gets_an_access_token(service):
    answer = ask_for_access(service).json()
    assert answer["access_token"]
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")


def test_an_access_token_is_refused_without_an_assertion_or_when_switched(service):
    assert ask_for_access(service, assertion="").status_code == 400

    service.fail(500)
    assert ask_for_access(service).status_code == 200
    service.fail(503, token="oauth", times=1)
    assert [ask_for_access(service).status_code for _ in range(2)] == [503, 200]
