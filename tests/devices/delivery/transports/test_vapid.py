import threading

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import WebPusher

from devices.delivery.transports.vapid import (
    VapidKeyPair,
    VapidRefused,
    VapidSigner,
    check_subject,
    generate_vapid_key,
    load_vapid_key,
)

NOW = 1_800_000_000.0
ORIGIN = "https://fcm.googleapis.com"


def _claims(header: str, pair: VapidKeyPair) -> dict:
    scheme, _, rest = header.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert parts["k"] == pair.public
    public = load_vapid_key(pair).public_key()
    assert jwt.get_unverified_header(parts["t"]) == {"typ": "JWT", "alg": "ES256"}
    return jwt.decode(parts["t"], public, algorithms=["ES256"], audience=ORIGIN, options={"verify_exp": False})


def test_a_token_names_the_push_service_the_contact_and_twelve_hours(vapid):
    header = VapidSigner().authorization(pair=vapid[1], origin=ORIGIN, now=NOW)

    assert _claims(header, vapid[1]) == {
        "aud": ORIGIN,
        "exp": int(NOW) + 12 * 3600,
        "sub": "mailto:ops@example.com",
    }


def test_py_vapid_verifies_our_header_and_pywebpush_would_send_the_same_claims(vapid, browser):
    pair = vapid[1]
    header = VapidSigner().authorization(pair=pair, origin=ORIGIN, now=NOW)
    theirs = Vapid02.from_raw(pair.private.encode()).sign(
        {"aud": ORIGIN, "exp": int(NOW) + 12 * 3600, "sub": pair.subject}
    )["Authorization"]

    assert Vapid02.verify(header.replace(", k", ",k"))
    assert _claims(theirs, pair) == _claims(header, pair)
    prepared = WebPusher(browser.subscription(ORIGIN + "/x"))._prepare_send_data(b"x", {"Authorization": header})
    assert prepared["headers"]["authorization"] == header


def test_a_token_is_signed_once_until_an_hour_before_it_expires(vapid):
    signer = VapidSigner()
    first = signer.authorization(pair=vapid[1], origin=ORIGIN, now=NOW)

    assert signer.authorization(pair=vapid[1], origin=ORIGIN, now=NOW + 11 * 3600 - 1) == first
    assert signer.authorization(pair=vapid[1], origin=ORIGIN, now=NOW + 11 * 3600) != first


def test_each_origin_and_each_key_has_its_own_token(vapid):
    signer = VapidSigner()
    other = VapidKeyPair(*generate_vapid_key(), subject="https://example.com/contact")
    headers = {
        signer.authorization(pair=pair, origin=origin, now=NOW)
        for pair in (vapid[1], other)
        for origin in (ORIGIN, "https://web.push.apple.com")
    }

    assert len(headers) == 4


def test_a_clock_set_back_does_not_leave_a_token_too_far_in_the_future(vapid):
    signer = VapidSigner()
    signer.authorization(pair=vapid[1], origin=ORIGIN, now=NOW)

    header = signer.authorization(pair=vapid[1], origin=ORIGIN, now=NOW - 86_400)

    assert _claims(header, vapid[1])["exp"] == int(NOW) - 86_400 + 12 * 3600


def test_threads_share_one_signer(vapid):
    signer = VapidSigner()
    headers: set[str] = set()
    threads = [
        threading.Thread(target=lambda: headers.add(signer.authorization(pair=vapid[1], origin=ORIGIN, now=NOW)))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(headers) == 1


def test_a_generated_key_is_a_point_and_a_scalar_that_belong_together():
    public, private = generate_vapid_key()
    key = load_vapid_key(VapidKeyPair(public, private, "mailto:a@example.com"))

    assert (len(public), len(private)) == (87, 43)
    assert isinstance(key.curve, ec.SECP256R1)
    assert generate_vapid_key()[1] != private


def test_halves_that_do_not_belong_together_are_refused(vapid):
    mixed = VapidKeyPair(vapid[1].public, generate_vapid_key()[1], "mailto:a@example.com")
    for pair in (mixed, VapidKeyPair(vapid[1].public, "!", "mailto:a@example.com")):
        with pytest.raises(VapidRefused, match="vapid_key"):
            VapidSigner().authorization(pair=pair, origin=ORIGIN, now=NOW)


def test_the_private_half_is_not_printed(vapid):
    assert vapid[1].private not in repr(vapid[1])


@pytest.mark.parametrize("subject", ["mailto:ops@example.com", "https://example.com/contact", "https://a.b.co"])
def test_a_real_contact_is_taken(subject):
    check_subject(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "ops@example.com",
        "mailto:",
        "mailto:ops@localhost",
        "mailto:ops@x.localhost",
        "https://localhost",
        "https://localhost:8000/",
        "https://127.0.0.1/",
        "http://example.com",
        "mailto:a@example.com\nx",
        "https://push.local",
    ],
)
def test_a_contact_that_apple_would_reject_is_refused(subject, vapid):
    with pytest.raises(VapidRefused, match="vapid_subject"):
        check_subject(subject)
    pair = VapidKeyPair(vapid[1].public, vapid[1].private, subject)
    with pytest.raises(VapidRefused, match="vapid_subject"):
        VapidSigner().authorization(pair=pair, origin=ORIGIN, now=NOW)
