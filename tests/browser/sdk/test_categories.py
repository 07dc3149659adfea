"""The popup with categories: ticked by the end user, sent with the answer, opened again with today's choice."""

from typing import Any

from playwright.sync_api import Page as BrowserPage

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Site

from .conftest import eventually, run
from .fake_api import CATEGORIES, FakeApi
from .test_popup import CARD, LATER, PRIMARY, opened, outcome

UNTICKED = [{**one, "selected": False} for one in CATEGORIES]
WAVED_AWAY = "Notification.requestPermission = async () => 'default';"


def ticked(page: BrowserPage) -> list[str]:
    return list(page.locator("smartpush-popup input:checked").evaluate_all("all => all.map((one) => one.value)"))


def offered(chromium: Chromium, api: FakeApi, shop: Site, **content: Any) -> BrowserPage:
    chromium.context.add_init_script(WAVED_AWAY)
    api.offer(**{"categories": UNTICKED, **content})
    return opened(chromium, shop)


def test_categories_are_ticked_by_pointer_and_sent_with_the_answer(chromium: Chromium, api: FakeApi, shop: Site):
    page = offered(chromium, api, shop)
    assert ticked(page) == []
    page.get_by_text("What is new, once a week").click()
    page.get_by_role("checkbox", name="Offers").check()
    page.get_by_role("checkbox", name="Sports").check()
    page.get_by_role("checkbox", name="Sports").uncheck()
    assert ticked(page) == ["NEWS", "OFFERS"]
    page.click(PRIMARY)
    body = outcome(page, api)
    assert (body["outcome"], body["categories"]) == ("dismissed", ["NEWS", "OFFERS"])
    assert api.markers == {"NEWS", "OFFERS"}


def test_a_keyboard_ticks_them_and_assistive_technology_finds_a_group(chromium: Chromium, api: FakeApi, shop: Site):
    page = offered(chromium, api, shop, primary={"kind": "click", "url": ""}, text="Choose what you like.")
    assert page.locator(CARD).aria_snapshot() == (
        '- dialog "Never miss a bonus":\n'
        '  - heading "Never miss a bonus" [level=2]\n'
        "  - paragraph: Choose what you like.\n"
        '  - group "Never miss a bonus":\n'
        '    - checkbox "News What is new, once a week"\n'
        "    - text: News What is new, once a week\n"
        '    - checkbox "Sports"\n'
        "    - text: Sports\n"
        '    - checkbox "Offers"\n'
        "    - text: Offers\n"
        '  - button "Maybe later"\n'
        '  - button "Subscribe"\n'
        '  - button "Close"'
    )
    for key in ("Tab", "Tab", "Space", "Tab", "Tab", "Tab", "Enter"):
        page.keyboard.press(key)
    body = outcome(page, api)
    assert (body["outcome"], body["categories"]) == ("clicked", ["SPORTS"])


def test_it_opens_again_with_todays_choice_where_push_is_allowed(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Any
):
    allow()
    chromium.set_permission(shop.origin, "granted")
    page = offered(chromium, api, shop, categories=CATEGORIES)
    assert ticked(page) == ["SPORTS"]
    page.get_by_role("checkbox", name="Sports").uncheck()
    page.evaluate("Notification.requestPermission = async () => 'granted'")
    page.click(PRIMARY)
    body = outcome(page, api)
    assert (body["outcome"], body["categories"], body["push"]["status"]) == ("allowed", [], "allowed")


def test_maybe_later_sends_no_choice(chromium: Chromium, api: FakeApi, shop: Site):
    page = offered(chromium, api, shop)
    page.get_by_role("checkbox", name="News").check()
    page.click(LATER)
    assert "categories" not in outcome(page, api)


def test_a_choice_can_lead_to_a_page_which_the_site_routes(chromium: Chromium, api: FakeApi, shop: Site):
    page = offered(chromium, api, shop, primary={"kind": "url", "url": shop.url("/plain")})
    page.evaluate("smartpush('on', 'click', ({url, source}) => { window.routed = [url, source]; return true; })")
    page.get_by_role("checkbox", name="News").check()
    page.click(PRIMARY)
    eventually(page, lambda: page.evaluate("window.routed"), what="the handler")
    assert page.evaluate("window.routed") == [shop.url("/plain"), "popup"]
    assert outcome(page, api)["categories"] == ["NEWS"] and page.url == shop.url()


def test_names_are_only_ever_texts(chromium: Chromium, api: FakeApi, shop: Site):
    evil = "<img src=x onerror=window.hacked=1>"
    page = offered(
        chromium, api, shop, categories=[{"marker": "X", "name": evil, "description": evil, "selected": "yes"}]
    )
    assert page.inner_text("smartpush-popup label") == f"{evil}\n{evil}"
    assert ticked(page) == [] and page.evaluate("window.hacked") is None
    assert run(page, "'getStatus'")["optedOut"] is False
