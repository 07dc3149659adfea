"""The running product, a customer's shop in front of it, and a brand of each test's own."""

from collections.abc import Iterator

import pytest
from aiohttp import web
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, Playwright
from pytest_django import DjangoDbBlocker, Settings

from devices.lifecycle.brands import brand_create
from devices.pushservice.server import LocalPushService
from smartpush.demo.site_server import make_app
from tests.browser.harness.background import background
from tests.browser.harness.chromium import Chromium

from .running import Product, cloned_database
from .shop import Shop
from .staff import log_in


@pytest.fixture(scope="session")
def _product(
    playwright_driver: Playwright,
    _push_service: LocalPushService,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Product]:
    # Playwright first: from its start on Django has other connections for this thread, and ours is swapped there.
    with django_db_blocker.unblock(), cloned_database() as database:
        product = Product(database=database, push_url=_push_service.url, env={})
        try:
            with database.connected():
                product.start()
            yield product
        finally:
            product.close()


@pytest.fixture
def product(
    _product: Product,
    push_service: LocalPushService,
    db: None,
    settings: Settings,
) -> Iterator[Product]:
    """The product of this worker; the test's own ORM calls reach its database."""
    # `db` tells pytest-django to make the database that ours is a copy of; its transaction stays empty.
    settings.SMARTPUSH_DEV_ORIGINS = _product.dev_origins
    settings.SMARTPUSH_PUBLIC_URL = _product.url
    with _product.database.connected():
        yield _product


@pytest.fixture
def shop(product: Product) -> Iterator[Shop]:
    """The demo shop at its own origin, with a brand of this test's own; every page load is a new session."""
    port = product.site_ports[0]
    origin = f"http://127.0.0.1:{port}"
    brand = brand_create(name="Harbour Books", origin=origin)
    brand.session_minutes = 0
    brand.save(update_fields=["session_minutes"])

    async def brand_key() -> str:
        return brand.public_key

    runner = web.AppRunner(make_app(brand_key=brand_key, host=product.url), access_log=None, shutdown_timeout=1.0)

    async def serve() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()

    background.run(serve())
    yield Shop(brand=brand, origin=origin)
    background.run(runner.cleanup())


@pytest.fixture
def staff_page(chromium: Chromium, product: Product, shop: Shop) -> Page:
    """A page, logged in to the back office at the shop's brand."""
    keeper = get_user_model().objects.create_superuser(f"keeper-{shop.brand.pk}")
    log_in(context=chromium.context, url=product.url, user=keeper, brand=shop.brand)
    return chromium.page
