"""What must never be read in a log is not in it, and what helps is."""

import pytest

from smartpush.common.observability.redaction import redact, redact_text

ENDPOINTS = [
    "https://fcm.googleapis.com/fcm/send/dXyz:APA91b-token",
    "https://fcm.googleapis.com/wp/dXyz:APA91b-token",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA-token",
    "https://web.push.apple.com/QGuQ-token",
    "https://web.push.apple.com/other-token",
    "https://wns2-par02p.notify.windows.com/w/?token=BQYA-token",
    "http://127.0.0.1:8810/wpush/v2/abc-token",
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_endpoint_keeps_its_origin_only(endpoint):
    text = redact_text(f"POST {endpoint} answered 410")
    assert "token" not in text
    assert text.startswith("POST " + "/".join(endpoint.split("/")[:3]))
    assert text.endswith(" answered 410")


@pytest.mark.parametrize(
    "secret",
    [
        "CUICx57sI5WfSNbv8frgUQTFf6AP_twOQH9A_yrvXkk",
        "BGj6pWBJPo5ikpEyMwWjYrRRqvhlslTXISyvbP-pdZQinodNjx_Ib6--gJNwOi3YgOjJTR-OWEhGsRBPpvMv3JM",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Bearer eyJhbGciOi.abc.def",
        "vapid t=eyJ0eXAi.abc.def, k=BGj6pWBJ",
    ],
)
def test_what_only_a_machine_writes_is_left_out(secret):
    text = redact_text(f"sent ({secret}) at noon")
    assert secret.split()[-1] not in text
    assert "[redacted]" in text


@pytest.mark.parametrize(
    "text",
    [
        "vapid key mismatch",
        "test_any_order_of_logins_permissions_and_losses_keeps_the_rules failed",
        "https://shop.example/basket?page=2",
        "25e2ec7a-26a6-4d4b-a820-3f642e775161",
        "devices.delivery.sending.results 2026-11-23T17:43:20.767878Z",
    ],
)
def test_what_helps_stays(text):
    assert redact_text(text) == text


def test_values_are_checked_by_their_names_at_any_depth():
    event = {
        "event": "session",
        "secret": "s",
        "push": {"subscription": {"endpoint": "e", "auth": "a", "p256dh": b"p"}, "status": "allowed"},
        "tokens": ["t1"],
        "count": 3,
        "Authorization": "x",
    }
    assert redact(None, "info", event) == {
        "event": "session",
        "secret": "[redacted]",
        "push": {
            "subscription": {"endpoint": "[redacted]", "auth": "[redacted]", "p256dh": "[redacted]"},
            "status": "allowed",
        },
        "tokens": "[redacted]",
        "count": 3,
        "Authorization": "[redacted]",
    }


def test_things_that_are_not_text_are_read_as_the_renderer_would():
    error = ValueError("no answer from https://web.push.apple.com/QGuQ-token")
    assert "token" not in redact(None, "error", {"error": error})["error"]
    record = object()
    assert redact(None, "error", {"_record": record})["_record"] is record


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN PRIVATE KEY-----\nMIIE+short/line\nabc=\n-----END PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\\nMIIE+cut/off",
        "fXk2short:APA91b-x",
    ],
)
def test_keys_and_tokens_of_native_apps_are_left_out_however_short_their_lines_are(secret):
    assert redact_text(f"before {secret}").strip() == "before [redacted]"
