from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache import cache

from devices.lifecycle.brands import brand_create
from devices.models import Brand
from tests.api.page import Page, asking_campaign

ORIGIN = "https://books.example"


@pytest.fixture(autouse=True)
def fresh_limits():
    """Each test counts its calls from nought."""
    cache.clear()


@pytest.fixture
def one_minute() -> Iterator[None]:
    """The clock stands still: calls are counted by the minute of the clock, which could end between two of them."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.fixture
def brand(db) -> Brand:
    return brand_create(name="Harbour Books", origin=ORIGIN)


@pytest.fixture
def page(brand) -> Page:
    return Page(brand, ORIGIN)


@pytest.fixture
def other(db) -> Page:
    """A page of another brand that has a session."""
    stranger = Page(brand_create(name="Other", origin="https://other.example"), "https://other.example")
    stranger.session(external_id="ann")
    return stranger


@pytest.fixture
def asking(brand):
    return asking_campaign(brand)


@pytest.fixture
def settings_for_fuzz(settings):
    """Hundreds of calls in one test are not too many."""
    settings.SMARTPUSH_LIMITS = dict.fromkeys(settings.SMARTPUSH_LIMITS, 1_000_000)
