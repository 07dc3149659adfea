"""The walk through the help page drives a real browser: the hooks of the browser tests hold here too."""

import pytest

from devices.pushservice.server import LocalPushService
from tests.browser.conftest import _end_with_controller, pytest_runtest_makereport  # noqa: F401
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.product.audience import desk
from tests.browser.product.running import Product
from tests.browser.product.shop import Shop

from .walking import Marketer, Visitor


@pytest.fixture
def marketer(chromium: Chromium, product: Product, shop: Shop) -> Marketer:
    """A customer success manager of the shop, who has just logged in."""
    page = desk(chromium, product, shop.brand, role="publisher").page
    page.goto(f"{product.url}/admin/")
    return Marketer(page=page, brand=shop.brand)


@pytest.fixture
def visitor(chromium: Chromium, push_service: LocalPushService, desktop: Desktop, shop: Shop) -> Visitor:
    """Somebody with a browser that nobody has asked yet, in a tab beside the marketer's."""
    return Visitor(chromium=chromium, service=push_service, desktop=desktop, shop=shop)
