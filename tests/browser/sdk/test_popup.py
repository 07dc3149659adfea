"""Popups: offered, drawn once, answered once, and usable by everybody."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from tests.browser.conftest import ChromiumFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.sites import Page, Site

from .conftest import eventually, init, page_with, run, told
from .fake_api import FakeApi

CARD = "smartpush-popup .card"
PRIMARY, LATER, CLOSE = (f"smartpush-popup .{name}" for name in ("primary", "later", "close"))

# Notes after how many milliseconds each poll came and is to come, and makes the short ones shorter: what a page waits
# for is told by its timers, not by the clock of a machine that may be busy.
POLLS = """
window.polls = {waited: [], next: null};
const timer = window.setTimeout;
window.setTimeout = (work, wait, ...more) => {
  // In the small script functions have other names: no timer but that of the polls waits so long.
  if (![500, 1000, 2000, 30000, 120000].includes(wait)) return timer(work, wait, ...more);
  polls.next = wait;
  return timer(() => { polls.waited.push(wait); work(); }, wait < 30000 ? wait / 10 : wait);
};"""
# A machine that is slow to write the answer down is given the time: after 400 ms the address is opened in any case.
PATIENT = """
const timer = window.setTimeout;
window.setTimeout = (work, wait, ...more) => timer(work, wait === 400 ? 60000 : wait, ...more);"""


def opened(chromium: Chromium, shop: Site, path: str = "/") -> BrowserPage:
    """Open a page of the shop and wait for its popup."""
    page = chromium.page
    page.goto(shop.url(path))
    page.wait_for_selector(CARD)
    return page


def outcome(page: BrowserPage, api: FakeApi) -> dict[str, Any]:
    """The body of the one outcome that was reported."""
    eventually(page, lambda: api.named("popups/outcome"), what="the outcome")
    assert len(api.named("popups/outcome")) == 1
    return api.named("popups/outcome")[0].body


@pytest.mark.parametrize(("button", "answer"), [(LATER, "later"), (CLOSE, "closed")])
def test_declining_buttons_report_their_outcome_and_never_ask_the_browser(
    chromium: Chromium, api: FakeApi, shop: Site, button: str, answer: str
):
    chromium.context.add_init_script("Notification.requestPermission = () => { window.asked = true; }")
    offer = api.offer()
    page = opened(chromium, shop)
    shown = api.named("popups/shown")[0].body
    assert (shown["offer"], shown["tab"]) == (offer, api.named("session")[0].body["tab"])
    page.click(button)
    body = outcome(page, api)
    assert (body["offer"], body["outcome"], "push" in body) == (offer, answer, False)
    assert page.locator("smartpush-popup").count() == 0
    assert page.evaluate("window.asked") is None
    assert [detail["state"] for detail in told(page, "popup")] == ["shown", answer]


def test_subscribe_asks_inside_the_click_and_reports_the_subscription(
    chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]
):
    allow()
    chromium.context.add_init_script(
        "const real = Notification.requestPermission.bind(Notification);"
        "Notification.requestPermission = (...all) => {"
        " window.asked = [navigator.userActivation.isActive, new Error().stack.includes('HTMLButtonElement')];"
        " return real(...all); }"
    )
    offer = api.offer()
    page = opened(chromium, shop)
    # Headless Chromium answers its question by itself, with what the permission then is.
    chromium.set_permission(shop.origin, "granted")
    page.click(PRIMARY)
    body = outcome(page, api)
    assert page.evaluate("window.asked") == [True, True]
    assert (body["offer"], body["outcome"]) == (offer, "allowed")
    assert body["push"]["status"] == "allowed" and body["push"]["subscription"]["endpoint"]
    assert run(page, "'getStatus'")["status"] == "allowed"
    # Handlers hear of it once it is so, and never of an ask with the permission granted.
    granted = [detail["status"] for detail in told(page, "status") if detail["permission"] == "granted"]
    assert granted and set(granted) == {"allowed"}


@pytest.mark.parametrize(
    ("answer", "name", "status", "reason"),
    [("denied", "blocked", "blocked", ""), ("default", "dismissed", "ask", "permission_default_after_prompt")],
)
def test_block_and_dismissal_are_told_apart_also_where_only_the_callback_form_is_known(
    chromium: Chromium, api: FakeApi, shop: Site, answer: str, name: str, status: str, reason: str
):
    chromium.context.add_init_script(
        "Notification.requestPermission = (callback) => {"
        f" if ('{answer}' === 'denied') {{"
        "  Object.defineProperty(Notification, 'permission', {get: () => 'denied'});"
        "  Permissions.prototype.query = async () => ({state: 'denied'});"
        "  PushManager.prototype.permissionState = async () => 'denied'; }"
        f" setTimeout(callback, 50, '{answer}'); }}"
    )
    api.offer()
    page = opened(chromium, shop)
    page.click(PRIMARY)
    body = outcome(page, api)
    assert body["outcome"] == name
    assert (body["push"]["status"], body["push"]["reason"]) == (status, reason)


def test_a_question_left_open_is_a_dismissal_when_the_page_goes(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script("Notification.requestPermission = () => new Promise(() => {})")
    api.offer()
    page = opened(chromium, shop)
    page.click(PRIMARY)
    assert page.locator("smartpush-popup").count() == 0
    page.goto(shop.url("/plain"))
    assert outcome(page, api)["outcome"] == "dismissed"


def test_a_popup_that_asks_is_not_drawn_where_the_browser_has_its_answer(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.set_permission(shop.origin, "denied")
    api.offer()
    chromium.page.goto(shop.url())
    body = outcome(chromium.page, api)
    assert (body["outcome"], body["push"]["status"]) == ("blocked", "blocked")
    assert chromium.page.locator("smartpush-popup").count() == 0 and not api.named("popups/shown")


def test_an_offer_that_another_tab_holds_is_not_drawn(chromium: Chromium, api: FakeApi, shop: Site):
    api.offer()
    api.fail("popups/shown", 409, "offer_not_yours")
    page = chromium.page
    page.goto(shop.url())
    eventually(page, lambda: [call for call in api.calls if call.status == 409], what="the refusal")
    eventually(page, lambda: api.named("popups/poll"), what="the next poll")
    assert page.locator("smartpush-popup").count() == 0 and told(page, "error") == []


def test_two_tabs_show_one_popup_and_only_one_of_them_polls(chromium: Chromium, api: FakeApi, shop: Site):
    api.offers_on = ("popups/poll",)
    first, second = chromium.page, chromium.context.new_page()
    first.goto(shop.url())
    second.goto(shop.url("/other"))
    eventually(first, lambda: len(api.named("session")) == 2, what="both sessions")
    api.offer()
    eventually(
        first, lambda: sum(page.locator("smartpush-popup").count() for page in (first, second)), what="the popup"
    )
    settled = len(api.named("popups/poll"))
    first.wait_for_timeout(3000)
    assert sum(page.locator("smartpush-popup").count() for page in (first, second)) == 1
    assert len(api.leases) == 1
    polls = {call.body["tab"] for call in api.named("popups/poll")[settled:]}
    assert len(polls) <= 1


def test_polling_is_dense_after_something_happened_and_then_rests(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script(POLLS)
    page = chromium.page
    page.goto(shop.url())
    waited = [500, 500, 1000, 2000]
    eventually(page, lambda: page.evaluate("polls") == {"waited": waited, "next": 30_000}, what="the rest after four")
    assert len(api.named("popups/poll")) == 4
    run(page, "'event', 'deposit'")
    eventually(page, lambda: page.evaluate("polls.waited")[:6] == [*waited, 500, 500], what="new polls")


def test_a_server_that_asks_for_patience_gets_it(chromium: Chromium, api: FakeApi, shop: Site):
    api.poll_after = 120
    chromium.context.add_init_script(POLLS)
    page = chromium.page
    page.goto(shop.url())
    eventually(page, lambda: page.evaluate("polls") == {"waited": [], "next": 120_000}, what="the long wait")
    assert not api.named("popups/poll")


def test_an_event_brings_its_popup_with_the_answer(chromium: Chromium, api: FakeApi, shop: Site):
    api.offers_on = ("events",)
    page = chromium.page
    page.goto(shop.url())
    run(page, "'getStatus'")
    api.offer()
    assert run(page, "'event', 'deposit', {amount: 20}") == {"queued": False}
    page.wait_for_selector(CARD)


def test_suspended_popups_wait_and_come_back(chromium: Chromium, api: FakeApi, shop: Site):
    api.offer()
    shop.set("/game", page_with(api, init(api) + "smartpush('suspendPopups', true);"))
    page = chromium.page
    page.goto(shop.url("/game"))
    eventually(page, lambda: api.leases, what="the lease")
    page.wait_for_timeout(1000)
    assert page.locator("smartpush-popup").count() == 0 and not api.named("popups/poll")
    run(page, "'suspendPopups', false")
    page.wait_for_selector(CARD)
    run(page, "'suspendPopups', true")
    assert not page.is_visible(CARD)
    run(page, "'suspendPopups', false")
    assert page.is_visible(CARD)


def test_a_promotion_opens_its_address_and_counts_the_click(chromium: Chromium, api: FakeApi, shop: Site):
    chromium.context.add_init_script(PATIENT)
    api.offer(primary={"kind": "url", "url": shop.url("/plain")}, subscribe_label="Play now")
    page = opened(chromium, shop)
    page.click(PRIMARY)
    expect(page).to_have_url(shop.url("/plain"))
    assert outcome(page, api)["outcome"] == "clicked"


def test_a_button_that_only_closes_is_no_click(chromium: Chromium, api: FakeApi, shop: Site):
    api.offer(primary={"kind": "close", "url": "", "outcome": "closed"}, subscribe_label="Not now", later_label="")
    page = opened(chromium, shop)
    page.click(PRIMARY)
    assert outcome(page, api)["outcome"] == "closed"
    assert [detail["state"] for name, detail in page.evaluate("told") if name == "popup"] == ["shown", "closed"]
    assert page.url == shop.url()


def test_a_single_page_application_routes_the_click_itself(chromium: Chromium, api: FakeApi, shop: Site):
    api.offer(primary={"kind": "url", "url": shop.url("/plain")})
    page = opened(chromium, shop)
    page.evaluate("smartpush('on', 'click', ({url}) => { window.routed = url; return true; })")
    page.click(PRIMARY)
    eventually(page, lambda: page.evaluate("window.routed"), what="the handler")
    assert page.url == shop.url()


@pytest.mark.parametrize("url", ["javascript:window.hacked=1", "http://elsewhere.example/", "//user:pass@x.example"])
def test_an_address_that_may_not_be_opened_is_not(chromium: Chromium, api: FakeApi, shop: Site, url: str):
    api.offer(primary={"kind": "url", "url": url})
    page = opened(chromium, shop)
    page.click(PRIMARY)
    assert outcome(page, api)["outcome"] == "clicked"
    page.wait_for_timeout(600)
    assert page.url == shop.url() and page.evaluate("window.hacked") is None


def test_the_page_cannot_press_the_buttons_in_the_end_users_name(chromium: Chromium, api: FakeApi, shop: Site):
    api.offer()
    page = opened(chromium, shop)
    page.evaluate("document.querySelector('smartpush-popup').shadowRoot.querySelector('.primary').click()")
    page.wait_for_timeout(500)
    assert page.is_visible(CARD) and not api.named("popups/outcome")


def test_texts_are_texts_and_wrong_colours_are_replaced(chromium: Chromium, api: FakeApi, shop: Site):
    evil = "<img src=x onerror=window.hacked=1>"
    api.offer(
        title=evil, text=evil, subscribe_label=evil, image="javascript:1",
        colours={"background": "url(//x.example)", "text": "red;x:1", "button": "#0a7", "button_text": "white"},
    )  # fmt: skip
    page = opened(chromium, shop)
    assert page.inner_text("smartpush-popup h2") == evil
    assert page.locator("smartpush-popup img").count() == 0 and page.evaluate("window.hacked") is None
    style = page.eval_on_selector(
        CARD, "card => [getComputedStyle(card).backgroundColor, getComputedStyle(card).color]"
    )
    assert style == ["rgb(255, 255, 255)", "rgb(27, 32, 48)"]
    button = page.eval_on_selector(PRIMARY, "button => getComputedStyle(button).backgroundColor")
    assert button == "rgb(0, 170, 119)"


def test_a_keyboard_alone_reaches_answers_and_leaves_it(chromium: Chromium, api: FakeApi, shop: Site):
    api.offer()
    page = opened(chromium, shop)
    focused = "(document.querySelector('smartpush-popup')?.shadowRoot.activeElement || document.activeElement)"
    assert page.evaluate(f"{focused}.tagName") == "BODY"
    walk = []
    for _ in range(4):
        page.keyboard.press("Tab")
        walk.append(page.evaluate(f"{focused}.className || {focused}.id"))
    assert walk == ["later", "primary", "close", "first"]
    page.keyboard.press("Escape")
    assert page.is_visible(CARD)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Escape")
    assert outcome(page, api)["outcome"] == "closed"
    assert page.evaluate("document.activeElement.id") == "first"


def test_assistive_technology_hears_of_it_and_finds_its_parts(chromium: Chromium, api: FakeApi, shop: Site):
    api.offer(text="At most two messages a week.")
    page = opened(chromium, shop)
    told_text = "Never miss a bonus. At most two messages a week."
    eventually(page, lambda: page.inner_text("smartpush-popup .told") == told_text, what="the announcement")
    assert page.locator(CARD).aria_snapshot() == (
        '- dialog "Never miss a bonus":\n'
        '  - heading "Never miss a bonus" [level=2]\n'
        "  - paragraph: At most two messages a week.\n"
        '  - button "Maybe later"\n'
        '  - button "Subscribe"\n'
        '  - button "Close"'
    )
    assert page.locator(CARD).get_attribute("aria-modal") == "false"


def test_right_to_left_turns_it_round_at_phone_width(chromium_factory: ChromiumFactory, api: FakeApi, shop: Site):
    chromium = chromium_factory(size="phone")
    api.offer(direction="rtl", language="ar", title="لا تفوّت أي مكافأة", text="نخبرك عندما تصل لفاتك.")
    page = opened(chromium, shop)
    page.wait_for_function(
        "document.querySelector('smartpush-popup').shadowRoot.querySelector('.card').getAnimations()"
        ".every((one) => one.playState === 'finished')"
    )
    card, close, title = (page.locator(one).bounding_box() for one in (CARD, CLOSE, "smartpush-popup h2"))
    assert card and close and title
    assert card["x"] >= 0 and card["x"] + card["width"] <= 360
    assert close["x"] < title["x"] + 40
    assert close["width"] >= 44 and close["height"] >= 44
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_reduced_motion_is_respected(chromium_factory: ChromiumFactory, api: FakeApi, shop: Site):
    api.offer()
    name = "card => getComputedStyle(card).animationName"
    assert opened(chromium_factory(), shop).eval_on_selector(CARD, name) == "arrive"
    api.offer()
    api.outcomes = {offer["id"]: "later" for offer in api.offers[:1]}
    still = chromium_factory(reduced_motion="reduce")
    assert opened(still, shop).eval_on_selector(CARD, name) == "none"


def test_it_is_drawn_whole_under_a_strict_content_security_policy(chromium: Chromium, api: FakeApi, shop: Site):
    policy = (
        f"default-src 'none'; script-src 'nonce-n1' {api.host}; connect-src {api.host}; worker-src 'self'; "
        f"img-src {shop.origin}; report-to none"
    )
    script = page_with(api, init(api)).replace("<script>", "<script nonce=n1>")
    shop.set("/strict", Page(script, {"Content-Security-Policy": policy}))
    api.offer(image=shop.url("/wide.svg"))
    page = opened(chromium, shop, "/strict")
    assert page.eval_on_selector(CARD, "card => getComputedStyle(card).borderTopLeftRadius") == "16px"
    assert page.eval_on_selector(PRIMARY, "one => getComputedStyle(one).backgroundColor") == "rgb(36, 87, 214)"
    assert page.eval_on_selector(CARD, "card => card.classList.contains('banner')")
    assert not [line for line in chromium.console if "Content Security Policy" in line]


def test_hostile_page_styles_do_not_reach_it_and_it_blocks_nothing_below(chromium: Chromium, api: FakeApi, shop: Site):
    style = "<style>* { display: none; color: red; font-size: 40px } html, body, p, a, button, h1 { display: block }"
    shop.set("/hostile", page_with(api, init(api), head=style + "</style>"))
    api.offer()
    page = opened(chromium, shop, "/hostile")
    assert page.eval_on_selector(CARD, "card => getComputedStyle(card).fontSize") == "15px"
    page.mouse.click(40, 30)
    assert page.evaluate("document.elementFromPoint(5, 5).tagName") != "SMARTPUSH-POPUP"


def test_a_popup_of_one_user_goes_when_another_logs_in(chromium: Chromium, api: FakeApi, shop: Site):
    shop.set("/ann", page_with(api, init(api) + "smartpush('identify', 'ann');"))
    offer = api.offer()
    page = opened(chromium, shop, "/ann")
    assert api.named("session")[0].body["external_id"] == "ann"
    assert run(page, "'identify', 'bob'")["endUser"]["externalId"] == "bob"
    assert page.locator("smartpush-popup").count() == 0
    assert api.outcomes == {offer: "no_answer"}
