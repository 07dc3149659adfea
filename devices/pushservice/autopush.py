"""Mozilla autopush's websocket protocol, as Firefox speaks it to `dom.push.serverURL`."""

import json
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from devices.pushservice.notification import send_notification
from devices.pushservice.state import Browser, PushState
from devices.pushservice.subscribers import read_public_key
from devices.pushservice.webpush import endpoint_url

SUBPROTOCOL = "push-notification"
MAX_FRAME_BYTES = 65_536
CLOSE_SECONDS = 1.0


class CannotUnderstand(Exception):
    """The browser said something that the protocol does not have; the socket is closed with the reason."""


class Autopush:
    """Handler of the browsers' websocket."""

    def __init__(self, *, state: PushState) -> None:
        """Serve the browsers of the state."""
        self._state = state

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [web.get("/", self.socket)]

    async def close_all(self, _app: web.Application) -> None:
        """Close every browser's socket, when the service stops."""
        for connection in self._state.connections():
            await connection.close(code=WSCloseCode.GOING_AWAY, message=b"the service stops")

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Talk with one browser until it leaves."""
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,), max_msg_size=MAX_FRAME_BYTES, timeout=CLOSE_SECONDS)
        if not socket.can_prepare(request).ok:
            return web.Response(status=426, text="smartpush local push service: browsers connect here by websocket\n")
        await socket.prepare(request)
        browser: Browser | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    raise CannotUnderstand("only text frames are spoken here")
                message = _read(frame.data)
                if not message:
                    await socket.send_json({})
                elif browser is None:
                    browser = await self._hello(socket, message)
                else:
                    await self._handle(request, socket, browser, message)
        except CannotUnderstand as error:
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message=str(error).encode()[:120])
        except ConnectionError:
            pass  # the browser is gone: what it has not acknowledged waits for its next hello
        finally:
            if browser is not None and browser.connection is socket:
                browser.connection = None
        return socket

    async def _hello(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> Browser:
        if message.get("messageType") != "hello":
            raise CannotUnderstand("the first message must be hello")
        uaid = message.get("uaid")
        browser = self._state.greet(uaid=uaid if isinstance(uaid, str) else None)
        await socket.send_json(
            {
                "messageType": "hello",
                "status": 200,
                "uaid": browser.uaid,
                "use_webpush": True,
                "broadcasts": {},
            }
        )
        # No await between these lines: a message is either in the list or sees the socket, never both.
        earlier = browser.connection
        browser.connection = socket
        waiting = self._state.waiting_for(browser=browser)
        for stored in waiting:
            if stored.version in browser.waiting:
                await send_notification(socket, stored)
        if earlier is not None:
            # Last, since a dead socket takes until its timeout to close.
            await earlier.close(code=WSCloseCode.OK, message=b"connected again")
        return browser

    async def _handle(
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        browser: Browser,
        message: dict[str, Any],
    ) -> None:
        match message.get("messageType"):
            case "register":
                await socket.send_json(self._register(request, browser, message))
            case "unregister":
                await socket.send_json(self._unregister(browser, message))
            case "ack":
                self._acknowledge(browser, message)
            case "nack" | "broadcast_subscribe":
                pass
            case "ping":
                await socket.send_json({})
            case other:
                raise CannotUnderstand(f"unknown messageType {other!r}")

    def _register(self, request: web.Request, browser: Browser, message: dict[str, Any]) -> dict[str, Any]:
        channel_id, key = message.get("channelID"), message.get("key")
        answer = {"messageType": "register", "channelID": channel_id}
        if not isinstance(channel_id, str) or not channel_id:
            return answer | {"status": 400, "error": "channelID is missing"}
        try:
            restricted_to = read_public_key(key) if isinstance(key, str) and key else None
        except ValueError as error:
            return answer | {"status": 400, "error": f"key is {error}"}
        made = self._state.register(browser=browser, channel_id=channel_id, key=restricted_to)
        return answer | {"status": 200, "pushEndpoint": endpoint_url(request, made.token)}

    def _unregister(self, browser: Browser, message: dict[str, Any]) -> dict[str, Any]:
        channel_id = message.get("channelID")
        known = browser.channels.get(channel_id) if isinstance(channel_id, str) else None
        if known is not None:
            self._state.revoke(token=known.token)
        return {"messageType": "unregister", "channelID": channel_id, "status": 200}

    def _acknowledge(self, browser: Browser, message: dict[str, Any]) -> None:
        updates = message.get("updates")
        for update in updates if isinstance(updates, list) else []:
            version, code = update.get("version"), update.get("code")
            if isinstance(version, str):
                self._state.acknowledge(browser=browser, version=version, code=code if isinstance(code, int) else None)


def _read(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError as error:
        raise CannotUnderstand("not JSON") from error
    if not isinstance(message, dict):
        raise CannotUnderstand("not a JSON object")
    return message
