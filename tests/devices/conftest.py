from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine

from devices.delivery.sending.send import close_senders
from devices.lifecycle.brands import brand_create
from devices.models import Brand
from devices.pushservice.server import LocalPushService
from tests.support.people import Browser
from tests.support.sending import Channel


@pytest.fixture
def brand(db) -> Brand:
    return brand_create(name="Harbour Books", origin="https://books.example")


@pytest.fixture
def browser(brand) -> Browser:
    return Browser(brand)


@pytest.fixture(scope="session")
def push_service():
    with LocalPushService() as service:
        yield service


@pytest.fixture
def channel(brand, push_service, settings) -> Iterator[Channel]:
    """The clock stands still: what is due in a second is not due yet, however long the test takes."""
    push_service.clear_failures()
    settings.SMARTPUSH_DEV_ORIGINS = frozenset({push_service.url})
    close_senders()
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield Channel(brand, push_service)
    close_senders()
