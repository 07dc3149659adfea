import pytest

from devices.models import App, Brand, VapidKey
from tests.campaigns.world import World


@pytest.fixture
def world(db) -> World:
    return make_world("Shop")


@pytest.fixture
def shared_world(transactional_db) -> World:
    """For tests with several real connections: rows are committed."""
    return make_world("Shop")


@pytest.fixture
def other_world(db) -> World:
    return make_world("Other")


def make_world(name: str) -> World:
    brand = Brand.objects.create(name=name)
    return World(
        brand=brand,
        app=App.objects.create(brand=brand, name="Site", origin=f"https://{name.lower()}.example"),
        vapid=VapidKey.objects.create(brand=brand, public_key=f"key-{name}", private_key_encrypted="x"),
    )
