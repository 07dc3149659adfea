"""Keep endpoints, tokens and secrets out of the logs."""

import re
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any

_SECRET_KEYS = re.compile(
    r"(secret|token|password|authorization|cookie|private|endpoint|p256dh|api_key|^auth$|encryption)", re.I
)
_SERVICES = r"fcm\.googleapis\.com|push\.services\.mozilla\.com|push\.apple\.com|notify\.windows\.com"
_PUSH_HOST = rf"(?:[\w.-]+\.)?(?:{_SERVICES})"
_ENDPOINT = re.compile(
    rf"(https?://{_PUSH_HOST}(?::\d+)?/|https?://[^\s/\"']+/(?=wpush|fcm/send|wp/|w/|send|push|Q))[^\s\"']*", re.I
)
_AUTHORIZATION = re.compile(r"(?i)\b(bearer\s+|vapid\s+(?=t=))[\w.=,/+\- ]+")
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S)
_FCM_TOKEN = re.compile(r"[\w-]{8,}:APA91[\w-]+", re.A)
# What only a machine writes: 30 or more characters of base64url, of all three sorts; or 32 or more of hex.
_RANDOM = re.compile(
    r"(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[A-Za-z0-9_-]{30,}={0,2}(?![\w-])|(?<![0-9a-f])[0-9a-f]{32,}",
    re.A,
)
_PLAIN = (int, float, type(None), datetime, timedelta)


def _clean(key: str, value: Any) -> Any:
    if _SECRET_KEYS.search(key) and value not in (None, "", 0, False):
        return "[redacted]"
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {k: _clean(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(key, item) for item in value]
    if isinstance(value, _PLAIN):
        return value
    return redact_text(str(value))  # an exception or a row says in its text what it was about


def redact_text(text: str) -> str:
    """The text with push endpoints cut to their origin and credentials removed."""
    text = _PEM.sub("[redacted]", _FCM_TOKEN.sub("[redacted]", text))
    text = _ENDPOINT.sub(r"\1[redacted]", text)
    return _RANDOM.sub("[redacted]", _AUTHORIZATION.sub(r"\1[redacted]", text))


def redact(logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that applies it to every record."""
    # structlog keeps what it needs itself under names with an underscore; the renderer never sees them.
    return {key: value if key.startswith("_") else _clean(key, value) for key, value in event.items()}
