"""A switched failure fails exactly the requests it names, in the way it names."""

import time

import pytest
import requests

from tests.devices.pushservice.conftest import PATIENCE_SECONDS, Sender


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 429, 500, 502, 503])
def test_a_status_is_answered_until_switched_off(service, sender, subscription, status):
    service.fail(status, token=subscription["token"])
    answers = [sender.post(subscription) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [status, status]
    assert answers[0].json()["code"] == status
    assert service.state()["rejected"]["webpush"] == {str(status): 2}
    assert service.messages() == []

    service.clear_failures(token=subscription["token"])
    assert sender.post(subscription).status_code == 201


def test_a_failure_names_one_token_or_all(service, sender):
    one, other = service.subscriptions(2, sender.public)
    service.fail(500, token=one["token"])
    assert [sender.post(one).status_code, sender.post(other).status_code] == [500, 201]

    service.fail(503)
    assert [sender.post(one).status_code, sender.post(other).status_code] == [500, 503]


def test_a_failure_can_last_for_a_number_of_requests(service, sender, subscription):
    service.fail(503, times=2)
    assert [sender.post(subscription).status_code for _ in range(3)] == [503, 503, 201]
    assert service.state()["failures"] == []


@pytest.mark.parametrize("retry_after", [5, "Fri, 31 Dec 2027 23:59:59 GMT"])
def test_429_carries_retry_after_as_given(service, sender, subscription, retry_after):
    service.fail(429, retry_after=retry_after)
    assert sender.post(subscription).headers["Retry-After"] == str(retry_after)


def test_no_retry_after_unless_given(service, sender, subscription):
    service.fail(429)
    assert "Retry-After" not in sender.post(subscription).headers


def test_a_failure_can_answer_another_service_s_body(service, sender, subscription):
    service.fail(400, body='{"reason":"VapidPkHashMismatch"}')
    assert sender.post(subscription).json() == {"reason": "VapidPkHashMismatch"}


def test_a_cut_message_was_accepted_though_nobody_was_told(service, sender, subscription):
    service.fail("cut")
    with pytest.raises(requests.ConnectionError):
        sender.push(subscription, "hello")

    assert [message["plaintext"] for message in service.messages()] == ["hello"]
    assert service.state()["cut"]["webpush"] == 1
    assert service.state()["accepted"]["webpush"] == 1


def test_a_message_cut_before_was_not_accepted(service, sender, subscription):
    service.fail("cut", cut="before")
    with pytest.raises(requests.ConnectionError):
        sender.push(subscription, "hello")

    assert service.messages() == []
    assert service.state()["cut"]["webpush"] == 1


def test_a_message_that_a_rule_refuses_is_refused_also_while_cutting(service, subscription):
    service.fail("cut")
    assert Sender().post(subscription).status_code == 403


def test_a_slow_answer_comes_after_its_delay_and_holds_up_nobody_else(service, sender):
    slow, quick = service.subscriptions(2, sender.public)
    service.fail("slow", token=slow["token"], delay=3.0)

    with pytest.raises(requests.ReadTimeout):
        requests.post(
            slow["endpoint"],
            headers={"TTL": "5", "Authorization": sender.authorization(slow["endpoint"])},
            timeout=0.2,
        )
    assert sender.post(quick).status_code == 201
    assert service.messages(token=slow["token"]) == []
    # who gave up waiting cannot know it, but the message arrived
    assert len(service.messages(token=slow["token"], wait=PATIENCE_SECONDS)) == 1

    service.fail("slow", token=slow["token"], delay=0.3)
    began = time.monotonic()
    assert sender.post(slow).status_code == 201
    assert time.monotonic() - began >= 0.3


def test_a_delay_can_come_before_a_status(service, sender, subscription):
    service.fail(503, delay=0.3)
    began = time.monotonic()
    assert sender.post(subscription).status_code == 503
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    "fields",
    [
        {"mode": "200"},
        {"mode": "fcm:SOMETHING"},
        {"mode": None},
        {"mode": "429", "retry_after": [5]},
        {"mode": "429", "retry_after": "a\r\nb: c"},
        {"mode": "slow", "delay": -1},
        {"mode": "slow", "delay": "long"},
        {"mode": "500", "times": 0},
        {"mode": "cut", "cut": "sometimes"},
        {"mode": "500", "body": 1},
    ],
)
def test_a_failure_that_makes_no_sense_is_refused(service, fields):
    answer = requests.post(f"{service.url}/control/failures", json={"token": "*", **fields}, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert service.state()["failures"] == []
