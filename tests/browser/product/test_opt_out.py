"""Somebody who has had enough in the middle of a journey, in real Firefox."""

from campaigns.models import Campaign, Enrolment
from campaigns.services.publish import campaign_publish
from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.waiting import wait_until

from .shop import SOON, Shop, now


def test_an_opt_out_in_the_middle_of_a_journey_lets_no_later_push_through(
    firefox_factory: FirefoxFactory, desktop: Desktop, shop: Shop
):
    first, second = shop.push("First letter"), shop.push("Second letter")
    flow = {
        "version": 1,
        "start": "a1",
        "activities": [
            {"key": "a1", "kind": "push", "push": first.resource_id, "target_devices": "all", "next": "a2"},
            {"key": "a2", "kind": "delay", "seconds": 3600, "next": "a3"},
            {"key": "a3", "kind": "push", "push": second.resource_id, "target_devices": "all", "next": None},
        ],
    }
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
