"""Secrets at rest."""

import pytest
from cryptography.fernet import Fernet

from smartpush.common.crypto import CannotDecrypt, decrypt, encrypt, hash_secret, new_secret, same_secret


def test_a_secret_comes_back_and_is_not_readable_meanwhile(settings):
    settings.SMARTPUSH_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    stored = encrypt("the key ✓")
    assert "key" not in stored
    assert decrypt(stored) == "the key ✓"
    assert encrypt("the key ✓") != stored


def test_keys_are_rotated_by_putting_the_new_one_first(settings):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.SMARTPUSH_ENCRYPTION_KEYS = [old]
    stored = encrypt("x")
    settings.SMARTPUSH_ENCRYPTION_KEYS = [new, old]
    assert decrypt(stored) == "x"
    newer = encrypt("y")
    settings.SMARTPUSH_ENCRYPTION_KEYS = [new]
    assert decrypt(newer) == "y"
    with pytest.raises(CannotDecrypt, match="SMARTPUSH_ENCRYPTION_KEYS"):
        decrypt(stored)


def test_what_was_tampered_with_is_not_decrypted(settings):
    settings.SMARTPUSH_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    stored = encrypt("x")
    with pytest.raises(CannotDecrypt):
        decrypt(stored[:-4] + "AAAA")


def test_installation_secrets_are_compared_by_hash():
    secret = new_secret()
    assert len(secret) == 43
    assert same_secret(secret, hash_secret(secret))
    assert not same_secret(new_secret(), hash_secret(secret))
    assert not same_secret("", hash_secret(secret))
