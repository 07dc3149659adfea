"""Two brands; `client_of` logs a member of staff in."""

import pytest
from django.core.cache import cache
from django.test import Client

from tests.backoffice.world import staff, world


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """A million rounds of PBKDF2 for each member of staff would be most of these tests' time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ours(db):
    return world(word="OURS")


@pytest.fixture
def theirs(db):
    return world(word="THEIRS")


@pytest.fixture
def client_of():
    def make(brand=None, role="admin", *, superuser=False, name="ann"):
        user = staff(name=name, brand=brand, role=role)
        if superuser:
            user.is_superuser = True
            user.save()
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return make
