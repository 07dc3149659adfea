"""The push resource of RFC 8030, with refusals in the shape that Mozilla's autopush gives them."""

import asyncio
import re
from http import HTTPStatus

from aiohttp import web

from devices.pushservice.failures import Failure
from devices.pushservice.messages import Message
from devices.pushservice.notification import send_notification
from devices.pushservice.state import PushState
from devices.pushservice.subscribers import Subscription
from devices.pushservice.vapid import CannotAuthenticate, VapidChecker

MAX_BODY_BYTES = 4096
# A push service may keep a message for less than it was asked (RFC 8030, section 5.2): autopush's 60 days.
MAX_TTL_SECONDS = 60 * 24 * 60 * 60
URGENCIES = ("very-low", "low", "normal", "high")
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SECONDS = re.compile(r"[0-9]{1,18}")

# autopush's error numbers, for the statuses that a failure mode may name
_ERRNO = {400: 110, 401: 109, 403: 109, 404: 102, 410: 103, 413: 104, 429: 201, 500: 999, 503: 201}


class CannotAccept(Exception):
    """The message is refused with a status, an autopush error number and a reason."""

    def __init__(self, status: int, errno: int, reason: str) -> None:
        """Keep the parts of the answer."""
        super().__init__(reason)
        self.status = status
        self.errno = errno


def endpoint_url(request: web.BaseRequest, token: str) -> str:
    """Return the push resource of a token at the origin that this client sees."""
    return f"http://{request.host}/wpush/v2/{token}"


def drop_connection(request: web.BaseRequest) -> web.Response:
    """Cut the connection without an answer; the returned response has nowhere to go."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=HTTPStatus.NO_CONTENT)


def failure_headers(failure: Failure) -> dict[str, str]:
    """Return the headers that a switched failure adds."""
    return {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}


class WebPush:
    """Handlers of the push resource."""

    def __init__(self, *, state: PushState) -> None:
        """Serve the subscriptions of the state."""
        self._state = state
        self._vapid = VapidChecker()

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [web.post("/wpush/v2/{token}", self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        """Take one message (RFC 8030, section 5), unless a failure is switched on or a rule refuses it."""
        token = request.match_info["token"]
        body = await _read_body(request)
        failure = self._state.failures.take(token=token, surface="webpush")
        if failure is not None:
            await asyncio.sleep(failure.delay)
            if failure.status is not None:
                return self._fail(failure, status=failure.status)
            if failure.mode == "cut" and failure.cut == "before":
                self._state.cut["webpush"] += 1
                return drop_connection(request)
        try:
            message = self._examine(request, token=token, body=body)
        except CannotAccept as refusal:
            return self._refuse(refusal)
        connection = self._state.accept(message)
        if connection is not None:
            await send_notification(connection, message)
        if failure is not None and failure.mode == "cut":
            self._state.cut["webpush"] += 1
            return drop_connection(request)
        location = f"http://{request.host}/m/{message.version or message.seq}"
        return web.Response(status=201, headers={"Location": location, "TTL": str(message.ttl)})

    def _examine(self, request: web.Request, *, token: str, body: bytes | None) -> Message:
        now = self._state.clock()
        subscription = self._find(token)
        ttl = _read_ttl(request)
        topic, urgency = _read_topic(request), _read_urgency(request)
        if body is None or len(body) > MAX_BODY_BYTES:
            raise CannotAccept(413, 104, f"the body is above {MAX_BODY_BYTES} bytes")
        if body and request.headers.get("Content-Encoding") != "aes128gcm":
            raise CannotAccept(400, 110, "Content-Encoding must be aes128gcm")
        try:
            key = self._vapid.check(
                authorization=request.headers.get("Authorization"),
                origin=f"{request.scheme}://{request.host}",
                restricted_to=subscription.application_server_key,
                now=now,
            )
        except CannotAuthenticate as refusal:
            raise CannotAccept(refusal.status, 109, str(refusal)) from refusal
        # The credentials stay out of the log: they are good for half a day.
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers.pop("authorization", None)
        return Message(
            seq=0,
            kind="webpush",
            token=token,
            received_at=now,
            ttl=ttl,
            urgency=urgency,
            topic=topic,
            headers=headers,
            body=body,
            vapid_key=key,
            subscription=subscription,
        )

    def _find(self, token: str) -> Subscription:
        subscription = self._state.subscriptions.get(token)
        if subscription is None:
            raise CannotAccept(404, 102, "no such subscription")
        if subscription.gone:
            raise CannotAccept(410, 103, "the subscription is gone")
        return subscription

    def _refuse(self, refusal: CannotAccept) -> web.Response:
        self._state.reject(surface="webpush", reason=str(refusal.status))
        headers = {"WWW-Authenticate": "vapid"} if refusal.status == HTTPStatus.UNAUTHORIZED else {}
        return web.json_response(
            error_body(status=refusal.status, errno=refusal.errno, message=str(refusal)),
            status=refusal.status,
            headers=headers,
        )

    def _fail(self, failure: Failure, *, status: int) -> web.Response:
        self._state.reject(surface="webpush", reason=str(status))
        headers = failure_headers(failure)
        if failure.body is not None:
            return web.Response(text=failure.body, status=status, headers=headers)
        body = error_body(status=status, errno=_ERRNO.get(status, 999), message="switched on by a test")
        return web.json_response(body, status=status, headers=headers)


def error_body(*, status: int, errno: int, message: str) -> dict[str, int | str]:
    """Build autopush's error document."""
    try:
        error = HTTPStatus(status).phrase
    except ValueError:
        error = "Unknown"
    return {"code": status, "errno": errno, "error": error, "message": message}


async def _read_body(request: web.Request) -> bytes | None:
    """Read the whole body, so that a refusal leaves the connection usable; None when it is far too large."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None


def _read_ttl(request: web.Request) -> int:
    text = request.headers.get("TTL")
    if text is None:
        raise CannotAccept(400, 111, "the TTL header is missing")
    if not _SECONDS.fullmatch(text):
        raise CannotAccept(400, 112, "the TTL header is not a number of seconds")
    return min(int(text), MAX_TTL_SECONDS)


def _read_topic(request: web.Request) -> str | None:
    topic = request.headers.get("Topic")
    if topic is not None and not _TOPIC.fullmatch(topic):
        raise CannotAccept(400, 113, "the Topic header is not 1 to 32 base64url characters")
    return topic


def _read_urgency(request: web.Request) -> str:
    urgency = request.headers.get("Urgency", "normal")
    if urgency not in URGENCIES:
        raise CannotAccept(400, 999, f"the Urgency header is not one of {', '.join(URGENCIES)}")
    return urgency
