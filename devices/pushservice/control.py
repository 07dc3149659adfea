"""The control calls: make subscribers, read what arrived, switch failures. For this machine only."""

import ipaddress
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from yarl import URL

from devices.pushservice.failures import read_failure
from devices.pushservice.state import CannotSubscribe, PushState
from devices.pushservice.subscribers import Subscription, b64url_decode, b64url_encode, read_public_key
from devices.pushservice.webpush import endpoint_url

MAX_COUNT = 50_000
MAX_PAGE = 5_000
DEFAULT_PAGE = 1_000
MAX_WAIT_SECONDS = 120.0
PREFIX = "/control/"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep web pages and other machines off the control calls.

    The peer and the Host header must be loopback (a page whose name was rebound to 127.0.0.1 sends its own
    name), and a changing call must be JSON or DELETE, which a page may not send across origins unasked.
    """
    if not request.path.startswith(PREFIX):
        return await handler(request)
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    try:
        host = URL(f"http://{request.host}").host
    except ValueError:
        host = None
    if not _is_loopback(peer[0] if peer else None) or not _is_loopback(host):
        return _refuse(403, "control calls answer to this machine only")
    if request.method == "POST" and request.content_type != "application/json":
        return _refuse(415, "control calls take application/json")
    try:
        return await handler(request)
    except CannotSubscribe as error:
        return _refuse(409, str(error))
    except ValueError as error:
        return _refuse(400, str(error))


def _refuse(status: int, reason: str) -> web.Response:
    return web.json_response({"error": reason}, status=status)


class Control:
    """Handlers of the control calls; a ValueError in one becomes a 400 that says what was wrong."""

    def __init__(self, *, state: PushState) -> None:
        """Steer the state."""
        self._state = state

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [
            web.post("/control/subscriptions", self.simulate),
            web.post("/control/subscriptions/external", self.add_external),
            web.post("/control/fcm-tokens", self.add_fcm_tokens),
            web.post("/control/revoke", self.revoke),
            web.get("/control/messages", self.messages),
            web.post("/control/failures", self.switch_failure_on),
            web.delete("/control/failures", self.switch_failures_off),
            web.get("/control/state", self.describe),
            web.post("/control/reset", self.reset),
        ]

    async def simulate(self, request: web.Request) -> web.Response:
        """Make `count` simulated subscriptions for an `application_server_key`."""
        fields = await _read_fields(request)
        made = self._state.simulate(count=_count(fields), application_server_key=_key(fields, "application_server_key"))
        return web.json_response([_describe(request, one) for one in made], status=201)

    async def add_external(self, request: web.Request) -> web.Response:
        """Make a subscription for keys held elsewhere, under a `token` of the caller's if one is given."""
        fields = await _read_fields(request)
        token = fields.get("token")
        if token is not None and (not isinstance(token, str) or not token.isascii() or "/" in token or not token):
            raise ValueError("token must be ASCII text without a slash")
        auth = _optional_bytes(fields, "auth")
        if auth is not None and len(auth) != 16:
            raise ValueError("auth must be 16 bytes")
        made = self._state.add_external(
            application_server_key=_key(fields, "application_server_key"),
            token=token,
            p256dh=_key(fields, "p256dh") if fields.get("p256dh") is not None else None,
            auth=auth,
        )
        return web.json_response(_describe(request, made), status=201)

    async def add_fcm_tokens(self, request: web.Request) -> web.Response:
        """Register `count` native tokens."""
        tokens = self._state.add_fcm_tokens(count=_count(await _read_fields(request)))
        return web.json_response({"tokens": tokens}, status=201)

    async def revoke(self, request: web.Request) -> web.Response:
        """Make the listed web or native `tokens` gone, as when their users revoke permission."""
        tokens = (await _read_fields(request)).get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise ValueError("tokens must be a list of tokens")
        return web.json_response({"revoked": sum(self._state.revoke(token=token) for token in tokens)})

    async def messages(self, request: web.Request) -> web.Response:
        """Answer the messages numbered above `after`, waiting up to `wait` seconds for the first."""
        found = await self._state.log.wait_for(
            after=int(request.query.get("after", "0")),
            token=request.query.get("token"),
            limit=max(1, min(int(request.query.get("limit", DEFAULT_PAGE)), MAX_PAGE)),
            at_least=max(1, int(request.query.get("at_least", "1"))),
            wait=max(0.0, min(float(request.query.get("wait", "0")), MAX_WAIT_SECONDS)),
        )
        return web.json_response([one.as_json(may_decrypt=self._state.decrypt) for one in found])

    async def switch_failure_on(self, request: web.Request) -> web.Response:
        """Let a `token`, or `*`, fail in a `mode` from now on."""
        fields = await _read_fields(request)
        token = fields.get("token")
        if not isinstance(token, str) or not token:
            raise ValueError("token must be a token, `oauth` or `*`")
        self._state.failures.switch_on(token=token, failure=read_failure(fields))
        return web.json_response({"failures": self._state.failures.as_json()})

    async def switch_failures_off(self, request: web.Request) -> web.Response:
        """Let one token (in the query), or everything, work again."""
        self._state.failures.switch_off(token=request.query.get("token"))
        return web.json_response({"failures": self._state.failures.as_json()})

    async def describe(self, _request: web.Request) -> web.Response:
        """Answer the counts."""
        return web.json_response(self._state.as_json())

    async def reset(self, request: web.Request) -> web.Response:
        """Forget everything, or with `keep_subscriptions` only messages, failures and counts."""
        fields = await _read_fields(request)
        sockets = self._state.reset(keep_subscriptions=bool(fields.get("keep_subscriptions")))
        for socket in sockets:
            await socket.close(message=b"reset")
        return web.json_response(self._state.as_json())


async def _read_fields(request: web.Request) -> dict[str, Any]:
    body = await request.read()
    fields = json.loads(body) if body else {}
    if not isinstance(fields, dict):
        raise ValueError("the body must be a JSON object")
    return fields


def _count(fields: dict[str, Any]) -> int:
    count = fields.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_COUNT:
        raise ValueError(f"count must be 1 to {MAX_COUNT}")
    return count


def _key(fields: dict[str, Any], name: str) -> bytes:
    text = fields.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is missing")
    try:
        return read_public_key(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _optional_bytes(fields: dict[str, Any], name: str) -> bytes | None:
    text = fields.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError(f"{name} must be base64url")
    return b64url_decode(text)


def _describe(request: web.Request, one: Subscription) -> dict[str, Any]:
    return {
        "token": one.token,
        "endpoint": endpoint_url(request, one.token),
        "p256dh": b64url_encode(one.p256dh) if one.p256dh else None,
        "auth": b64url_encode(one.auth) if one.auth else None,
    }
