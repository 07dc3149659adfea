"""The help page about push notifications, from its first sentence to its last: what it promises is found and works.

A marketer does in the back office what the page says, by the names and buttons that it gives, and a visitor of the shop
meets what comes of it, in one Chromium. Names are spelt here as the page spells them.
"""

import re

import pytest
from playwright.sync_api import expect

from devices.lifecycle.users import UserInput, users_upsert
from devices.models import EndUser
from tests.browser.conftest import BROWSER_GONE
from tests.browser.product.shop import Shop, now

from .walking import Marketer, Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.flaky(reruns=1, only_rerun=BROWSER_GONE),
]

STATUSES = ["Ask", "Allowed", "Blocked", "Browser Not Supported", "Suspended"]
SIMPLE = "Push permissions request (simple)"
WITH_CATEGORIES = "Push permissions request (with categories)"
PUSH_ENABLED = "Core: push enabled, user has at least one device"
TARGETS = ["All", "Web", "Native apps"]
LAST_STATUS = "Push status of the last session"


def has_status(marketer: Marketer, who: EndUser, status: str) -> None:
    """Expect the status of the last session on the person's page."""
    page = marketer.profile(who)
    expect(page.get_by_text(f"Last session: {status}")).to_be_visible()


def segment_begun(marketer: Marketer, name: str) -> None:
    """Begin a segment of this name."""
    page = marketer.create("Audience", "Segments")
    page.get_by_label("Name", exact=False).first.fill(name)
    expect(page.get_by_text("No rule yet: everybody is in the segment.")).to_be_visible()


def rule_added(marketer: Marketer, pasted: str) -> None:
    """Add a rule about what is pasted into the field picker."""
    page = marketer.page
    page.get_by_role("button", name="Add rule").last.click()
    field = page.get_by_label("What the rule is about", exact=True).last
    field.fill(pasted)
    expect(page.get_by_role("listbox").get_by_role("option").first).to_be_visible()
    field.press("Enter")


def test_the_push_status_has_five_options_and_ask_is_the_default(marketer: Marketer, shop: Shop):
    # People who were never asked are at Ask, though nobody has seen them: that is the default.
    users_upsert(brand_id=shop.brand.pk, rows=[UserInput(index=0, external_id="player-1")], now=now())
    has_status(marketer, shop.user("player-1"), "Ask")
    # The overview counts each status by its name, and so does the list behind it.
    page = marketer.page
    page.get_by_role("link", name="Overview").click()
    card = marketer.card(LAST_STATUS)
    for status in STATUSES:
        expect(card.get_by_role("link", name=re.compile(f"^{status}")).first).to_be_visible()
    # A rule about it offers the same.
    segment_begun(marketer, "By status")
    rule_added(marketer, LAST_STATUS)
    value = page.get_by_label(LAST_STATUS, exact=True)
    options = value.locator("option").all_inner_texts()
    assert [name for name in options if name in STATUSES] == STATUSES


def test_the_user_controls_it_in_the_browser_blocked_and_not_supported_are_not_asked(
    marketer: Marketer, visitor: Visitor, shop: Shop
):
    marketer.ready_flow("Ask for permission (simple)")
    marketer.activate()
    # Blocked: the user blocked permissions in the browser.
    visitor.chromium.set_permission(shop.origin, "denied")
    visitor.visit()
    marketer.page.bring_to_front()
    has_status(marketer, visitor.person, "Blocked")
    # Browser Not Supported: the browser has no push notifications.
    visitor.page.add_init_script("delete window.PushManager")
    visitor.visit()
    marketer.page.bring_to_front()
    has_status(marketer, visitor.person, "Browser Not Supported")
    # The campaign is for those at Ask, so neither was shown a popup.
    assert shop.offers() == []


