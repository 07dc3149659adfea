"""The control calls do their work for this machine, and for nobody else."""

import threading
import time

import pytest
import requests
from aiohttp import ClientSession, UnixConnector, web

from devices.pushservice.server import LocalPushService, make_app
from tests.devices.pushservice.conftest import PATIENCE_SECONDS, Sender
from tests.support.scenes import run_scene


def call(service, path, body=None, *, method="POST", **options):
    return requests.request(method, f"{service.url}/control/{path}", json=body, timeout=2 * PATIENCE_SECONDS, **options)


def test_subscriptions_are_made_and_reach_the_service(service, sender):
    answer = call(service, "subscriptions", {"count": 3, "application_server_key": sender.public})

    assert answer.status_code == 201
    made = answer.json()
    assert len({one["token"] for one in made}) == 3
    for number, one in enumerate(made):
        assert one["endpoint"] == f"{service.url}/wpush/v2/{one['token']}"
        assert sender.push(one, f"message {number}").status_code == 201
    assert [one["plaintext"] for one in service.messages()] == ["message 0", "message 1", "message 2"]


@pytest.mark.parametrize(
    "body",
    [
        {"count": 1},
        {"count": 0, "application_server_key": Sender().public},
        {"count": True, "application_server_key": Sender().public},
        {"count": 50_001, "application_server_key": Sender().public},
        {"count": 1, "application_server_key": "AAAA"},
        {"count": 1, "application_server_key": "not base64"},
        ["count"],
    ],
)
def test_subscriptions_that_make_no_sense_are_refused(service, body):
    assert call(service, "subscriptions", body).status_code == 400
    assert service.state()["subscriptions"]["simulated"] == 0


def test_an_external_subscription_keeps_the_token_it_asks_for_once(service, sender):
    body = {"application_server_key": sender.public, "token": "mine"}
    assert call(service, "subscriptions/external", body).json()["endpoint"].endswith("/wpush/v2/mine")
    assert call(service, "subscriptions/external", body).status_code == 409
    assert call(service, "subscriptions/external", body | {"token": "a/b"}).status_code == 400
    assert call(service, "subscriptions/external", body | {"token": "b", "auth": "AAAA"}).status_code == 400


def test_messages_are_paged_in_arrival_order_and_by_token(service, sender):
    one, other = service.subscriptions(2, sender.public)
    for number in range(6):
        sender.push(other if number % 2 else one, str(number))

    first = call(service, "messages?limit=4", method="GET").json()
    rest = call(service, f"messages?after={first[-1]['seq']}", method="GET").json()
    assert [message["plaintext"] for message in first + rest] == ["0", "1", "2", "3", "4", "5"]
    assert [message["plaintext"] for message in service.messages(token=other["token"])] == ["1", "3", "5"]
    assert call(service, "messages?after=x", method="GET").status_code == 400


def test_a_long_poll_returns_as_soon_as_the_message_is_there(service, sender, subscription):
    answers = []
    poll = threading.Thread(
        target=lambda: answers.append(call(service, f"messages?wait={PATIENCE_SECONDS}", method="GET").json())
    )
    began = time.monotonic()
    poll.start()
    sender.push(subscription, "at last")
    poll.join()

    assert [message["plaintext"] for message in answers[0]] == ["at last"]
    assert time.monotonic() - began < PATIENCE_SECONDS


def test_a_long_poll_can_wait_for_several_messages_of_one_token(service, sender):
    one, other = service.subscriptions(2, sender.public)
    answers = []
    poll = threading.Thread(
        target=lambda: answers.append(service.messages(token=one["token"], at_least=2, wait=PATIENCE_SECONDS))
    )
    poll.start()
    for target, text in ((one, "first"), (other, "foreign"), (one, "second")):
        sender.push(target, text)
    poll.join()
    assert [message["plaintext"] for message in answers[0]] == ["first", "second"]


