"""Settings, Identity: keys, and what observing has seen."""

import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.urls import reverse

from devices.brands.selectors.identity import Seen, observations
from devices.models import Brand, IdentityKey, IdentityObservation
from smartpush.backoffice.admin.identity import MAKE_A_PAIR
from smartpush.backoffice.identity import verdict
from tests.support.identity_tokens import private_pem, public_pem

LIST = reverse("admin:devices_identitykey_changelist")
ADD = reverse("admin:devices_identitykey_add")
SEEN = reverse("admin:devices_identitykey_observed")


def saw(brand: Brand, outcome: str, count: int, *, ago: int = 0, shard: int = 0, **last: str) -> None:
    at = datetime.now(UTC) - timedelta(days=ago)
    IdentityObservation.objects.create(
        brand=brand, day=at.date(), outcome=outcome, count=count, last_at=at, shard=shard, **last
    )


def mode(brand: Brand, wanted: str) -> None:
    Brand.objects.filter(pk=brand.pk).update(identity_mode=wanted)


def add(client, *, kid="shop-1", public_key=""):
    return client.post(ADD, {"kid": kid, "public_key": public_key})


def test_an_admin_adds_a_key_and_it_is_in_the_list(ours, client_of):
    client = client_of(ours.brand)
    assert add(client, public_key=public_pem(ec.generate_private_key(ec.SECP256R1()))).status_code == 302
    assert IdentityKey.objects.get(kid="shop-1").brand == ours.brand
    assert "shop-1" in client.get(LIST).content.decode()


def test_a_private_key_is_refused_and_never_shown_again(ours, client_of):
    pem = private_pem(ec.generate_private_key(ec.SECP256R1()))
    page = add(client_of(ours.brand), public_key=pem).content.decode()
    assert "private key" in page
    assert pem.splitlines()[1] not in page
    assert 'value="shop-1"' in page
    assert not IdentityKey.objects.filter(kid="shop-1").exists()


def test_a_kid_is_never_used_again(ours, client_of):
    page = add(client_of(ours.brand), kid="OURS-kid", public_key=public_pem(ec.generate_private_key(ec.SECP256R1())))
    assert "There is a key OURS-kid already" in page.content.decode()


@pytest.mark.parametrize("role", ["viewer", "editor", "publisher"])
def test_only_admins_add_and_revoke(ours, client_of, role):
    client = client_of(ours.brand, role)
    key = ours.rows[IdentityKey]
    revoke = reverse("admin:devices_identitykey_revoke", args=[key.pk])
    assert client.get(LIST).status_code == client.get(SEEN).status_code == 200
    for answer in (client.get(ADD), add(client), client.get(revoke), client.post(revoke)):
        assert answer.status_code == 403
        assert "admin" in answer.content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None


def test_revoking_asks_first_and_says_when_it_is_the_last_key(ours, client_of):
    client = client_of(ours.brand)
    key = ours.rows[IdentityKey]
    revoke = reverse("admin:devices_identitykey_revoke", args=[key.pk])
    assert "It is the only key" in client.get(revoke).content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None
    client.post(revoke)
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert key.history.first().history_change_reason == "Revoked"
    assert revoke not in client.get(reverse("admin:devices_identitykey_change", args=[key.pk])).content.decode()


def test_another_brands_key_and_what_it_saw_are_nowhere(ours, theirs, client_of):
    saw(theirs.brand, "missing", 7_777, last_external_id="their-user")
    client = client_of(ours.brand)
    foreign = theirs.rows[IdentityKey]
    revoke = reverse("admin:devices_identitykey_revoke", args=[foreign.pk])
    assert client.post(revoke).status_code in (302, 404)
    foreign.refresh_from_db()
    assert foreign.revoked_at is None
    for page in (client.get(LIST), client.get(SEEN)):
        assert "their-user" not in page.content.decode()
        assert "7,777" not in page.content.decode()


def test_the_page_says_what_went_wrong_with_an_example_and_what_to_do(ours, client_of):
    mode(ours.brand, "observe")
    saw(ours.brand, "valid", 30)
    saw(ours.brand, "subject", 4, last_external_id="ann", last_origin="https://books.example")
    saw(ours.brand, "subject", 6, shard=1, ago=1, last_external_id="somebody-before")
    saw(ours.brand, "expired", 86_861, ago=14)
    page = client_of(ours.brand).get(SEEN).content.decode()
    for text in ("For another end user", "Make sub the same text", "<bdi>ann</bdi>", "https://books.example", "75%"):
        assert text in page
    assert "somebody-before" not in page
    assert "86,861" not in page
    assert "Not ready to enforce" in page


def test_an_example_is_text_and_nothing_else(ours, client_of):
    saw(ours.brand, "missing", 1, last_external_id="<script>alert(1)</script>")
    page = client_of(ours.brand).get(SEEN).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("wanted", "keys", "counts", "title"),
    [
        ("off", 0, {}, "Not ready: there is no key"),
        ("off", 1, {"valid": 100}, "Not known yet: nothing is checked"),
        ("observe", 0, {"missing": 100}, "Not ready: there is no key"),
        ("observe", 1, {"valid": 19}, "Not known yet: too few calls"),
        ("observe", 1, {"valid": 20}, "Ready to enforce"),
        ("observe", 1, {"valid": 99, "expired": 1}, "Ready to enforce"),
        ("observe", 1, {"valid": 98, "expired": 2}, "Not ready to enforce"),
        ("observe", 1, {"missing": 100}, "Not ready to enforce"),
        ("enforce", 1, {"valid": 100}, "Enforced"),
        ("enforce", 1, {"valid": 100, "missing": 1}, "Enforced, and refusing some"),
        ("enforce", 0, {"key_revoked": 1}, "Nobody can log in"),
    ],
)
def test_the_verdict(wanted, keys, counts, title):
    now = datetime.now(UTC)
    seen = [Seen(outcome, n, n, (n,), now, "", "", "") for outcome, n in counts.items()]
    found = verdict(brand=Brand(identity_mode=wanted), keys=keys, seen=seen)
    assert found.title == title
    assert found.text.endswith(".")


def test_readiness_is_checked_by_yesterday_and_today(ours):
    saw(ours.brand, "missing", 1_000, ago=2)
    saw(ours.brand, "valid", 10, ago=1)
    saw(ours.brand, "valid", 15, shard=3)
    found = {seen.outcome: seen.recent for seen in observations(brand=ours.brand, today=datetime.now(UTC).date())}
    assert found == {"missing": 0, "valid": 25}


def test_the_lines_that_are_offered_make_a_pair_that_is_taken(ours, client_of, tmp_path):
    client = client_of(ours.brand)
    assert "openssl" in client.get(ADD).content.decode()
    subprocess.run(["sh", "-c", MAKE_A_PAIR], cwd=tmp_path, check=True, capture_output=True)
    assert add(client, public_key=(tmp_path / "identity-public.pem").read_text()).status_code == 302
    assert (
        "private key"
        in add(client, kid="k2", public_key=(tmp_path / "identity-private.pem").read_text()).content.decode()
    )
