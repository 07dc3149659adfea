"""The websocket side: what Firefox says and hears, spoken by a plain websocket client."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import requests
from aiohttp import ClientSession, WSMsgType

from devices.pushservice.server import LocalPushService
from tests.devices.pushservice.conftest import PATIENCE_SECONDS, Sender
from tests.support.scenes import run_scene

CHANNEL = "5f0a774c-1c9e-4a3e-9a1c-2f6e7d3a9b11"


class FakeFirefox:
    """A browser's side of one socket."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def hear(self) -> dict[str, Any]:
        return await self.socket.receive_json(timeout=PATIENCE_SECONDS)

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.say(**message)
        return await self.hear()

    async def hello(self, uaid: str | None = None) -> str:
        known = {"uaid": uaid} if uaid else {}
        answer = await self.ask(messageType="hello", broadcasts={}, use_webpush=True, **known)
        assert answer["messageType"] == "hello"
        assert answer["status"] == 200
        assert answer["use_webpush"] is True
        assert answer["broadcasts"] == {}
        return answer["uaid"]

    async def subscribe(self, key: str | None, channel: str = CHANNEL) -> dict[str, str]:
        answer = await self.ask(messageType="register", channelID=channel, **({"key": key} if key else {}))
        assert (answer["messageType"], answer["status"], answer["channelID"]) == ("register", 200, channel)
        return {"endpoint": answer["pushEndpoint"], "token": answer["pushEndpoint"].rpartition("/")[2]}

    async def ack(self, *notifications: dict[str, Any], code: int = 100) -> None:
        updates = [{"channelID": one["channelID"], "version": one["version"], "code": code} for one in notifications]
        await self.say(messageType="ack", updates=updates)
        await self.quiet()

    async def quiet(self) -> None:
        """Nothing waits to be heard: the next thing is the answer to our ping."""
        assert await self.ask() == {}


@asynccontextmanager
async def firefox(service: LocalPushService):
    async with (
        ClientSession() as client,
        client.ws_connect(service.websocket_url, protocols=["push-notification"]) as socket,
    ):
        assert socket.protocol == "push-notification"
        yield FakeFirefox(socket)


