"""Moving every secret to the newest key: in batches, again and again, and what it says of old keys."""

from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError

from devices.lifecycle import secrets
from devices.lifecycle.brands import brand_create
from devices.lifecycle.secrets import SECRETS, keys_free, secrets_move
from devices.models import App, VapidKey
from smartpush.common.crypto import decrypt, encrypt, key_place

pytestmark = pytest.mark.django_db


@pytest.fixture
def keys(settings) -> list[str]:
    """Three keys, the newest first; what is stored is under the oldest."""
    made = [Fernet.generate_key().decode() for _ in range(3)]
    settings.SMARTPUSH_ENCRYPTION_KEYS = made[2:]
    brands = [brand_create(name=f"B{number}", origin=f"https://b{number}.example") for number in range(5)]
    for brand in brands[:2]:
        App.objects.create(
            brand=brand, kind="android", name="A", bundle_id="a.b", fcm_credentials_encrypted=encrypt("file")
        )
    settings.SMARTPUSH_ENCRYPTION_KEYS = made
    return made


def places() -> list[int | None]:
    stored = [*VapidKey.objects.values_list("private_key_encrypted", flat=True)]
    stored += App.objects.exclude(fcm_credentials_encrypted="").values_list("fcm_credentials_encrypted", flat=True)
    return [key_place(text) for text in stored]


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("reencrypt", *arguments, stdout=out)
    return out.getvalue()


def test_every_column_of_ours_that_is_encrypted_is_known_here():
    found = {
        (model, column.name)
        for model in apps.get_models()
        for column in model._meta.get_fields()
        if column.name.endswith("_encrypted")
    }
    assert found == {(secret.model, secret.column) for secret in SECRETS}


def test_everything_ends_under_the_newest_key_and_reads_as_before(keys):
    before = {key.pk: decrypt(key.private_key_encrypted) for key in VapidKey.objects.all()}
    assert set(places()) == {2}
    moved = secrets_move(batch=2)
    assert [(one.total, one.moved, one.unreadable) for one in moved] == [(5, 5, []), (2, 2, [])]
    assert set(places()) == {0}
    assert {key.pk: decrypt(key.private_key_encrypted) for key in VapidKey.objects.all()} == before
    assert keys_free(moved) == [1, 2]
    assert [one.moved for one in secrets_move()] == [0, 0]


def test_a_dry_run_writes_nothing(keys):
    stored = list(VapidKey.objects.order_by("pk").values_list("private_key_encrypted", flat=True))
    text = said("--dry-run")
    assert "VAPID private keys: 5; 0 under the newest key already, 5 would be moved, 0 unreadable." in text
    assert list(VapidKey.objects.order_by("pk").values_list("private_key_encrypted", flat=True)) == stored
    assert "Keep key 3" in text and "Nothing is left under key 2" in text
    assert not any(key in text for key in keys)


def test_a_run_that_was_stopped_goes_on_where_it_was(keys, monkeypatch):
    done = []

    def stop(text: str) -> str:
        done.append(text)
        if len(done) == 4:
            raise KeyboardInterrupt
        return encrypt(text)

    monkeypatch.setattr(secrets, "encrypt", stop)
    with pytest.raises(KeyboardInterrupt):
        secrets_move(batch=1)
    assert sorted(places()) == [0, 0, 0, 2, 2, 2, 2]
    monkeypatch.setattr(secrets, "encrypt", encrypt)
    assert [one.moved for one in secrets_move(batch=1)] == [2, 2]
    assert set(places()) == {0}


def test_what_no_key_reads_is_named_and_left_and_the_command_fails(keys):
    lost = VapidKey.objects.order_by("pk")[1]
    VapidKey.objects.filter(pk=lost.pk).update(
        private_key_encrypted=Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    )
    kept = VapidKey.objects.get(pk=lost.pk).private_key_encrypted
    out = StringIO()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("reencrypt", stdout=out)
    assert f"VAPID key {lost.pk}: no key reads it." in out.getvalue()
    assert "4 moved, 1 unreadable" in out.getvalue()
    assert VapidKey.objects.get(pk=lost.pk).private_key_encrypted == kept
    assert sorted(places(), key=str) == [0] * 6 + [None]


def test_it_says_when_an_old_key_may_go_and_then_nothing_needs_it(keys, settings):
    text = said()
    assert "Nothing is left under key 2" in text and "Nothing is left under key 3" in text
    settings.SMARTPUSH_ENCRYPTION_KEYS = keys[:1]
    assert set(places()) == {0}