def test_soft_onboarding_leads_from_a_popup_over_the_browsers_question_to_a_push_in_the_same_flow(
    marketer: Marketer, visitor: Visitor, shop: Shop
):
    # A Journey campaign that is for users whose push status of the last session is Ask.
    page = marketer.ready_flow("Ask for permission (simple)")
    expect(page.get_by_text(f"{LAST_STATUS} is Ask")).to_be_visible()
    marketer.activate()
    # Its popup has the template of that name.
    marketer.menu("Marketing › Assets", "Popups")
    expect(page.get_by_text(SIMPLE).first).to_be_visible()

    # The popup comes from the top and is not modal: the page beneath can be used.
    visitor.visit()
    box = visitor.popup().bounding_box()
    assert box is not None and box["y"] < 100
    visitor.page.click("#lobby")
    # "Maybe later" can be asked again later: the status is still Ask, and the browser was not made to ask.
    visitor.press("Maybe later")
    visitor.until(lambda: shop.offers()[0].state == "later", what="the answer")
    assert visitor.questions() == []
    page.bring_to_front()
    has_status(marketer, visitor.person, "Ask")
    shop.interval_passes(shop.campaign())

    # "Subscribe" triggers the browser's own question, inside the click.
    visitor.visit()
    assert visitor.questions() == []
    visitor.press("Subscribe")
    visitor.answer("granted")
    assert visitor.questions() == [True]
    visitor.until(lambda: visitor.person.last_session_status == "allowed", what="Allowed")
    page.bring_to_front()
    has_status(marketer, visitor.person, "Allowed")
    expect(page.get_by_text("Push enabled", exact=True)).to_be_visible()
    # The push is a part of the flow, and shows on the screen.
    pushed = visitor.pushed()
    shown = visitor.desktop.wait_notification(60, lambda one: one.summary == pushed["title"])
    assert pushed["body"] in shown.body

    # Suspended: another account logs in, and permission and token are that one's now.
    visitor.page.bring_to_front()
    visitor.identify("player-1")
    visitor.until(lambda: visitor.person.external_id == "player-1", what="the first account")
    visitor.identify("player-2")
    visitor.until(lambda: visitor.person.external_id == "player-2", what="the second account")
    page.bring_to_front()
    has_status(marketer, shop.user("player-1"), "Suspended")
    has_status(marketer, shop.user("player-2"), "Allowed")

    # Those who can be addressed: the segment of the help page, pasted as it stands there.
    segment_begun(marketer, "Can be addressed")
    rule_added(marketer, f'"{PUSH_ENABLED}" = true')
    expect(page.get_by_label("What the rule is about", exact=True)).to_have_value(PUSH_ENABLED)
    expect(page.locator(".sb-operator")).to_have_text("=")
    expect(page.get_by_label(PUSH_ENABLED, exact=True)).to_have_value("true")
    expect(page.locator(".sb-count strong")).to_have_text("1")
    expect(page.get_by_role("link", name="player-2")).to_be_visible()
    marketer.save()
    expect(page.get_by_text(f"{PUSH_ENABLED} = true").first).to_be_visible()


def test_each_choice_of_a_category_is_kept_in_the_js_markers_and_can_be_segmented(
    marketer: Marketer, visitor: Visitor, shop: Shop
):
    page = marketer.ready_flow("Ask for permission (with categories)")
    page.get_by_role("button", name="Make them and go on").click()
    marketer.activate()
    marketer.menu("Marketing › Assets", "Popups")
    expect(page.get_by_text(WITH_CATEGORIES).first).to_be_visible()
    # Unticked at first; the visitor subscribes to one of them.
    visitor.visit()
    boxes = visitor.popup().get_by_role("checkbox")
    assert [box.is_checked() for box in boxes.all()] == [False, False]
    visitor.popup().get_by_label("News").check()
    visitor.press("Subscribe")
    visitor.answer("granted")
    visitor.until(lambda: visitor.person.js_markers == ["NEWS"], what="the marker")
    # The person's page shows the marker, and a segment finds those who allowed and subscribed to it.
    page.bring_to_front()
    marketer.profile(visitor.person)
    expect(marketer.card("Markers").get_by_text("JS markers")).to_be_visible()
    expect(marketer.card("Markers").get_by_text("NEWS", exact=True)).to_be_visible()
    users_upsert(brand_id=shop.brand.pk, rows=[UserInput(index=0, external_id="player-1")], now=now())
    segment_begun(marketer, "Wants news")
    rule_added(marketer, PUSH_ENABLED)
    rule_added(marketer, "JS markers")
    page.get_by_label("JS markers", exact=True).fill("NEWS")
    page.get_by_label("JS markers", exact=True).press("Tab")
    expect(page.locator(".sb-count strong")).to_have_text("1")


