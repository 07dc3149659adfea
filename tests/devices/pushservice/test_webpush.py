"""The push resource takes what RFC 8030 says and refuses the rest, and what it took can be read."""

import base64

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from devices.pushservice.server import LocalPushService
from devices.pushservice.subscribers import CannotDecrypt, b64url_decode, decrypt
from tests.devices.pushservice.conftest import PATIENCE_SECONDS, Sender, encrypted

TEXT = "Ann, your bonus is waiting – 20 € ✓"


def test_the_decrypted_message_is_what_pywebpush_sent(service, sender, subscription):
    answer = sender.push(subscription, TEXT, headers={"Urgency": "high", "Topic": "bonus"}, ttl=120)

    assert answer.status_code == 201
    assert answer.headers["TTL"] == "120"
    assert answer.headers["Location"].startswith(f"{service.url}/m/")
    (message,) = service.messages()
    assert message["plaintext"] == TEXT
    assert message["decrypt_error"] is None
    assert (message["ttl"], message["urgency"], message["topic"]) == (120, "high", "bonus")
    assert (message["token"], message["kind"], message["state"]) == (subscription["token"], "webpush", "received")
    assert message["vapid_key"] == sender.public
    assert message["headers"]["content-encoding"] == "aes128gcm"
    assert "authorization" not in message["headers"]


def test_the_rfc_8291_appendix_message_is_decrypted():
    private_key = ec.derive_private_key(
        int.from_bytes(b64url_decode("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")), ec.SECP256R1()
    )
    body = b64url_decode(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    auth = b64url_decode("BTBZMqHH6r4Tts7J_aSIgg")

    assert decrypt(body=body, private_key=private_key, auth=auth) == b"When I grow up, I want to be a watermelon"
    with pytest.raises(CannotDecrypt):
        decrypt(body=body, private_key=private_key, auth=bytes(16))


def test_a_message_that_its_keys_cannot_open_is_listed_with_the_error(service, sender, subscription):
    other = service.subscriptions(1, sender.public)[0]
    sender.post(subscription, body=encrypted(other, TEXT))
    sender.post(subscription, body=b"junk")

    for message in service.messages():
        assert message["plaintext"] is None
        assert message["decrypt_error"]


def test_a_message_without_content_is_accepted(service, sender, subscription):
    assert sender.post(subscription, body=b"", Content_Encoding=None).status_code == 201
    (message,) = service.messages()
    assert (message["plaintext"], message["decrypt_error"], message["body_b64"]) == (None, None, "")


@pytest.mark.parametrize(
    ("headers", "errno"),
    [
        ({"TTL": None}, 111),
        ({"TTL": "-1"}, 112),
        ({"TTL": "soon"}, 112),
        ({"Content_Encoding": None}, 110),
        ({"Content_Encoding": "aesgcm"}, 110),
        ({"Topic": "x" * 33}, 113),
        ({"Topic": "a b"}, 113),
        ({"Urgency": "urgent"}, 999),
    ],
)
def test_a_wrong_header_is_refused_with_autopush_s_error(service, sender, subscription, headers, errno):
    answer = sender.post(subscription, **headers)

    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json()["errno"]) == (400, errno)
    assert answer.json()["error"] == "Bad Request"
    assert service.messages() == []
    assert service.state()["rejected"]["webpush"] == {"400": 1}


@pytest.mark.parametrize("urgency", ["very-low", "low", "normal", "high"])
def test_every_urgency_of_the_rfc_is_accepted(service, sender, subscription, urgency):
    assert sender.post(subscription, Urgency=urgency).status_code == 201
    assert service.messages()[0]["urgency"] == urgency


def test_a_very_long_ttl_is_shortened_and_said_so(service, sender, subscription):
    assert sender.post(subscription, TTL=str(10**12)).headers["TTL"] == str(60 * 86400)


@pytest.mark.parametrize(("size", "status"), [(4096, 201), (4097, 413), (2_000_000, 413)])
def test_a_body_above_4096_bytes_is_too_large(sender, subscription, size, status):
    answer = sender.post(subscription, body=b"x" * size)

    assert answer.status_code == status
    if status == 413:
        assert answer.json()["errno"] == 104


def test_an_unknown_token_is_404_and_a_revoked_one_410(service, sender, subscription):
    unknown = {"endpoint": f"{service.url}/wpush/v2/nobody"}
    assert sender.post(unknown).status_code == 404

    assert service.revoke(subscription["token"])
    answer = sender.post(subscription)
    assert (answer.status_code, answer.json()["errno"]) == (410, 103)
    assert service.revoke("nobody") is False


def test_keys_made_elsewhere_get_their_message_but_no_plaintext(service: LocalPushService, sender: Sender):
    key = Sender().public
    made = requests.post(
        f"{service.url}/control/subscriptions/external",
        json={"application_server_key": sender.public, "p256dh": key, "auth": "BTBZMqHH6r4Tts7J_aSIgg"},
        timeout=PATIENCE_SECONDS,
    ).json()
    assert made["p256dh"] == key
    body = encrypted(made, TEXT)

    assert sender.post(made, body=body).status_code == 201
    (message,) = service.messages(token=made["token"])
    assert message["plaintext"] is None
    assert "elsewhere" in message["decrypt_error"]
    assert base64.b64decode(message["body_b64"]) == body


def test_decryption_can_be_switched_off(sender):
    with LocalPushService(decrypt=False) as service:
        sender.push(service.subscriptions(1, sender.public)[0], TEXT)
        (message,) = service.messages()
    assert message["plaintext"] is None
    assert message["decrypt_error"] == "decryption is switched off"
