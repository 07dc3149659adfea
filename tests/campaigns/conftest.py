import pytest

from devices.models import App, Brand, VapidKey
from tests.campaigns.world import World


@pytest.fixture
def world(db) -> World:
    return _world()


@pytest.fixture
def shared_world(transactional_db) -> World:
    """For tests with several real connections: rows are committed."""
    return _world()


def _world() -> World:
    brand = Brand.objects.create(name="Shop")
    return World(
        brand=brand,
        app=App.objects.create(brand=brand, name="Site", origin="https://shop.example"),
        vapid=VapidKey.objects.create(brand=brand, public_key="key", private_key_encrypted="x"),
    )
