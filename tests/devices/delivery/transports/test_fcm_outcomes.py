"""What FCM's answers mean, one row an answer."""

import json

import pytest

from devices.delivery.transports.base import Outcome
from devices.delivery.transports.fcm.outcomes import classify_fcm

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
QUOTA = "type.googleapis.com/google.rpc.QuotaFailure"


def answer(status, code="", *, message="", field="", quota="", headers=None):
    details = [{"@type": FCM_ERROR, "errorCode": code}] if code else []
    if field:
        details.append({"@type": BAD_REQUEST, "fieldViolations": [{"field": field, "description": message}]})
    if quota:
        details.append({"@type": QUOTA, "violations": [{"subject": quota}]})
    body = json.dumps({"error": {"code": status, "message": message, "status": "X", "details": details}}).encode()
    return classify_fcm(status=status, headers=headers or {}, body=body, now=0.0)


TOKEN_MESSAGE = "The registration token is not a valid FCM registration token"


@pytest.mark.parametrize(
    ("got", "outcome", "reason", "retry_after"),
    [
        (answer(404, "UNREGISTERED"), Outcome.GONE, "unregistered", None),
        (answer(400, "INVALID_ARGUMENT", message=TOKEN_MESSAGE), Outcome.GONE, "token_invalid", None),
        (answer(400, "INVALID_ARGUMENT", field="message.token"), Outcome.GONE, "token_invalid", None),
        (answer(400, "INVALID_ARGUMENT", field="message.data[0].value"), Outcome.FAILED, "invalid_argument", None),
        (answer(400, field="message"), Outcome.FAILED, "invalid_argument", None),
        (answer(400, message="Android message is too big"), Outcome.FAILED, "payload_too_large", None),
        (answer(400), Outcome.FAILED, "invalid_argument", None),
        (answer(403, "SENDER_ID_MISMATCH"), Outcome.QUARANTINE, "sender_id_mismatch", None),
        (answer(401, "THIRD_PARTY_AUTH_ERROR"), Outcome.AUTH, "apns_credentials_refused", None),
        (answer(401), Outcome.AUTH, "unauthorized", None),
        (answer(403), Outcome.AUTH, "forbidden", None),
        (answer(404), Outcome.AUTH, "fcm_project_unknown", None),
        (answer(429, "QUOTA_EXCEEDED"), Outcome.THROTTLED, "too_many_requests", 60.0),
        (answer(429, headers={"retry-after": "7"}), Outcome.THROTTLED, "too_many_requests", 7.0),
        (answer(429, headers={"retry-after": "0"}), Outcome.THROTTLED, "too_many_requests", 0.0),
        (answer(429, "QUOTA_EXCEEDED", quota="device:abc"), Outcome.RETRY, "device_rate_exceeded", 60.0),
        (answer(500, "INTERNAL"), Outcome.RETRY, "server_error", None),
        (answer(503, "UNAVAILABLE", headers={"retry-after": "30"}), Outcome.RETRY, "server_error", 30.0),
        (answer(410), Outcome.FAILED, "http_410", None),
        (answer(302), Outcome.FAILED, "redirect", None),
        (answer(200), Outcome.ACCEPTED, "accepted", None),
    ],
)
def test_each_answer_has_its_meaning(got, outcome, reason, retry_after):
    assert (got.outcome, got.reason, got.retry_after) == (outcome, reason, retry_after)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502])
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>502", b"[]", b'"x"', b'{"error": 1}', b'{"error": {"details": 7}}', b'{"error": {"details": [1]}}'],
)
def test_whatever_a_front_door_answers_no_token_is_lost(status, body):
    assert classify_fcm(status=status, headers={}, body=body, now=0.0).outcome is not Outcome.GONE


def test_no_other_field_that_merely_contains_the_word_makes_a_token_gone():
    assert answer(400, "INVALID_ARGUMENT", field="message.data.token").outcome is Outcome.FAILED
