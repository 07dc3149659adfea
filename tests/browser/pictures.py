"""`python -m tests.browser.pictures PASSWORD`: take README's pictures from a demo that is running."""

import re
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ADMIN = "http://127.0.0.1:8800/admin"
SHOP = "http://127.0.0.1:8820/"
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "images"
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


def _log_in(page: Page, password: str) -> None:
    page.goto(f"{ADMIN}/login/")
    page.fill("input[name=username]", "demo")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    expect(page).to_have_url(f"{ADMIN}/")


def _shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=PICTURES / f"{name}.png")


def _preferences(shop: Page) -> str:
    """The address of the visitor's preference page, as the shop's own button opens it."""
    with shop.context.expect_page() as opened:
        shop.click("#preferences")
    expect(opened.value).to_have_url(re.compile("/p/"))
    return opened.value.url


def main(password: str) -> None:
    """Write docs/images/*.png."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        shop = browser.new_page(viewport={"width": 1100, "height": 640})
        shop.goto(SHOP)
        shop.locator("smartpush-popup").wait_for(state="attached", timeout=30_000)
        shop.wait_for_timeout(800)
        _shoot(shop, "popup")
        phone = browser.new_page(viewport={"width": 390, "height": 640})
        phone.goto(_preferences(shop))
        _shoot(phone, "preferences")
        page = browser.new_page(viewport={"width": 1280, "height": 820})
        _log_in(page, password)
        _shoot(page, "overview")
        page.goto(f"{ADMIN}/campaigns/campaign/")
        page.get_by_role("link", name="Ask for push permission", exact=True).first.click()
        _shoot(page, "campaign")
        page.goto(f"{ADMIN}/assets/pushresource/")
        page.get_by_role("link", name="Weekly letter").first.click()
        _shoot(page, "push")
        page.goto(f"{ADMIN}/assets/popupresource/")
        page.get_by_role("link", name="Ask for push permission (with categories)").first.click()
        _shoot(page, "categories")
        page.goto(f"{ADMIN}/devices/enduser/?q=demo-0040")
        page.get_by_role("link", name="demo-0040").first.click()
        _shoot(page, "profile")
        page.set_viewport_size({"width": 1280, "height": 1000})
        page.goto(f"{ADMIN}/segments/segment/")
        page.get_by_role("link", name="Reads a lot, not in the book club").first.click()
        page.get_by_text("For example").wait_for()
        _shoot(page, "segment")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