@pytest.fixture
def play() -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Run a scene; senders inside it go through a thread, since they block."""
    return lambda scene: run_scene(scene())


async def post(sender: Sender, subscription: dict[str, str], body: str, **headers: Any) -> requests.Response:
    return await asyncio.to_thread(sender.post, subscription, body=body.encode(), **headers)


def padded(key: str) -> str:
    return key + "=" * (-len(key) % 4)


def content(notification: dict[str, Any]) -> str:
    data = notification["data"]
    return base64.urlsafe_b64decode(padded(data)).decode()


def test_a_browser_subscribes_gets_a_message_and_acknowledges_it(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            await browser.hello()
            subscription = await browser.subscribe(padded(sender.public))
            assert subscription["endpoint"].startswith(f"{service.url}/wpush/v2/")
            assert (await post(sender, subscription, "hi", TTL="90", Topic="t")).status_code == 201

            notification = await browser.hear()
            assert notification["messageType"] == "notification"
            assert notification["channelID"] == CHANNEL
            assert notification["ttl"] == 90
            assert notification["headers"] == {"encoding": "aes128gcm"}
            assert content(notification) == "hi"
            assert service.messages()[0]["state"] == "sent"
            assert service.state()["browsers"] == {"known": 1, "connected": 1}

            await browser.ack(notification)
            message = service.messages()[0]
            assert (message["state"], message["ack_code"]) == ("acked", 100)
            assert message["decrypt_error"].startswith("the keys")

    play(scene)


def test_the_browser_s_key_restricts_who_may_send(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            await browser.hello()
            restricted = await browser.subscribe(padded(sender.public))
            free = await browser.subscribe(None, channel="other")
            assert (await post(Sender(), restricted, "x")).status_code == 403
            assert (await post(sender, free, "x", authorization=None)).status_code == 201
            assert (await browser.hear())["channelID"] == "other"

    play(scene)


def test_a_message_without_content_carries_no_data(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            await browser.hello()
            await post(sender, await browser.subscribe(sender.public), "")
            notification = await browser.hear()
            assert "data" not in notification
            assert "headers" not in notification

    play(scene)


def test_messages_wait_for_a_browser_that_is_away_and_keep_their_order(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            uaid = await browser.hello()
            subscription = await browser.subscribe(sender.public)
        await _left(service)
        for text in ("one", "two"):
            assert (await post(sender, subscription, text)).status_code == 201
        assert [one["state"] for one in service.messages()] == ["stored", "stored"]
        assert service.state()["waiting"] == 2

        async with firefox(service) as browser:
            assert await browser.hello(uaid) == uaid
            assert [content(await browser.hear()) for _ in range(2)] == ["one", "two"]

    play(scene)


def test_an_unacknowledged_message_comes_again_and_an_acknowledged_one_does_not(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            uaid = await browser.hello()
            subscription = await browser.subscribe(sender.public)
            await post(sender, subscription, "taken")
            await post(sender, subscription, "lost")
            taken, lost = await browser.hear(), await browser.hear()
            await browser.ack(taken)
        await _left(service)

        async with firefox(service) as browser:
            await browser.hello(uaid)
            again = await browser.hear()
            assert (content(again), again["version"]) == ("lost", lost["version"])
            await browser.ack(again, code=102)
        await _left(service)

        async with firefox(service) as browser:
            await browser.hello(uaid)
            await browser.quiet()
        assert [one["ack_code"] for one in service.messages()] == [100, 102]

    play(scene)


def test_a_stored_message_of_the_same_topic_is_replaced(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            uaid = await browser.hello()
            one = await browser.subscribe(sender.public)
            other = await browser.subscribe(sender.public, channel="other")
        await _left(service)
        await post(sender, one, "old", Topic="score")
        await post(sender, one, "another topic", Topic="news")
        await post(sender, one, "no topic")
        await post(sender, other, "another channel", Topic="score")
        await post(sender, one, "new", Topic="score")
        assert service.messages()[0]["state"] == "replaced"

        async with firefox(service) as browser:
            await browser.hello(uaid)
            heard = [content(await browser.hear()) for _ in range(4)]
            await browser.quiet()
        assert heard == ["another topic", "no topic", "another channel", "new"]

    play(scene)


def test_ttl_0_is_dropped_when_nobody_is_connected_and_delivered_when_somebody_is(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            uaid = await browser.hello()
            subscription = await browser.subscribe(sender.public)
            await post(sender, subscription, "now", TTL="0")
            assert content(await browser.hear()) == "now"
        await _left(service)
        answer = await post(sender, subscription, "never", TTL="0")
        assert (answer.status_code, answer.headers["TTL"]) == (201, "0")
        assert service.messages()[-1]["state"] == "dropped"

        async with firefox(service) as browser:
            await browser.hello(uaid)
            await browser.quiet()

    play(scene)


def test_a_message_expires_with_its_ttl(service, clock, sender, play):
    async def scene():
        async with firefox(service) as browser:
            uaid = await browser.hello()
            subscription = await browser.subscribe(sender.public)
        await _left(service)
        await post(sender, subscription, "short", TTL="30")
        await post(sender, subscription, "long", TTL="3000")
        clock.ahead = 31

        async with firefox(service) as browser:
            await browser.hello(uaid)
            assert content(await browser.hear()) == "long"
            await browser.quiet()
        assert service.messages()[0]["state"] == "expired"

    play(scene)


@pytest.mark.parametrize("code", [200, 202])
def test_an_unregistered_channel_is_gone(service, sender, play, code):
    async def scene():
        async with firefox(service) as browser:
            await browser.hello()
            subscription = await browser.subscribe(sender.public)
            await post(sender, subscription, "unread")
            await browser.hear()
            answer = await browser.ask(messageType="unregister", channelID=CHANNEL, code=code)
            assert answer == {"messageType": "unregister", "status": 200, "channelID": CHANNEL}
            assert (await post(sender, subscription, "x")).status_code == 410
            assert service.messages()[0]["state"] == "revoked"

            fresh = await browser.subscribe(sender.public)
            assert fresh["token"] != subscription["token"]
            assert (await post(sender, fresh, "x")).status_code == 201

    play(scene)


def test_registering_a_channel_again_keeps_its_token_unless_the_key_changed(service, sender, play):
    async def scene():
        async with firefox(service) as browser:
            await browser.hello()
            first = await browser.subscribe(sender.public)
            assert await browser.subscribe(sender.public) == first
            other = await browser.subscribe(Sender().public)
            assert other != first
            assert (await post(sender, first, "x")).status_code == 410

    play(scene)


def test_an_unknown_uaid_gets_a_new_one(service, play):
    async def scene():
        async with firefox(service) as browser:
            assert await browser.hello("c0ffee") != "c0ffee"

    play(scene)


def test_a_second_socket_of_a_browser_takes_over_from_the_first(service, sender, play):
    async def scene():
        async with firefox(service) as first, firefox(service) as second:
            uaid = await first.hello()
            subscription = await first.subscribe(sender.public)
            await second.hello(uaid)
            assert (await first.socket.receive(timeout=PATIENCE_SECONDS)).type is WSMsgType.CLOSE
            await post(sender, subscription, "here")
            assert content(await second.hear()) == "here"
            assert service.state()["browsers"] == {"known": 1, "connected": 1}

    play(scene)


def test_a_reset_sends_browsers_away_and_they_come_back_as_new_ones(service, play):
    async def scene():
        async with firefox(service) as browser:
            uaid = await browser.hello()
            await asyncio.to_thread(service.reset)
            assert (await browser.socket.receive(timeout=PATIENCE_SECONDS)).type is WSMsgType.CLOSE
        async with firefox(service) as browser:
            assert await browser.hello(uaid) != uaid

    play(scene)


def test_pings_are_answered_and_broadcasts_ignored(service, play):
    async def scene():
        async with firefox(service) as browser:
            await browser.quiet()
            await browser.hello()
            await browser.say(messageType="broadcast_subscribe", broadcasts={"a": "b"})
            await browser.say(messageType="nack", code=301, version="x")
            await browser.say(messageType="ack", updates=[{"channelID": "x", "version": "y", "code": 100}])
            await browser.quiet()

    play(scene)


def test_a_channel_that_cannot_be_registered_is_told_why(service, play):
    async def scene():
        async with firefox(service) as browser:
            await browser.hello()
            for wrong in ({"channelID": CHANNEL, "key": "AAAA"}, {"key": Sender().public}):
                answer = await browser.ask(messageType="register", **wrong)
                assert (answer["messageType"], answer["status"]) == ("register", 400)
                assert answer["error"]

    play(scene)


@pytest.mark.parametrize("frame", ["{", "[1]", '{"messageType":"register","channelID":"c"}', b"bytes"])
def test_who_does_not_speak_the_protocol_is_shown_out(service, play, frame):
    async def scene():
        async with firefox(service) as browser:
            send = browser.socket.send_bytes if isinstance(frame, bytes) else browser.socket.send_str
            await send(frame)
            assert (await browser.socket.receive(timeout=PATIENCE_SECONDS)).type is WSMsgType.CLOSE
            assert browser.socket.close_code == 1008

    play(scene)


def test_an_unknown_message_type_after_hello_closes_the_socket(service, play):
    async def scene():
        async with firefox(service) as browser:
            await browser.hello()
            await browser.say(messageType="sing")
            assert (await browser.socket.receive(timeout=PATIENCE_SECONDS)).type is WSMsgType.CLOSE
        await _left(service)

    play(scene)


def test_a_plain_request_is_told_to_come_by_websocket(service):
    assert requests.get(service.url, timeout=PATIENCE_SECONDS).status_code == 426


async def _left(service: LocalPushService) -> None:
    """Wait until the service has noticed that the browser is away."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while service.state()["browsers"]["connected"]:
            await asyncio.sleep(0.01)