def test_a_long_poll_gives_up_with_an_empty_page(service):
    began = time.monotonic()
    assert call(service, "messages?wait=0.3", method="GET").json() == []
    assert time.monotonic() - began >= 0.3


def test_failures_are_switched_on_and_off_by_call(service, sender, subscription):
    body = {"token": subscription["token"], "mode": "429", "retry_after": 5}
    assert call(service, "failures", body).json()["failures"][0]["mode"] == "429"
    assert sender.post(subscription).status_code == 429

    assert call(service, "failures", method="DELETE").json() == {"failures": []}
    assert sender.post(subscription).status_code == 201
    assert call(service, "failures", {"mode": "429"}).status_code == 400


def test_the_state_counts_what_happened(service, sender):
    one, other = service.subscriptions(2, sender.public)
    native = call(service, "fcm-tokens", {"count": 2}).json()["tokens"]
    assert call(service, "revoke", {"tokens": [other["token"], native[0], "nobody"]}).json() == {"revoked": 2}
    assert call(service, "revoke", {"tokens": "all"}).status_code == 400
    sender.post(one)
    sender.post(other)

    state = call(service, "state", method="GET").json()
    assert state["subscriptions"] == {"simulated": 1, "external": 0, "browser": 0, "gone": 1}
    assert state["fcm_tokens"] == {"registered": 1, "gone": 1}
    assert state["accepted"] == {"webpush": 1, "fcm": 0}
    assert state["rejected"]["webpush"] == {"410": 1}
    assert state["browsers"] == {"known": 0, "connected": 0}


def test_reset_forgets_everything_or_keeps_the_subscriptions(service, sender, subscription):
    service.fcm_tokens(1)
    sender.post(subscription)
    service.fail(500)

    assert call(service, "reset", {"keep_subscriptions": True}).status_code == 200
    assert service.messages() == []
    assert service.state()["accepted"]["webpush"] == 0
    assert sender.post(subscription).status_code == 201

    call(service, "reset", {})
    assert sender.post(subscription).status_code == 404
    assert service.state()["fcm_tokens"] == {"registered": 0, "gone": 0}


def test_message_numbers_go_on_after_a_reset_so_that_a_poller_misses_nothing(service, sender, subscription):
    sender.push(subscription, "before")
    seen = service.messages()[-1]["seq"]
    service.reset(keep_subscriptions=True)
    sender.push(subscription, "after")
    assert [message["plaintext"] for message in service.messages(after=seen)] == ["after"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8810", "10.0.0.7", "127.0.0.1.evil.example", ""])
def test_a_foreign_host_header_is_kept_off_the_control_calls(service, host):
    assert call(service, "state", method="GET", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "127.9.9.9", "[::1]:8810", "LOCALHOST"])
def test_a_loopback_host_header_is_served(service, host):
    assert call(service, "state", method="GET", headers={"Host": host}).status_code == 200


def test_a_peer_that_is_not_loopback_is_kept_off_the_control_calls(tmp_path, sender):
    """A unix socket stands for the other machine: its peer has no loopback address, whatever Host says."""

    async def ask() -> tuple[int, int]:
        runner = web.AppRunner(make_app())
        await runner.setup()
        await web.UnixSite(runner, str(tmp_path / "s")).start()
        try:
            async with ClientSession(connector=UnixConnector(str(tmp_path / "s"))) as client:
                control = await client.get("http://127.0.0.1/control/state")
                push = await client.post("http://127.0.0.1/wpush/v2/nobody")
                return control.status, push.status
        finally:
            await runner.cleanup()

    assert run_scene(ask()) == (403, 404)


def test_a_form_cannot_steer_the_service(service):
    answer = requests.post(
        f"{service.url}/control/reset", data="{}", headers={"Content-Type": "text/plain"}, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code == 415


def test_the_service_says_why_it_cannot_start_on_a_taken_port(service):
    port = int(service.url.rpartition(":")[2])
    with pytest.raises(OSError, match=str(port)), LocalPushService(port=port):
        pass