def test_push_resources_are_created_under_marketing_assets_push(marketer: Marketer, shop: Shop):
    page = marketer.create("Marketing › Assets", "Push")
    page.get_by_label("Resource name", exact=False).first.fill("Deposit bonus")
    page.get_by_label("Title", exact=False).first.fill("Ten more for you")
    page.get_by_label("Message", exact=False).first.fill("Until midnight.")
    # Icon, attached image and buttons are optional, and the page says which browsers show them.
    for label, value in (("Icon", "icon.png"), ("Attached image", "wide.png"), ("Button 1", "Play")):
        field = page.get_by_label(label, exact=True)
        field.fill(shop.url(f"/{value}") if value.endswith("png") else value)
    expect(page.get_by_role("heading", name="Buttons")).to_be_visible()
    page.get_by_label("Opens", exact=True).first.fill(shop.url("/books/play"))
    expect(page.get_by_text(re.compile("Shown by Chrome.* Not by .*Safari")).first).to_be_visible()
    marketer.save()
    marketer.menu("Marketing › Assets", "Push")
    expect(page.get_by_role("link", name="Deposit bonus")).to_be_visible()


def test_popups_carry_promotions_and_their_image_text_and_buttons_are_the_marketers(marketer: Marketer):
    page = marketer.create("Marketing › Assets", "Popups")
    expect(page.locator("[name=template] option")).to_have_text([SIMPLE, WITH_CATEGORIES])
    page.get_by_label("Resource name", exact=False).first.fill("Invitation")
    page.get_by_label("Title", exact=False).first.fill("You are invited")
    page.get_by_label("Text", exact=True).fill("Readings at the harbour.")
    expect(page.get_by_label("Image", exact=True)).to_be_visible()
    # Not only permission: a popup that opens a page, or records a click, promotes, invites, announces or alerts.
    first = page.locator("[name=primary]")
    kinds = ["Ask for push permission", "Open a page", "Record a click", "Only close"]
    expect(first.locator("option")).to_have_text(kinds)
    first.select_option("click")
    page.locator("[name=subscribe_label]").fill("I come")
    page.locator("[name=later_label]").fill("Not today")
    marketer.save()
    marketer.menu("Marketing › Assets", "Popups")
    expect(page.get_by_role("link", name="Invitation")).to_be_visible()


def test_target_devices_are_set_in_the_flow_builder_and_on_the_user_profile(
    marketer: Marketer, visitor: Visitor, shop: Shop
):
    # In the campaign's Flow Builder, on its push: native apps, web or all.
    page = marketer.ready_flow("Ask for permission (simple)")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.get_by_role("heading", name="Flow Builder")).to_be_visible()
    chosen = page.get_by_label("Target devices", exact=True)
    expect(chosen.locator("option")).to_have_text(TARGETS)
    chosen.select_option(label="Web")
    marketer.save()
    assert shop.campaign().flow["activities"][1]["settings"]["target_devices"] == "web"
    # On the User Profile page, a card of its own.
    visitor.visit()
    page.bring_to_front()
    marketer.profile(visitor.person)
    card = marketer.card("Target devices")
    field = card.get_by_role("combobox", name="Target devices")
    expect(field.locator("option")).to_have_text(TARGETS)
    field.select_option(label="Native apps")
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert visitor.person.target_devices == "native"
