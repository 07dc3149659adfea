"""What FCM's answer means. The status says less than the error code in its details, so that is read first.

| answer                                                       | outcome    | reason                     |
|--------------------------------------------------------------|------------|----------------------------|
| 2xx                                                          | accepted   | accepted                   |
| UNREGISTERED                                                 | gone       | unregistered               |
| INVALID_ARGUMENT about the token                             | gone       | token_invalid              |
| INVALID_ARGUMENT otherwise, 400                              | failed     | payload_too_large, invalid_argument |
| SENDER_ID_MISMATCH                                           | quarantine | sender_id_mismatch         |
| THIRD_PARTY_AUTH_ERROR: APNs refuses the project's key       | auth       | apns_credentials_refused   |
| 401, 403 otherwise                                           | auth       | unauthorized, forbidden    |
| 404 without UNREGISTERED: no such project                    | auth       | fcm_project_unknown        |
| QUOTA_EXCEEDED of one device                                 | retry      | device_rate_exceeded       |
| QUOTA_EXCEEDED otherwise, 429                                | throttled  | too_many_requests          |
| everything else                                              | as for web push, see outcomes.py |    |
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from devices.delivery.transports.base import Outcome
from devices.delivery.transports.outcomes import Verdict, classify

THROTTLE: Final = 60.0
"""Seconds, where FCM says 429 without Retry-After."""

_FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_TOKEN_FIELD = "message.token"  # noqa: S105  a field's name
_TOKEN_WORDS = "registration token is not a valid"  # noqa: S105  FCM's wording
_TOO_BIG_WORDS = "too big"


def classify_fcm(*, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """Return what a final answer of FCM means; header names in lower case, `now` in Unix seconds."""
    if 200 <= status < 300:
        return Verdict(Outcome.ACCEPTED, "accepted")
    error = _error_of(body)
    details = [one for one in error.get("details", []) if isinstance(one, dict)] if error else []
    code = next((str(one.get("errorCode")) for one in details if one.get("@type") == _FCM_ERROR), "")
    if code == "UNREGISTERED":
        return Verdict(Outcome.GONE, "unregistered")
    if code == "SENDER_ID_MISMATCH":
        return Verdict(Outcome.QUARANTINE, "sender_id_mismatch")
    if code == "THIRD_PARTY_AUTH_ERROR":
        return Verdict(Outcome.AUTH, "apns_credentials_refused")
    if status == 404:  # not this token: nothing of the project can be found, and tokens are not dropped for that
        return Verdict(Outcome.AUTH, "fcm_project_unknown")
    if status == 400:
        return _invalid(str(error.get("message", "")), details)
    verdict = classify(status=status, headers=headers, body=b"", now=now)
    if status == 429:
        wait = THROTTLE if verdict.retry_after is None else verdict.retry_after
        if _about_one_device(details):
            return Verdict(Outcome.RETRY, "device_rate_exceeded", wait)
        return Verdict(Outcome.THROTTLED, verdict.reason, wait)
    if verdict.outcome is Outcome.GONE:  # 410 is none of FCM's answers
        return Verdict(Outcome.FAILED, f"http_{status}")
    return verdict


def _error_of(body: bytes) -> dict[str, Any]:
    """Google's error document, or nothing where a proxy or a front door answered with a page."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return {}
    return error if isinstance(error.get("details", []), list) else error | {"details": []}


def _invalid(message: str, details: list[dict[str, Any]]) -> Verdict:
    named = any(one.get("field") == _TOKEN_FIELD for one in _items(details, "fieldViolations"))
    if named or _TOKEN_WORDS in message:
        return Verdict(Outcome.GONE, "token_invalid")
    if _TOO_BIG_WORDS in message:
        return Verdict(Outcome.FAILED, "payload_too_large")
    return Verdict(Outcome.FAILED, "invalid_argument")


def _about_one_device(details: list[dict[str, Any]]) -> bool:
    """Say whether the quota is that of a single device, which is no reason to hold the others."""
    return any(
        "device" in f"{one.get('subject', '')} {one.get('description', '')}".lower()
        for one in _items(details, "violations")
    )


def _items(details: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    found = [one for detail in details if isinstance(detail.get(name), list) for one in detail[name]]
    return [one for one in found if isinstance(one, dict)]
