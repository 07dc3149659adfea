"""Two tabs of two brands in a real browser: each stays in its own, and no form goes into the other's."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import BrowserContext, Page, expect

from devices.lifecycle.brands import brand_create
from devices.models import ApiKey, Brand, BrandMembership
from tests.browser.harness.chromium import Chromium

from .running import Product
from .shop import Shop
from .staff import log_in


@pytest.fixture
def other(shop: Shop) -> Brand:
    return brand_create(name="Inland Books", origin="https://inland.example")


@pytest.fixture
def staff(chromium: Chromium, product: Product, shop: Shop, other: Brand) -> BrowserContext:
    """The browser of an admin of both brands, who chose the shop's."""
    user = get_user_model().objects.create_user(f"both-{shop.brand.pk}", is_staff=True)
    BrandMembership.objects.bulk_create(
        BrandMembership(brand=brand, user=user, role="admin") for brand in (shop.brand, other)
    )
    log_in(context=chromium.context, url=product.url, user=user, brand=shop.brand)
    return chromium.context


def choose(page: Page, product: Product, brand: Brand) -> None:
    """Choose a brand as the first thing in a new tab."""
    page.goto(f"{product.url}/admin/")
    page.select_option("#sp-brand", label=brand.name)
    expect(page).to_have_url(f"{product.url}/admin/in/{brand.pk}/")
    expect(page.locator("#sp-brand option:checked")).to_have_text(brand.name)


def test_a_key_asked_for_before_another_tab_chose_is_sent_to_its_own_brand(
    staff: BrowserContext, product: Product, shop: Shop, other: Brand
) -> None:
    first, second = staff.new_page(), staff.new_page()
    first.goto(f"{product.url}/admin/devices/apikey/add/")
    first.fill("[name=name]", "Till")
    first.check("[name=scopes][value='users:read']")
    choose(second, product, other)
    first.get_by_role("button", name="Make the key").click()
    expect(first.locator("h2.sp-title")).to_have_text("Nothing was saved: this form belongs to Harbour Books")
    assert not ApiKey.objects.filter(name="Till").exists()
    first.get_by_role("button", name="Send it to Harbour Books").click()
    expect(first.locator("[data-shown-once]")).to_be_visible()
    assert ApiKey.objects.get(name="Till").brand == shop.brand
    expect(first.locator("#sp-brand option:checked")).to_have_text("Harbour Books")
    second.get_by_role("link", name="API keys").click()
    expect(second.locator("#sp-brand option:checked")).to_have_text("Inland Books")


def test_two_tabs_work_side_by_side_and_the_back_button_changes_nothing(
    staff: BrowserContext, product: Product, shop: Shop, other: Brand
) -> None:
    first, second = staff.new_page(), staff.new_page()
    choose(first, product, shop.brand)
    choose(second, product, other)
    for page, brand in ((first, shop.brand), (second, other)):
        page.get_by_role("link", name="API keys").click()
        page.goto(f"{page.url}add/")
        page.fill("[name=name]", f"Key of {brand.name}")
        page.check("[name=scopes][value='users:read']")
    for page in (second, first):
        page.get_by_role("button", name="Make the key").click()
        expect(page.locator("[data-shown-once]")).to_be_visible()
    made = dict(ApiKey.objects.filter(name__startswith="Key of").values_list("name", "brand__name"))
    assert made == {"Key of Harbour Books": "Harbour Books", "Key of Inland Books": "Inland Books"}
    first.go_back()
    expect(first.locator("#sp-brand option:checked")).to_have_text("Harbour Books")
