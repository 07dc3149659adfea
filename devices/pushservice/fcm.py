"""FCM's HTTP v1 send call and the OAuth2 token endpoint before it, with Google's error documents."""

import asyncio
import json
import secrets
from typing import Any

from aiohttp import web

from devices.pushservice.failures import Failure
from devices.pushservice.fcm_schema import WrongField, check_message
from devices.pushservice.messages import Message
from devices.pushservice.state import PushState
from devices.pushservice.webpush import drop_connection, failure_headers

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
MAX_PAYLOAD_BYTES = 4096
OAUTH_TOKEN = "oauth"  # noqa: S105 - the name under which its failures are switched
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

# error code -> HTTP status, google.rpc status, message as FCM words it
ERRORS = {
    "UNREGISTERED": (404, "NOT_FOUND", "Requested entity was not found."),
    "SENDER_ID_MISMATCH": (403, "PERMISSION_DENIED", "SenderId mismatch"),
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "THIRD_PARTY_AUTH_ERROR": (401, "UNAUTHENTICATED", "Auth error from APNS or Web Push Service"),
    "UNAUTHENTICATED": (
        401,
        "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token.",
    ),
    "QUOTA_EXCEEDED": (429, "RESOURCE_EXHAUSTED", "Quota exceeded."),
    "UNAVAILABLE": (503, "UNAVAILABLE", "The service is currently unavailable."),
    "INTERNAL": (500, "INTERNAL", "Internal error encountered."),
}
# what a bare HTTP status means here, so that one switch for all tokens fails both surfaces
_BY_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "SENDER_ID_MISMATCH",
    404: "UNREGISTERED",
    429: "QUOTA_EXCEEDED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class CannotSend(Exception):
    """The send call is refused with one of FCM's error codes, and the field when one is to blame."""

    def __init__(self, code: str, *, message: str | None = None, field: str | None = None) -> None:
        """Keep the parts of the answer."""
        super().__init__(message or code)
        self.code = code
        self.message = message
        self.field = field


def error_body(*, code: str, message: str | None = None, field: str | None = None) -> dict[str, Any]:
    """Build Google's error document for an FCM error code."""
    status, rpc_status, wording = ERRORS[code]
    details: list[dict[str, Any]] = []
    if code != "UNAUTHENTICATED":  # said by Google's front door, before FCM has its word
        details.append({"@type": FCM_ERROR, "errorCode": code})
    if field is not None:
        violation = {"field": field, "description": message or wording}
        details.append({"@type": BAD_REQUEST, "fieldViolations": [violation]})
    error: dict[str, Any] = {"code": status, "message": message or wording, "status": rpc_status}
    return {"error": error | ({"details": details} if details else {})}


class Fcm:
    """Handlers of the send call and of the token endpoint."""

    def __init__(self, *, state: PushState) -> None:
        """Serve the native tokens of the state."""
        self._state = state

    def routes(self) -> list[web.RouteDef]:
        """List the routes; a literal colon belongs to Google's path."""
        return [
            web.post(r"/v1/projects/{project:[^/:]+}/messages:send", self.send),
            web.post("/token", self.token),
        ]

    async def token(self, request: web.Request) -> web.Response:
        """Hand an access token to any service account (RFC 7523, section 2.1)."""
        form = await request.post()
        failure = self._state.failures.take(token=OAUTH_TOKEN, surface="oauth")
        if failure is not None:
            await asyncio.sleep(failure.delay)
            if failure.mode == "cut":
                return drop_connection(request)
            if failure.status is not None:
                self._state.reject(surface="oauth", reason=str(failure.status))
                body = {"error": "switched_on_by_a_test"}
                return web.json_response(body, status=failure.status, headers=failure_headers(failure))
        if form.get("grant_type") != JWT_BEARER or not form.get("assertion"):
            self._state.reject(surface="oauth", reason="400")
            return web.json_response(
                {"error": "invalid_grant", "error_description": "a JWT bearer assertion is expected"},
                status=400,
            )
        return web.json_response(
            {"access_token": f"ya29.{secrets.token_urlsafe(32)}", "expires_in": 3600, "token_type": "Bearer"}
        )

    async def send(self, request: web.Request) -> web.Response:
        """Take one message for a native token, unless a failure is switched on or a rule refuses it."""
        body = await request.read()
        failure: Failure | None = None
        try:
            document, content = _read_document(request, body)
            token = content.get("token")
            failure = self._state.failures.take(token=token if isinstance(token, str) else "", surface="fcm")
            if failure is not None:
                await asyncio.sleep(failure.delay)
                _raise_switched(failure)
                if failure.mode == "cut" and failure.cut == "before":
                    self._state.cut["fcm"] += 1
                    return drop_connection(request)
            self._examine(content)
        except CannotSend as refusal:
            self._state.reject(surface="fcm", reason=refusal.code)
            return web.json_response(
                error_body(code=refusal.code, message=refusal.message, field=refusal.field),
                status=ERRORS[refusal.code][0],
                headers=failure_headers(failure) if failure is not None else {},
            )
        now = self._state.clock()
        if not document.get("validate_only"):
            headers = {name.lower(): value for name, value in request.headers.items()}
            headers.pop("authorization", None)
            self._state.accept(
                Message(
                    seq=0,
                    kind="fcm",
                    token=content["token"],
                    received_at=now,
                    ttl=None,
                    urgency=None,
                    topic=None,
                    headers=headers,
                    body=body,
                    fcm_message=content,
                )
            )
        if failure is not None and failure.mode == "cut":
            self._state.cut["fcm"] += 1
            return drop_connection(request)
        name = f"0:{int(now * 1_000_000)}%{secrets.token_hex(8)}"
        return web.json_response({"name": f"projects/{request.match_info['project']}/messages/{name}"})

    def _examine(self, content: dict[str, Any]) -> None:
        token = content.get("token")
        if not isinstance(token, str) or not token:
            raise CannotSend(
                "INVALID_ARGUMENT",
                message="Recipient of the message is not set.",
                field="message.token",
            )
        try:
            check_message(content)
        except WrongField as problem:
            raise CannotSend("INVALID_ARGUMENT", message=str(problem), field=problem.path) from problem
        data = content.get("data") or {}
        payload = {"data": data, "notification": content.get("notification") or {}}
        if len(json.dumps(payload, ensure_ascii=False).encode()) > MAX_PAYLOAD_BYTES:
            raise CannotSend("INVALID_ARGUMENT", message="Android message is too big")
        if not self._state.fcm_tokens.get(token):
            raise CannotSend("UNREGISTERED")


def _read_document(request: web.Request, body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise CannotSend("UNAUTHENTICATED")
    try:
        document = json.loads(body)
    except ValueError as error:
        raise CannotSend("INVALID_ARGUMENT", message="Invalid JSON payload received.") from error
    content = document.get("message") if isinstance(document, dict) else None
    if not isinstance(content, dict):
        raise CannotSend("INVALID_ARGUMENT", field="message")
    return document, content


def _raise_switched(failure: Failure) -> None:
    if failure.mode == "fcm:INVALID_ARGUMENT:token":
        raise CannotSend(
            "INVALID_ARGUMENT",
            message="The registration token is not a valid FCM registration token",
            field="message.token",
        )
    if failure.mode.startswith("fcm:"):
        raise CannotSend(failure.mode.removeprefix("fcm:"))
    if failure.status is not None:
        fallback = "INVALID_ARGUMENT" if failure.status < 500 else "INTERNAL"
        raise CannotSend(_BY_STATUS.get(failure.status, fallback))
