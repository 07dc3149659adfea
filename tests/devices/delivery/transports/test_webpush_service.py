"""Against our own push service: it checks VAPID, decrypts as a browser does, and speaks HTTP/1.1 in the clear."""

import pytest

from devices.delivery.transports.base import Outcome, WebMessage
from devices.delivery.transports.endpoints import check_keys
from devices.delivery.transports.vapid import VapidKeyPair, generate_vapid_key
from devices.pushservice.server import LocalPushService


@pytest.fixture
def service():
    with LocalPushService() as service:
        yield service


def _messages(service, pair, count, **fields):
    made = []
    for key, one in enumerate(service.subscriptions(count, pair.public)):
        p256dh, auth = check_keys(one["p256dh"], one["auth"])
        values = {"vapid_key_id": 1, "payload": f"hello {key}".encode(), "ttl": 60}
        made.append(WebMessage(key=key, endpoint=one["endpoint"], p256dh=p256dh, auth=auth, **(values | fields)))
    return made


def test_every_subscriber_reads_its_own_message(service, make_sender, vapid, results):
    messages = _messages(service, vapid[1], 300, urgency="low", topic="t1")

    make_sender(service.url).send(messages, vapid=vapid, on_result=results)

    assert results.outcomes() == {Outcome.ACCEPTED}
    log = service.messages(limit=1000, at_least=300, wait=60)
    assert len(log) == 300
    assert {one["token"]: one["plaintext"] for one in log} == {
        message.endpoint.rpartition("/")[2]: message.payload.decode() for message in messages
    }


def test_a_subscription_of_another_vapid_key_asks_for_rekeying(service, make_sender, vapid, results):
    other = VapidKeyPair(*generate_vapid_key(), subject="mailto:ops@example.com")
    messages = _messages(service, other, 1)

    make_sender(service.url).send(messages, vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.status) == (Outcome.REKEY, 403)


def test_a_token_from_long_ago_is_an_auth_failure_and_nothing_is_gone(service, make_sender, vapid, results):
    sender = make_sender(service.url, clock=lambda: 1_600_000_000.0)

    sender.send(_messages(service, vapid[1], 1), vapid=vapid, on_result=results)

    assert results.only.outcome is Outcome.AUTH


@pytest.mark.parametrize(
    ("mode", "fields", "outcome", "retry_after"),
    [
        ("404", {}, Outcome.GONE, None),
        ("410", {}, Outcome.GONE, None),
        ("403", {}, Outcome.AUTH, None),
        ("413", {}, Outcome.FAILED, None),
        ("429", {"retry_after": 30}, Outcome.THROTTLED, 30.0),
        ("500", {}, Outcome.RETRY, None),
    ],
)
def test_its_failures_have_the_outcomes_of_the_table(
    service, make_sender, vapid, results, mode, fields, outcome, retry_after
):
    messages = _messages(service, vapid[1], 1)
    service.fail(mode, **fields)

    make_sender(service.url).send(messages, vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.retry_after) == (outcome, retry_after)


def test_a_revoked_subscription_is_gone(service, make_sender, vapid, results):
    (message,) = _messages(service, vapid[1], 1)
    service.revoke(message.endpoint.rpartition("/")[2])

    make_sender(service.url).send([message], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.status) == (Outcome.GONE, 410)


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_cut_on_a_reused_http_1_connection_is_unknown_and_not_sent_again(service, make_sender, vapid, results, cut):
    first, second = _messages(service, vapid[1], 2)
    sender = make_sender(service.url)
    sender.send([first], vapid=vapid, on_result=lambda _: None)
    service.fail("cut", cut=cut, times=1)

    sender.send([second], vapid=vapid, on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.UNKNOWN, "connection_cut")
    assert len(service.messages(limit=10)) == (2 if cut == "after" else 1)
