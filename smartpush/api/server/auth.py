"""Who calls: a brand's own server by its secret key, within what the key may do and how often."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from devices.brands.services.api_keys import api_key_find
from devices.models import Brand
from smartpush.common.calls.callers import caller_of
from smartpush.common.calls.errors import ApiError
from smartpush.common.calls.limits import limit_count, limit_exceeded
from smartpush.common.time.clock import utc_now


@dataclass(frozen=True, slots=True)
class ServerCaller:
    """The brand whose key it is, and the time of the call."""

    brand: Brand
    key_id: int
    now: datetime


def _bearer(request: Request) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _refused(request: Request) -> ApiError:
    """Keys cannot be guessed, but each try costs a look-up: who is refused often waits."""
    limit = settings.SMARTPUSH_LIMITS["server_refused_per_address"]
    wait = limit_exceeded(scope="server-refused", key=caller_of(request), per_minute=limit)
    if wait is not None:
        return ApiError(429, "rate_limited", "Too many calls without a valid key; wait.", retry_after=wait)
    if not _bearer(request):
        return ApiError(401, "key_missing", "Send the brand's API key: Authorization: Bearer sk_...")
    return ApiError(401, "key_unknown", "The API key is not known here, or was revoked.")


class WithApiKey(BasePermission):
    """Sets `request.caller`; refuses unknown and revoked keys, missing scopes and too many calls.

    The view says in `scopes` which scope each of its methods needs.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        now = utc_now()
        key = api_key_find(secret=_bearer(request), now=now)
        if key is None:
            raise _refused(request)
        state = limit_count(scope="server-key", key=str(key.id), per_minute=settings.SMARTPUSH_LIMITS["server_per_key"])
        view.limit_state = state  # type: ignore[attr-defined]
        if state.exceeded:
            raise ApiError(
                429, "rate_limited", "Too many calls with this key; wait and try again.", retry_after=state.reset
            )
        scopes: Mapping[str, str] = view.scopes  # type: ignore[attr-defined]
        # HEAD runs what GET runs. OPTIONS, which has no entry, only describes the call.
        method = "GET" if request.method == "HEAD" else request.method or ""
        needed = scopes.get(method)
        if needed is None and method in view.allowed_methods and method != "OPTIONS":
            raise ApiError(405, "method_not_allowed", "No key may call this method here.")
        if needed is not None and needed not in key.scopes:
            raise ApiError(403, "scope_missing", f"This key lacks the scope {needed}.", fields={"scope": [needed]})
        request.caller = ServerCaller(brand=key.brand, key_id=key.id, now=now)  # type: ignore[attr-defined]
        return True
