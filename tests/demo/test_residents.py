"""The demo's people are written by set, and know of the brand what the product's own calls would have left."""

import pytest

from devices.lifecycle.brands import brand_create
from devices.models import EndUser, PropertyDefinition
from smartpush.demo.residents import residents_seed
from tests.support.people import NOON

pytestmark = pytest.mark.django_db


def test_the_residents_properties_are_known_in_their_brand():
    brand = brand_create(name="Harbour Books", origin="https://books.example")
    residents_seed(brand=brand, numbers=range(3), now=NOON)
    used = {name for one in EndUser.objects.filter(brand=brand) for name in one.properties}
    assert "first_name" in used
    assert dict(PropertyDefinition.objects.filter(brand=brand).values_list("name", "type")) == dict.fromkeys(
        used, "text"
    )
