"""A site is integrated: its page in the back office says what works, and the SDK keeps its promises on the product."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from devices.lifecycle.brands import local_pages_follow
from devices.models import App, Device, Event, PushStatus
from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.sites import Site
from tests.browser.harness.waiting import wait_until

from .running import Product
from .shop import SOON, Shop, now

SCREENS = Path(__file__).resolve().parents[3] / "var" / "screens"


def pictures(page: Page, name: str) -> None:
    """Take the page at both widths, light and dark, for a person to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        for size, width in (("desktop", 1280), ("phone", 390)):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=SCREENS / f"{name}-{size}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def test_the_page_follows_an_installation_until_its_test_push_is_displayed(
    staff_page: Page, product: Product, shop: Shop, firefox_factory: FirefoxFactory, desktop: Desktop
) -> None:
    app = App.objects.get(brand=shop.brand)
    page = staff_page
    page.goto(f"{product.url}/admin/devices/app/{app.pk}/check/")
    state = lambda check: page.locator(f"[data-check={check}]")  # noqa: E731
    for check in ("page", "script", "key", "worker", "policy"):
        expect(state(check)).to_have_attribute("data-state", "good")
    expect(state("session")).to_have_attribute("data-state", "waiting")
    page.get_by_role("button", name="Send a test push").click()
    expect(page.get_by_text("no browser has subscribed yet")).to_be_visible()
    firefox_factory(prompt="granted").open(shop.url())
    for check in ("session", "subscription"):  # it refreshes by itself
        expect(state(check)).to_have_attribute("data-state", "good", timeout=SOON * 1000)
    page.get_by_role("button", name="Send a test push").click()
    desktop.wait_notification(SOON, lambda one: one.summary == "It works")
    expect(state("test")).to_have_attribute("data-state", "good", timeout=SOON * 1000)
    expect(state("test").locator("time")).to_be_visible()
    expect(page.get_by_role("heading", name="9 of 9 checks passed")).to_be_visible()
    pictures(page, "check-good")


def test_what_is_wrong_is_shown_with_its_fix_and_code_is_copied(
    staff_page: Page, product: Product, shop: Shop, chromium: Chromium
) -> None:
    app = App.objects.get(brand=shop.brand)
    page = staff_page
    page.goto(f"{product.url}/admin/devices/app/{app.pk}/check/?worker=/books/x.js")
    worker = page.locator("[data-check=worker]")
    expect(worker).to_have_attribute("data-state", "wrong")
    expect(worker).to_contain_text("importScripts")
    pictures(page, "check-wrong")
    chromium.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=product.url)
    page.get_by_role("button", name="Copy the worker file").click()
    expect(page.get_by_role("button", name="Copied the worker file")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f'importScripts("{product.url}/sdk/v1/sw.js");'


def test_the_integration_stands_open_at_the_top_of_a_brand_that_nobody_has_visited(
    staff_page: Page, product: Product, shop: Shop
) -> None:
    page = staff_page
    page.goto(f"{product.url}/admin/devices/brand/{shop.brand.pk}/change/")
    steps = page.locator("#integration .sp-steps > li > p.sp-strong")
    assert [text.split(",")[0] for text in steps.all_inner_texts()] == [
        "Let the website in",
        "Put this file on the website",
        "Put this snippet into every page",
        "Say who is here",
        "Check your installation",
    ]
    panel, form = page.locator("#integration").bounding_box(), page.locator("[name=name]").first.bounding_box()
    assert panel and form and panel["y"] < form["y"]
    expect(page.get_by_role("button", name="Copy the snippet")).to_be_visible()
    pictures(page, "brand-integration")
    page.get_by_label("pages on developers' own machines", exact=False).check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{product.url}/admin/")
    expect(page.get_by_text("Pages on developers' own machines may use")).to_be_visible()
    pictures(page, "overview-local-pages")
    assert App.objects.filter(brand=shop.brand, origin="http://localhost").exists()


def site_of(shop: Shop, host: str) -> Site:
    """A page at a port that nobody registered, given the server by this name."""
    options = {"brand": shop.brand.public_key, "host": host}
    front = (
        "<!doctype html><title>Mine</title><script>"
        "window.smartpush = window.smartpush || function(){(smartpush.q = smartpush.q || []).push(arguments)};"
        f"smartpush('init', {json.dumps(options)});</script><script src='{host}/sdk/v1/smartpush.js' async></script>"
    )
    return Site({"/": front, "/push/smartpush-sw.js": f"importScripts('{host}/sdk/v1/sw.js');"})


@pytest.fixture
def own_machine(shop: Shop, product: Product) -> Iterator[Site]:
    """A page on a developer's own machine."""
    site = site_of(shop, product.url)
    yield site
    site.close()


def test_a_page_on_ones_own_machine_reads_its_refusal_and_is_let_in_by_the_switch(
    chromium: Chromium, shop: Shop, own_machine: Site
) -> None:
    page = chromium.page

    def refused() -> bool:
        page.wait_for_timeout(100)
        return any("[smartpush] origin_not_allowed" in line for line in chromium.console)

    page.goto(own_machine.url())
    wait_until(refused, timeout=SOON, what="the line on the console")
    assert page.evaluate("smartpush('event', 'deposit').catch(({code}) => code)") == "not_initialised"
    assert not Device.objects.filter(brand=shop.brand).exists()
    shop.brand.local_pages = True
    shop.brand.save()
    local_pages_follow(brand=shop.brand, now=now())
    page.goto(own_machine.url().replace("127.0.0.1", "localhost"))
    page.wait_for_function("window.smartpush && smartpush.loaded")
    assert page.evaluate("smartpush('getStatus').then(({status}) => status)") == "ask"


def test_after_a_logout_the_status_is_suspended_and_the_second_person_has_a_session(
    firefox_factory: FirefoxFactory, shop: Shop
) -> None:
    tab = firefox_factory(prompt="granted").open(shop.url())
    wait_until(lambda: shop.devices().filter(token_hash__isnull=False).first(), timeout=SOON, what="the subscription")
    tab.evaluate("smartpush('identify', 'ann').then(({status}) => status)")
    after = tab.evaluate("smartpush('logout').then(() => smartpush('getStatus')).then(({status}) => status)")
    assert after == "suspended"
    assert PushStatus.objects.get(end_user=shop.visitor).reason == "held_by_other"
    tab.evaluate("smartpush('identify', 'ben').then(({status}) => status)")
    assert Event.objects.filter(brand=shop.brand, name="session", end_user=shop.user("ben")).exists()


def test_the_preference_page_opens_at_the_host_that_the_page_uses(
    chromium: Chromium, shop: Shop, product: Product
) -> None:
    """The server's public address is another name of it than the one that this site was given."""
    host = product.url.replace("127.0.0.1", "localhost")
    site = site_of(shop, host)
    App.objects.create(brand=shop.brand, name="Beside it", origin=site.origin)
    page = chromium.page
    try:
        page.goto(site.url())
        page.wait_for_function("window.smartpush && smartpush.loaded", timeout=SOON * 1000)
        page.evaluate("smartpush('getStatus')")
        opened: list[Page] = []
        page.context.on("page", lambda window: opened.append(window))
        page.evaluate("smartpush('openPreferences')")
        wait_until(lambda: page.wait_for_timeout(100) or opened, timeout=SOON, what="the window")
        expect(opened[0].get_by_role("main")).to_be_visible(timeout=SOON * 1000)
        assert opened[0].url.startswith(f"{host}/p/")
    finally:
        site.close()
