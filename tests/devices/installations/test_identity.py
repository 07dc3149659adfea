"""What an identity token must be to prove who somebody is."""

import base64
import hashlib
import hmac
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from django.db import connection, transaction

from devices.installations import identity
from devices.installations.identity import (
    CannotUseKey,
    Verdict,
    identity_key_add,
    identity_key_revoke,
    observation_count,
    public_key_clean,
    token_check,
)
from devices.lifecycle.brands import brand_create
from devices.models import Brand, IdentityKey, IdentityObservation
from tests.support.identity_tokens import Signer, private_pem, public_pem

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AT = int(NOW.timestamp())


@pytest.fixture
def signer(brand) -> Signer:
    return Signer(brand)


def outcome(brand: Brand, token: str | None, external_id: str = "ann") -> str:
    return str(token_check(brand=brand, token=token, external_id=external_id, now=NOW).outcome)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(header: Any, claims: Any, signature: bytes = b"") -> str:
    return ".".join([b64(json.dumps(header).encode()), b64(json.dumps(claims).encode()), b64(signature)])


def test_a_good_token_proves_who_it_is_until_its_end(brand, signer):
    verdict = token_check(brand=brand, token=signer.token(now=AT), external_id="ann", now=NOW)
    assert verdict.outcome == "valid"
    assert verdict.proof is not None
    assert (verdict.proof.until, verdict.proof.key_id) == (NOW + timedelta(minutes=10), signer.key.pk)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": AT + 3600}, "valid"),
        ({"exp": AT + 3660}, "valid"),  # the brand's clock may be a minute ahead
        ({"exp": AT + 3661}, "too_long"),
        ({"exp": None}, "too_long"),
        ({"exp": AT - 59}, "valid"),
        ({"exp": AT - 60}, "expired"),
        ({"exp": AT + 0.5}, "valid"),
        ({"exp": str(AT + 60)}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"exp": float("inf")}, "malformed"),
        ({"exp": float("nan")}, "malformed"),
        ({"exp": 10**400}, "too_long"),
        ({"nbf": AT + 60}, "valid"),
        ({"nbf": AT + 61}, "not_yet"),
        ({"iat": AT + 61}, "not_yet"),
        ({"iat": None}, "valid"),
        ({"iat": "yesterday"}, "malformed"),
        ({"sub": "bob"}, "subject"),
        ({"sub": "Ann"}, "subject"),
        ({"sub": "ann "}, "subject"),
        ({"sub": None}, "subject"),
        ({"sub": 42}, "subject"),
        ({"sub": ["ann"]}, "subject"),
        ({"aud": "elsewhere", "iss": 7}, "valid"),  # nothing that we ask for
    ],
)
def test_claims(brand, signer, claims, expected):
    assert outcome(brand, signer.token(now=AT, **claims)) == expected


def test_an_external_id_of_any_script_is_proven(brand, signer):
    assert outcome(brand, signer.token("Ζωή-猫-😀", now=AT), "Ζωή-猫-😀") == "valid"


def test_a_number_as_external_id_is_proven_by_its_text(brand, signer):
    assert outcome(brand, signer.token("42", now=AT), "42") == "valid"
    assert outcome(brand, signer.token(42, now=AT), "42") == "subject"


@pytest.mark.parametrize("token", [None, "", "   "])
def test_no_token(brand, token):
    assert outcome(brand, token) == "missing"


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "a.b.c",
        "é.é.é",
        "....",
        b64(b"[" * 2900) + ".e30.AAAA",
        b64(b"[1]") + ".e30.AAAA",
        b64(b'{"alg":"ES256","kid":7}') + ".e30.AAAA",
        b64(b'{"alg":"ES256","kid":"k1"'),
        "x" * 4097,
        "x" * 1_000_000,
    ],
)
def test_what_is_no_token(brand, signer, token):
    assert outcome(brand, token) == "malformed"


@pytest.mark.parametrize("header", [{}, {"alg": None}, {"alg": "none"}, {"alg": "None"}, {"alg": "RS256"}])
def test_no_algorithm_but_es256(brand, signer, header):
    assert outcome(brand, by_hand({"kid": "k1"} | header, {"sub": "ann", "exp": AT + 60})) == "algorithm"


def test_the_public_key_is_no_shared_secret(brand, signer):
    signed = by_hand({"alg": "HS256", "kid": "k1"}, {"sub": "ann", "exp": AT + 60}).rsplit(".", 1)[0]
    mac = hmac.new(signer.key.public_key.encode(), signed.encode(), hashlib.sha256).digest()
    assert outcome(brand, f"{signed}.{b64(mac)}") == "algorithm"


def test_a_token_of_another_curve(brand, signer):
    key = ec.generate_private_key(ec.SECP384R1())
    token = jwt.encode({"sub": "ann", "exp": AT + 60}, key, algorithm="ES384", headers={"kid": "k1"})
    assert outcome(brand, token) == "algorithm"
    head = b64(json.dumps({"alg": "ES256", "kid": "k1"}).encode())
    assert outcome(brand, ".".join([head, *token.split(".")[1:]])) == "signature"


def test_the_kid_picks_the_key(brand, signer):
    second = Signer(brand, "k2")
    assert outcome(brand, second.token(now=AT)) == "valid"
    assert outcome(brand, second.token(now=AT, header={"kid": "k1"})) == "signature"
    assert outcome(brand, second.token(now=AT, header={"kid": "k3"})) == "key_unknown"
    assert outcome(brand, by_hand({"alg": "ES256"}, {"sub": "ann"}, b"s")) == "key_unknown"


