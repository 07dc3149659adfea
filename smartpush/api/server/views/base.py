"""What all calls of a brand's server share: the key, the headers of its limit, and replays by idempotency key."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.lifecycle.users import RowError
from devices.models import EndUser
from devices.people.services.replays import KeyUsedOtherwise, replay_begin, replay_keep
from smartpush.api.sdk.parsers import SdkParser
from smartpush.api.server.auth import ServerCaller, WithApiKey
from smartpush.api.server.rows import RowRefused
from smartpush.common.calls.errors import ApiError
from smartpush.common.calls.limits import LimitState
from smartpush.common.database.deadlocks import transaction_again


class ServerParser(SdkParser):
    """As pages' bodies are read, but of 16 MiB: ten thousand rows fit."""

    max_body = 16 * 1024 * 1024
    replaces = False


class ServerView(APIView):
    """A call by a brand's own server; `scopes` says which scope each method needs."""

    permission_classes = (WithApiKey,)
    parser_classes = (ServerParser,)
    scopes: Mapping[str, str]
    limit_state: LimitState | None = None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Every answer tells how the key's window stands (draft-ietf-httpapi-ratelimit-headers-06)."""
        final = super().finalize_response(request, response, *args, **kwargs)
        state = self.limit_state
        if state is not None:
            final.headers["RateLimit-Limit"] = str(state.limit)
            final.headers["RateLimit-Remaining"] = str(state.remaining)
            final.headers["RateLimit-Reset"] = str(state.reset)
        final.headers["Cache-Control"] = "no-store"
        if final.status_code == 401:
            final.headers["WWW-Authenticate"] = 'Bearer realm="smartpush"'
        return final


def caller_of(request: Request) -> ServerCaller:
    """Who calls, as the permission found."""
    caller: ServerCaller = request.caller  # type: ignore[attr-defined]
    return caller


def end_user_of(caller: ServerCaller, external_id: str) -> EndUser:
    """The brand's end user of this external id; raises ApiError."""
    found = None
    if "\x00" not in external_id:
        found = EndUser.objects.filter(brand=caller.brand, external_id=external_id).first()
    if found is None:
        raise end_user_unknown()
    return found


def end_user_unknown() -> ApiError:
    """No such end user in this brand."""
    return ApiError(404, "end_user_unknown", "The brand has no end user of this external id.")


def refused(problem: RowRefused) -> ApiError:
    """A row's refusal as the whole call's."""
    name, colon, text = str(problem).partition(": ")
    fields = {name: [text]} if colon else {}
    return ApiError(400, problem.code, str(problem), fields=fields)


def error_rows(errors: list[RowError]) -> list[dict[str, Any]]:
    """The rows that were refused, in the order in which they were sent."""
    return [
        {"index": error.index, "code": error.code, "message": error.message}
        for error in sorted(errors, key=lambda one: one.index)
    ]


def once(
    request: Request, *, scope: str, work: Callable[[int], tuple[int, dict[str, Any]]], required: bool = False
) -> Response:
    """Do the work, or answer as the first request with this Idempotency-Key was answered.

    `work` is given the key's row number (0 without a key) and returns status and body; a refusal uses no key up. The
    same key with another request is a conflict.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        if required:
            raise ApiError(
                400, "idempotency_key_missing", "Name this request in an Idempotency-Key header: 1 to 128 characters."
            )
        status, body = transaction_again(lambda: work(0))
        return Response(body, status)
    if len(key) > 128 or not key.isascii() or not key.isprintable():
        raise ApiError(400, "idempotency_key_invalid", "An Idempotency-Key has 1 to 128 printable ASCII characters.")
    caller = caller_of(request)
    told = json.dumps([request.method, request.path, request.data], sort_keys=True, ensure_ascii=True, default=str)
    request_hash = hashlib.sha256(told.encode()).hexdigest()

    def first_or_again() -> tuple[int, Any]:
        replay = replay_begin(brand_id=caller.brand.pk, scope=scope, key=key, request_hash=request_hash, now=caller.now)
        if replay.response is not None:
            kept = replay.response["body"]
            # Text since the order of its names is kept; answers of before are objects.
            return replay.response["status"], json.loads(kept) if isinstance(kept, str) else kept
        status, body = work(replay.row_id)
        text = JSONRenderer().render(body).decode()
        replay_keep(row_id=replay.row_id, response={"status": status, "body": text})
        return status, json.loads(text)

    try:
        status, body = transaction_again(first_or_again)
    except KeyUsedOtherwise:
        raise ApiError(
            409, "idempotency_conflict", "This Idempotency-Key was used for another request; take a new one."
        ) from None
    return Response(body, status)
