"""Somebody who has had enough in the middle of a journey, in real Firefox."""

import pytest

from campaigns.models import Campaign, Enrolment
from campaigns.services.never_contact import people_never_contact
from campaigns.services.publish import campaign_publish
from devices.lifecycle.preferences import opt_out_set
from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.waiting import wait_until
from tests.campaigns.world import delay, flow_of, push

from .shop import SOON, Shop, now
from .test_chromium import POPUP, eventually, opened


def test_an_opt_out_in_the_middle_of_a_journey_lets_no_later_push_through(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Shop
):
    first, second = shop.push("First letter"), shop.push("Second letter")
    flow = flow_of(
        push("a1", "a2", resource=first.resource_id),
        delay("a2", 3600, "a3"),
        push("a3", resource=second.resource_id),
    )
    campaign = Campaign.objects.create(brand=shop.brand, name="Two letters", trigger_event="letters", flow=flow)
    campaign_publish(campaign=campaign, by=None, now=now())
    tab = firefox_factory(prompt="granted").open(shop.url())
    wait_until(lambda: shop.devices().filter(token_hash__isnull=False).exists(), timeout=SOON, what="the subscription")
    tab.evaluate("smartpush('event', 'letters')")
    desktop.wait_notification(SOON, lambda one: one.summary == "First letter")

    assert tab.evaluate("smartpush('optOut', true)") == {"optedOut": True}
    # The hour passes.
    assert Enrolment.objects.filter(campaign=campaign, at_key="a2").update(wake_at=now()) == 1
    wait_until(lambda: len(shop.deliveries()) == 2, timeout=SOON, what="the second step")
    wait_until(lambda: shop.deliveries()[1].finished_at, timeout=SOON, what="its end")
    later = shop.deliveries()[1]
    assert (later.state, later.reason, shop.status(shop.visitor)) == ("suppressed", "opted_out", "allowed")
    assert tab.evaluate("smartpush('getStatus').then(({optedOut}) => optedOut)") is True

    assert tab.evaluate("smartpush('optOut', false)") == {"optedOut": False}
    shop.send_test(shop.push("Third letter"), shop.visitor)
    desktop.wait_notification(SOON, lambda one: one.summary == "Third letter")
    assert [one.summary for one in desktop.history] == ["First letter", "Third letter"]


EVENTS = "window.popups = []; smartpush('on', 'popup', (one) => popups.push(one.state)); smartpush('getStatus')"


@pytest.mark.parametrize("word", ["this tab", "another tab", "staff", "never contact"])
def test_a_popup_that_is_open_in_a_tab_goes_away_with_the_opt_out(chromium: Chromium, shop: Shop, word: str):
    shop.ready_flow()
    page = opened(chromium, shop.url())
    page.wait_for_selector(POPUP, timeout=SOON * 1000)
    page.evaluate(EVENTS)
    visitor = shop.visitor
    if word == "this tab":
        page.evaluate("smartpush('optOut', true)")
    elif word == "another tab":
        second = chromium.context.new_page()
        second.goto(shop.url("/books/gulls"))
        second.wait_for_function("window.smartpush && !smartpush.q", timeout=SOON * 1000)
        second.evaluate("smartpush('optOut', true)")
        second.close()
    elif word == "staff":
        opt_out_set(end_user_id=visitor.pk, opted_out=True, by="staff", now=now())
    else:
        people_never_contact(
            brand_id=shop.brand.pk, end_user_ids=[visitor.pk], on=True, by="platform", now=now()
        )  # fmt: skip
    eventually(page, lambda: page.locator("smartpush-popup").count() == 0, what="the end of the popup")
    assert page.evaluate("popups") == ["withdrawn"]
    assert [offer.state for offer in shop.offers()] == ["cancelled"]
    # A new session brings no other.
    page.goto(shop.url("/books/gulls"))
    page.wait_for_function("window.smartpush && !smartpush.q", timeout=SOON * 1000)
    page.evaluate("smartpush('event', 'deposit')")
    assert page.locator("smartpush-popup").count() == 0
    assert len(shop.offers()) == 1
