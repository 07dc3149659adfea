"""What is made by a click gets a name that its brand does not have yet."""

import re

import pytest

from devices.lifecycle.brands import brand_create
from segments.models import Segment
from smartpush.common.database import free_names
from smartpush.common.database.free_names import free_name
from tests.checks.sources import product_sources


@pytest.mark.django_db
def test_the_first_free_number_goes_behind_a_name_that_is_taken():
    brand, other = (brand_create(name=name, origin=f"https://{name}.example") for name in ("harbour", "lake"))

    def named(*names: str, brand=brand) -> None:
        Segment.objects.bulk_create(Segment(brand=brand, name=name, rules={}) for name in names)

    def free(wanted: str) -> str:
        return free_name(rows=Segment.objects.filter(brand=brand), wanted=wanted)

    named("Copy of VIP", brand=other)
    assert free("Copy of VIP") == "Copy of VIP"
    named("Copy of VIP", "Copy of VIP 3", "Copy of VIPs")
    assert free("Copy of VIP") == "Copy of VIP 2"
    named("Copy of VIP 2")
    assert free("Copy of VIP") == "Copy of VIP 4"


def test_no_other_loop_looks_for_a_free_name():
    loops = re.compile(r"while .*\bin (?:taken|names|used|known)\b|while .*name.*\.exists\(\)")
    assert [path.name for path, text in product_sources(".py") if loops.search(text)] == ["free_names.py"]
    assert free_names.__file__.endswith("common/database/free_names.py")