def test_another_brands_key_proves_nothing(brand, signer):
    other = Signer(brand_create(name="Other", origin="https://other.example"), "theirs")
    assert outcome(brand, other.token(now=AT)) == "key_unknown"
    same_name = Signer(other.key.brand, "k1")
    assert outcome(brand, same_name.token(now=AT)) == "signature"


def test_a_changed_token_does_not_hold(brand, signer):
    head, _, signature = signer.token(now=AT).split(".")
    body = b64(json.dumps({"sub": "bob", "exp": AT + 600}).encode())
    assert outcome(brand, f"{head}.{body}.{signature}", "bob") == "signature"


def test_a_kid_that_cannot_be_kept_is_shown_without_what_cannot_be_printed(brand, signer):
    verdict = token_check(
        brand=brand, token=signer.token(now=AT, header={"kid": "a\x00b\u202e" + "c" * 99}), external_id="ann", now=NOW
    )
    assert verdict.kid == "ab" + "c" * 62


def test_a_revoked_key_ends_at_once_and_the_others_go_on(brand, signer):
    second = Signer(brand, "k2")
    assert outcome(brand, signer.token(now=AT)) == "valid"
    identity_key_revoke(key=signer.key, now=NOW)
    assert outcome(brand, signer.token(now=AT)) == "key_revoked"
    assert outcome(brand, second.token(now=AT)) == "valid"
    identity_key_revoke(key=signer.key, now=NOW + timedelta(days=1))
    assert IdentityKey.objects.get(pk=signer.key.pk).revoked_at == NOW


def test_other_processes_notice_a_revoked_key_within_two_seconds(brand, signer, monkeypatch):
    assert outcome(brand, signer.token(now=AT)) == "valid"
    IdentityKey.objects.filter(pk=signer.key.pk).update(revoked_at=NOW)  # another process did
    clock = identity.time.monotonic()
    monkeypatch.setattr(identity.time, "monotonic", lambda: clock + 2.01)
    assert outcome(brand, signer.token(now=AT)) == "key_revoked"


def test_a_public_key_is_kept_in_one_form():
    key = ec.generate_private_key(ec.SECP256R1())
    pem = public_pem(key)
    assert public_key_clean(f"\n  {pem.replace(chr(10), chr(13) + chr(10))} \n") == pem


def refused_keys() -> list[tuple[str, str]]:
    p256 = ec.generate_private_key(ec.SECP256R1())
    return [
        (private_pem(p256), "private key"),
        (public_pem(p256) + private_pem(p256), "private key"),
        (public_pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (public_pem(ec.generate_private_key(ec.SECP256K1())), "P-256"),
        (public_pem(rsa.generate_private_key(65537, 2048)), "P-256"),
        (public_pem(ed25519.Ed25519PrivateKey.generate()), "P-256"),
        ("", "not a public key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "not a public key"),
        ("clé", "not a public key"),
        (public_pem(p256)[:80], "not a public key"),
    ]


REFUSED = refused_keys()


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[str(number) for number in range(len(REFUSED))])
def test_only_p256_public_keys_are_stored_and_refusals_repeat_nothing(brand, text, said):
    with pytest.raises(CannotUseKey) as refusal:
        identity_key_add(brand=brand, kid="k", public_key=text)
    assert said in str(refusal.value)
    lines = [line for line in text.splitlines() if len(line) > 20 and "KEY" not in line]
    assert not any(line in str(refusal.value) for line in lines)
    assert not IdentityKey.objects.exists()
    assert not IdentityKey.history.exists()


@pytest.mark.parametrize("kid", ["", " ", "a b", "é", "k" * 65, "-k", "k\x00"])
def test_key_ids_are_plain(brand, kid):
    with pytest.raises(CannotUseKey, match="key id"):
        identity_key_add(brand=brand, kid=kid, public_key="")


def test_a_kid_is_used_once_even_after_it_was_revoked(brand, signer):
    identity_key_revoke(key=signer.key, now=NOW)
    with pytest.raises(CannotUseKey, match="already"):
        Signer(brand, "k1")


def count(brand: Brand, outcome: str = "missing", **fields: Any) -> None:
    observation_count(
        brand=brand,
        verdict=Verdict(outcome, "k9"),
        **({"external_id": "ann", "origin": "https://books.example", "now": NOW} | fields),
    )


def test_observations_are_counted_by_day_and_outcome_with_the_last_example(brand):
    count(brand)
    count(brand, external_id="bob", now=NOW + timedelta(minutes=5))
    count(brand, "signature")
    count(brand, now=NOW + timedelta(days=1))
    seen = IdentityObservation.objects.filter(day=NOW.date(), outcome="missing").get()
    assert (seen.count, seen.last_external_id, seen.last_kid) == (2, "bob", "k9")
    assert IdentityObservation.objects.count() == 3


def test_who_was_proven_is_not_kept_as_an_example(brand):
    count(brand, "valid")
    assert IdentityObservation.objects.get().last_external_id == ""


@pytest.mark.django_db(transaction=True)
def test_a_call_that_is_not_finished_holds_up_no_other_threads_count(brand, monkeypatch):
    inside, end = threading.Event(), threading.Event()
    monkeypatch.setattr(identity, "_thread", identity._Thread())  # both threads are new ones

    def other() -> None:
        with transaction.atomic():
            count(brand)
            inside.set()
            end.wait(120)
        connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(120)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'")
        count(brand)
        cursor.execute("RESET lock_timeout")
    end.set()
    thread.join(120)
    assert sum(IdentityObservation.objects.values_list("count", flat=True)) == 2
