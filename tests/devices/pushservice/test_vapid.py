"""RFC 8292: only the sender that the subscription was made for gets through."""

import time

import jwt
import pytest

from tests.devices.pushservice.conftest import Sender


def test_a_message_without_credentials_is_refused_and_told_the_scheme(sender, subscription):
    answer = sender.post(subscription, authorization=None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "vapid"
    assert answer.json()["errno"] == 109


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "https://updates.push.services.mozilla.com"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": ["http://127.0.0.1"]}, "aud"),
        ({"exp": int(time.time()) - 1}, "expired"),
        ({"exp": int(time.time()) + 25 * 3600}, "24 hours"),
        ({"exp": None}, "exp"),
        ({"sub": None}, "sub"),
        ({"sub": "ops@example.com"}, "sub"),
    ],
)
def test_wrong_claims_are_refused_with_the_reason(service, sender, subscription, changes, reason):
    authorization = sender.authorization(subscription["endpoint"], **changes)
    answer = sender.post(subscription, authorization=authorization)

    assert answer.status_code == 401
    assert answer.json()["errno"] == 109
    assert reason in answer.json()["message"]
    assert service.messages() == []


def test_the_audience_must_be_the_origin_alone(sender, subscription):
    authorization = sender.authorization(subscription["endpoint"], aud=subscription["endpoint"])
    assert sender.post(subscription, authorization=authorization).status_code == 401


def test_the_audience_is_the_host_that_the_sender_used(service, sender, subscription):
    by_name = {"endpoint": subscription["endpoint"].replace("127.0.0.1", "localhost")}
    for_address = sender.authorization(subscription["endpoint"])

    assert sender.post(by_name).status_code == 201
    assert sender.post(by_name, authorization=for_address).status_code == 401


def test_a_token_signed_by_another_key_than_k_is_refused(sender, subscription):
    authorization = sender.authorization(subscription["endpoint"], signed_by=Sender())
    answer = sender.post(subscription, authorization=authorization)
    assert answer.status_code == 401
    assert "signed" in answer.json()["message"]


def test_a_token_with_another_algorithm_is_refused(sender, subscription):
    claims = {"aud": "/".join(subscription["endpoint"].split("/")[:3]), "exp": int(time.time()) + 60}
    for token in (jwt.encode(claims, None, algorithm="none"), jwt.encode(claims, "k" * 32, algorithm="HS256")):
        answer = sender.post(subscription, authorization=f"vapid t={token}, k={sender.public}")
        assert answer.status_code == 401


def test_another_sender_s_key_is_a_mismatch_and_403(sender, subscription):
    answer = Sender().post(subscription)

    assert answer.status_code == 403
    assert "mismatch" in answer.json()["message"]


@pytest.mark.parametrize(
    "authorization",
    ["Bearer abc", "vapid", "vapid t=abc", "vapid t=a.b.c, k=AAAA", "WebPush a.b.c", "vapid t=, k=", "vapid k=é"],
)
def test_a_malformed_header_is_refused(sender, subscription, authorization):
    assert sender.post(subscription, authorization=authorization.encode()).status_code == 401


def test_a_token_used_again_still_expires(service, clock, sender, subscription):
    authorization = sender.authorization(subscription["endpoint"])
    assert sender.post(subscription, authorization=authorization).status_code == 201

    clock.ahead = 3700
    assert sender.post(subscription, authorization=authorization).status_code == 401
