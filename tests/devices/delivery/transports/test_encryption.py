import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pywebpush import WebPusher

from devices.delivery.transports.encryption import MAX_PLAINTEXT, PayloadTooLarge, encrypt
from devices.delivery.transports.endpoints import KeysRefused
from tests.checks.sources import product_sources


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_vector_of_rfc_8291_appendix_a_comes_out_byte_for_byte():
    sender = ec.derive_private_key(
        int.from_bytes(_decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )

    body = encrypt(
        plaintext=b"When I grow up, I want to be a watermelon",
        p256dh=_decode("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        auth=_decode("BTBZMqHH6r4Tts7J_aSIgg"),
        salt=_decode("DGv6ra1nlYgDCS1FRnbzlw"),
        ephemeral=sender,
    )

    assert base64.urlsafe_b64encode(body).rstrip(b"=").decode() == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("size", [0, 1, 200, 2000, MAX_PLAINTEXT])
def test_the_subscription_decrypts_what_was_encrypted(browser, size):
    plaintext = bytes(number % 256 for number in range(size))

    assert browser.decrypt(encrypt(plaintext=plaintext, p256dh=browser.p256dh, auth=browser.auth)) == plaintext


def test_the_body_has_the_shape_of_pywebpushs(browser):
    theirs = WebPusher(browser.subscription("https://example.com/x")).encode(b"hello")["body"]
    ours = encrypt(plaintext=b"hello", p256dh=browser.p256dh, auth=browser.auth)

    assert browser.decrypt(theirs) == browser.decrypt(ours)
    assert len(ours) == len(theirs)
    assert ours[16:22] == theirs[16:22]


def test_no_two_messages_share_salt_or_key(browser):
    bodies = [encrypt(plaintext=b"same", p256dh=browser.p256dh, auth=browser.auth) for _ in range(20)]

    assert len({body[:16] for body in bodies}) == 20
    assert len({body[21:86] for body in bodies}) == 20


def test_the_largest_payload_fills_the_record_of_4096_bytes(browser):
    assert len(encrypt(plaintext=b"x" * 3993, p256dh=browser.p256dh, auth=browser.auth)) == 4096


def test_a_byte_more_is_refused(browser):
    with pytest.raises(PayloadTooLarge) as refusal:
        encrypt(plaintext=b"x" * 3994, p256dh=browser.p256dh, auth=browser.auth)
    assert refusal.value.code == "payload_too_large"


def test_keys_that_nothing_can_be_encrypted_to_are_refused(browser):
    off_curve = b"\x04" + b"\x01" * 64
    with pytest.raises(KeysRefused, match="p256dh_not_on_curve"):
        encrypt(plaintext=b"x", p256dh=off_curve, auth=browser.auth)
    with pytest.raises(KeysRefused, match="auth_length"):
        encrypt(plaintext=b"x", p256dh=browser.p256dh, auth=b"short")


def test_the_limit_of_a_payload_is_written_once():
    written = re.compile(r"\b3_?993\b")
    files = [path for path, text in product_sources(".py", ".js", ".html") if written.search(text)]
    assert [path.name for path in files] == ["encryption.py"]
