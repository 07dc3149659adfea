from datetime import UTC, datetime
from email.utils import format_datetime

import pycurl
import pytest

from devices.delivery.transports.base import Outcome
from devices.delivery.transports.outcomes import classify, classify_error, stream_refused

NOW = 1_800_000_000.0
FCM_MISMATCH = (
    b"the VAPID credentials in the authorization header do not correspond to the credentials used to create the"
    b" subscriptions.\n"
)
MOZILLA_MISMATCH = b'{"code":401,"errno":109,"error":"Unauthorized","message":"VAPID public key mismatch"}'


@pytest.mark.parametrize(
    ("status", "body", "outcome", "reason"),
    [
        (201, b"", Outcome.ACCEPTED, "accepted"),
        (200, b"", Outcome.ACCEPTED, "accepted"),
        (202, b"", Outcome.ACCEPTED, "accepted"),
        (404, b"", Outcome.GONE, "token_not_found"),
        (410, b"", Outcome.GONE, "token_gone"),
        (400, b'{"reason":"VapidPkHashMismatch"}', Outcome.REKEY, "vapid_key_mismatch"),
        (403, FCM_MISMATCH, Outcome.REKEY, "vapid_key_mismatch"),
        (401, MOZILLA_MISMATCH, Outcome.REKEY, "vapid_key_mismatch"),
        (403, b'{"reason":"BadJwtToken"}', Outcome.AUTH, "forbidden"),
        (401, b"", Outcome.AUTH, "unauthorized"),
        (400, b"UnauthorizedRegistration", Outcome.FAILED, "bad_request"),
        (413, b"", Outcome.FAILED, "payload_too_large"),
        (405, b"", Outcome.FAILED, "http_405"),
        (301, b"", Outcome.FAILED, "redirect"),
        (429, b"", Outcome.THROTTLED, "too_many_requests"),
        (406, b"", Outcome.THROTTLED, "not_acceptable"),
        (408, b"", Outcome.RETRY, "not_processed"),
        (500, FCM_MISMATCH, Outcome.RETRY, "server_error"),
        (503, b"", Outcome.RETRY, "server_error"),
    ],
)
def test_each_status_has_its_outcome(status, body, outcome, reason):
    verdict = classify(status=status, headers={}, body=body, now=NOW)

    assert (verdict.outcome, verdict.reason, verdict.retry_after) == (outcome, reason, None)


@pytest.mark.parametrize("status", [400, 401, 403, 406, 413, 422, 429, 500, 503])
def test_an_answer_that_says_for_how_long_is_never_final(status):
    verdict = classify(status=status, headers={"retry-after": "60"}, body=b"", now=NOW)

    assert verdict.outcome in (Outcome.RETRY, Outcome.THROTTLED, Outcome.AUTH)
    assert verdict.retry_after == 60.0


@pytest.mark.parametrize("status", [401, 429, 500, 503])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        (format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True), 90.0),
        (format_datetime(datetime.fromtimestamp(NOW - 90, UTC), usegmt=True), 0.0),
        ("999999999999", 28 * 86_400.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(status, value, seconds):
    verdict = classify(status=status, headers={"retry-after": value}, body=b"", now=NOW)

    assert verdict.retry_after == seconds


def test_the_location_of_an_accepted_message_is_kept():
    verdict = classify(status=201, headers={"location": "https://push/m/1"}, body=b"", now=NOW)

    assert verdict.location == "https://push/m/1"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (pycurl.E_COULDNT_RESOLVE_HOST, "dns"),
        (pycurl.E_COULDNT_CONNECT, "connect"),
        (pycurl.E_OPERATION_TIMEDOUT, "connect_timeout"),
        (pycurl.E_SSL_CONNECT_ERROR, "tls"),
        (pycurl.E_PEER_FAILED_VERIFICATION, "tls_untrusted"),
        (pycurl.E_RECV_ERROR, "not_sent"),
    ],
)
def test_what_was_never_handed_over_is_tried_again(code, reason):
    verdict = classify_error(code=code, body_taken=False, private_address=False, refused=False)

    assert (verdict.outcome, verdict.reason) == (Outcome.RETRY, reason)


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (pycurl.E_OPERATION_TIMEDOUT, "", "read_timeout"),
        (pycurl.E_HTTP2, "", "connection_cut"),
        (92, "HTTP/2 stream 1 reset by server", "connection_cut"),
        (pycurl.E_GOT_NOTHING, "", "connection_cut"),
        (pycurl.E_SEND_FAIL_REWIND, "Recv failure: Connection reset by peer", "connection_cut"),
        (pycurl.E_OUT_OF_MEMORY, "", "curl_27"),
    ],
)
def test_what_may_have_arrived_is_unknown(code, message, reason):
    verdict = classify_error(
        code=code,
        body_taken=True,
        private_address=False,
        refused=stream_refused(code=code, message=message),
    )

    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, reason)
