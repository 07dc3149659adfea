"""What a push service's answer, or the lack of one, means.

Once a final status line has been read, the status decides, whatever became of the rest of the answer:

| status                                  | outcome   | reason                                         |
|-----------------------------------------|-----------|------------------------------------------------|
| 2xx                                     | accepted  | accepted                                       |
| 404, 410                                | gone      | token_not_found, token_gone                    |
| 400, 401, 403 naming another VAPID key  | rekey     | vapid_key_mismatch                             |
| 401, 403 otherwise                      | auth      | unauthorized, forbidden                        |
| 429; 406                                | throttled | too_many_requests; not_acceptable              |
| 408, 421, 425: not processed (RFC 9110) | retry     | not_processed                                  |
| 5xx                                     | retry     | server_error                                   |
| 3xx                                     | failed    | redirect                                       |
| 400, 413, other 4xx, with a Retry-After | retry     | bad_request, payload_too_large, http_<status>  |
| the same without                        | failed    | bad_request, payload_too_large, http_<status>  |

Without one, what libcurl had done with the body decides: a push service cannot have taken what was never
handed over. In this order:

| seen                                                     | outcome | reason                       |
|----------------------------------------------------------|---------|------------------------------|
| our address check closed the socket                      | retry   | private_address              |
| libcurl never asked for the body, whatever its error     | retry   | dns, connect, tls, not_sent, |
|                                                          |         | connect_timeout, tls_untrusted |
| an HTTP/2 stream was refused (1)                         | retry   | stream_refused               |
| E_OPERATION_TIMEDOUT                                     | unknown | read_timeout                 |
| E_SEND_FAIL_REWIND otherwise (2); E_HTTP2, E_HTTP2_STREAM, | unknown | connection_cut             |
| E_GOT_NOTHING, E_RECV_ERROR, E_SEND_ERROR,               |         |                              |
| E_PARTIAL_FILE, E_SSL_CONNECT_ERROR                      |         |                              |
| anything else                                            | unknown | curl_<number>                |

(1) REFUSED_STREAM, or a stream above the last one that a GOAWAY names: not processed (RFC 9113, 6.8 and 8.7).
libcurl wants to send it again by itself, our transfer does not let it: E_SEND_FAIL_REWIND, and the error buffer
holds no earlier failure. The sender tries again itself a few times before it gives this outcome.
(2) A reused connection died, and libcurl wanted to send again what may have arrived.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

import pycurl

from devices.delivery.transports.base import Outcome

LONGEST_RETRY_AFTER: Final = 28 * 86_400.0
"""Seconds; no message lives longer (a TTL of four weeks is what the push services keep)."""

# As the push services write it: FCM twice, Mozilla's autopush, Apple.
_OTHER_KEY = (
    b"do not correspond to the credentials used to create the subscription",
    b"does not correspond to the sender id used to subscribe",
    b"vapid public key mismatch",
    b"vapidpkhashmismatch",
)
_REASONS = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "token_not_found",
    406: "not_acceptable",
    410: "token_gone",
    413: "payload_too_large",
    429: "too_many_requests",
}
_DIGITS = re.compile(r"[0-9]{1,12}")

_E_HTTP2_STREAM: Final = 92  # pycurl has no name for it
_NEVER_SENT = {
    pycurl.E_COULDNT_RESOLVE_HOST: "dns",
    pycurl.E_COULDNT_CONNECT: "connect",
    pycurl.E_OPERATION_TIMEDOUT: "connect_timeout",
    pycurl.E_SSL_CONNECT_ERROR: "tls",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls_untrusted",
}
_CUT = frozenset(
    {
        pycurl.E_HTTP2,
        pycurl.E_PARTIAL_FILE,
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_GOT_NOTHING,
        pycurl.E_SEND_ERROR,
        pycurl.E_RECV_ERROR,
        pycurl.E_SEND_FAIL_REWIND,
        _E_HTTP2_STREAM,
    }
)
# libcurl keeps the first failure of a transfer in its error buffer: this text means nothing failed before.
_REWIND_REFUSED = "seek callback returned error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A SendResult without its message; `retry_after` in seconds."""

    outcome: Outcome
    reason: str
    retry_after: float | None = None
    location: str | None = None


ACCEPTED: Final = "accepted"
READ_TIMEOUT: Final = "read_timeout"


def classify(*, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
    """Return what a final HTTP answer means; header names in lower case, `now` in Unix seconds (RFC 8030)."""
    if 200 <= status < 300:
        return Verdict(Outcome.ACCEPTED, ACCEPTED, location=headers.get("location"))
    if status in (404, 410):
        return Verdict(Outcome.GONE, _REASONS[status])
    if status in (400, 401, 403) and any(text in body.lower() for text in _OTHER_KEY):
        return Verdict(Outcome.REKEY, "vapid_key_mismatch")
    retry_after = _retry_after(headers.get("retry-after"), now=now)
    if status in (401, 403):
        return Verdict(Outcome.AUTH, _REASONS[status], retry_after)
    if status in (406, 429):
        return Verdict(Outcome.THROTTLED, _REASONS[status], retry_after)
    if status in (408, 421, 425):
        return Verdict(Outcome.RETRY, "not_processed", retry_after)
    if status >= 500:
        return Verdict(Outcome.RETRY, "server_error", retry_after)
    if 300 <= status < 400:
        return Verdict(Outcome.FAILED, "redirect")
    later = Outcome.FAILED if retry_after is None else Outcome.RETRY
    return Verdict(later, _REASONS.get(status, f"http_{status}"), retry_after)


def classify_error(*, code: int, body_taken: bool, private_address: bool, refused: bool) -> Verdict:
    """Return what a transfer without an answer means; `code` is libcurl's.

    `body_taken`: libcurl had asked for the request's body. `private_address`: our check closed a socket.
    `refused`: the push service did not process the stream.
    """
    if not body_taken:
        if private_address:
            return Verdict(Outcome.RETRY, "private_address")
        return Verdict(Outcome.RETRY, _NEVER_SENT.get(code, "not_sent"))
    if refused:
        return Verdict(Outcome.RETRY, "stream_refused")
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return Verdict(Outcome.UNKNOWN, READ_TIMEOUT)
    if code in _CUT:
        return Verdict(Outcome.UNKNOWN, "connection_cut")
    return Verdict(Outcome.UNKNOWN, f"curl_{code}")


def stream_refused(*, code: int, message: str) -> bool:
    """Tell whether an HTTP/2 push service said that it did not process the request (RFC 9113, 6.8 and 8.7).

    Over HTTP/1.1 the same error means a reused connection that was closed without an answer.
    """
    return code == pycurl.E_SEND_FAIL_REWIND and message.startswith(_REWIND_REFUSED)


def _retry_after(value: str | None, *, now: float) -> float | None:
    """Return seconds from either form of Retry-After (RFC 9110, section 10.2.3), or None."""
    if value is None:
        return None
    value = value.strip()
    if _DIGITS.fullmatch(value):
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
