"""Categories in real Firefox: what visitors tick decides what they get, and they change it on the hosted page."""

from datetime import timedelta

from campaigns.journey.ready_flows import push_once
from campaigns.models import Campaign
from campaigns.services.publish import campaign_publish
from devices.models import ConsentRecord, Delivery, EndUser, PushStatus
from devices.people.services.categories import category_create
from segments.services.segments import segment_save
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.firefox import Firefox
from tests.browser.harness.tab import Tab
from tests.browser.harness.waiting import wait_until

from .shop import PRIMARY, SOON, Shop, now

CATEGORIES = (("Sea stories", "SEA"), ("Cookbooks", "COOKING"))


def tick(number: int) -> str:
    """The checkbox of a category in the popup, counted from one."""
    return f"smartpush-popup >>> label:nth-of-type({number}) input"


def subscribes(firefox: Firefox, shop: Shop, *, name: str, category: int) -> Tab:
    """Somebody in a container of their own ticks one category, subscribes and allows; afterwards logs in."""
    tab = firefox.open(shop.url(), user_context=firefox.user_context())
    tab.click(tick(category), timeout=SOON)
    tab.click(PRIMARY, timeout=SOON)
    firefox.answer_permission("allow", timeout=SOON)
    marker = CATEGORIES[category - 1][1]
    wait_until(
        EndUser.objects.filter(brand=shop.brand, js_markers=[marker]).exists, timeout=SOON, what=f"the marker {marker}"
    )
    tab.evaluate(f"smartpush('identify', '{name}')")
    return tab


def launch(shop: Shop, *, title: str, marker: str) -> Campaign:
    """A push to everyone who is reachable and subscribed to the category, sent by the schedule at once."""
    rules = {
        "version": 1,
        "rule": {
            "all": [
                {"field": "push_enabled", "operator": "is", "value": True},
                {"field": "js_markers", "operator": "has_any", "value": [marker]},
            ]
        },
    }
    segment = segment_save(brand=shop.brand, name=f"Reachable, {marker}", rules=rules)
    push = shop.push(title)
    campaign = Campaign.objects.create(
        brand=shop.brand,
        name=title,
        kind=Campaign.Kind.SCHEDULED,
        scheduled_at=now() - timedelta(seconds=1),
        segment=segment,
        flow=push_once(push_id=push.resource_id),
    )
    campaign_publish(campaign=campaign, by=None, now=now())
    return campaign


def executed(campaign: Campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.state == Campaign.State.EXECUTED


def test_what_visitors_tick_decides_who_is_sent_what_and_the_hosted_page_changes_it(
    firefox: Firefox, desktop: Desktop, shop: Shop
):
    for name, marker in CATEGORIES:
        category_create(brand=shop.brand, name=name, marker=marker)
    shop.ready_flow(with_categories=True)
    ann = subscribes(firefox, shop, name="ann", category=1)
    subscribes(firefox, shop, name="bob", category=2)
    assert shop.user("ann").js_markers == ["SEA"] and shop.user("bob").js_markers == ["COOKING"]
    proofs = ConsentRecord.objects.filter(brand=shop.brand, subject="popup", answer="allowed").order_by("pk")
    assert [(one.markers, one.origin, one.language) for one in proofs] == [
        (["SEA"], shop.origin, "en"),
        (["COOKING"], shop.origin, "en"),
    ]
    assert all(one.popup_revision_id for one in proofs)

    sea = launch(shop, title="A new sea story", marker="SEA")
    desktop.wait_notification(SOON, lambda one: one.summary == "A new sea story")
    wait_until(lambda: executed(sea), timeout=SOON, what="the whole launch")
    sent = Delivery.objects.filter(brand=shop.brand, dispatch__campaign_ref=sea.pk)
    assert [one.end_user_id for one in sent] == [shop.user("ann").pk]

    # Ann opens her preferences, exchanges one category for the other, and stops everything in a second visit.
    ann.evaluate("void smartpush('openPreferences')", user_gesture=True)
    page = firefox.wait_tab("/p/", timeout=SOON)
    assert page.call("input[value=SEA]", "(box) => box.checked", timeout=SOON)
    assert not page.call("input[value=COOKING]", "(box) => box.checked")
    page.click("input[value=SEA]")
    page.click("input[value=COOKING]")
    page.click("button")
    wait_until(lambda: shop.user("ann").js_markers == ["COOKING"], timeout=SOON, what="the exchanged category")
    page.call("[role=status]", "(note) => note.textContent", timeout=SOON)
    page.click("[role=switch]")
    page.click("button")
    wait_until(lambda: shop.user("ann").user_opt_out, timeout=SOON, what="the opt-out")

    launch(shop, title="A new cookbook", marker="COOKING")
    desktop.wait_notification(SOON, lambda one: one.summary == "A new cookbook")
    states = {
        shop.user("bob").pk: ("accepted", ""),
        shop.user("ann").pk: ("suppressed", "opted_out"),
    }

    def ended() -> bool:
        rows = Delivery.objects.filter(brand=shop.brand, dispatch__label__contains="cookbook")
        return {one.end_user_id: (one.state, one.reason) for one in rows} == states

    wait_until(ended, timeout=SOON, what="one push accepted, one suppressed")
    assert PushStatus.objects.filter(end_user=shop.user("ann"), status="allowed").exists()
    titles = [one.summary for one in desktop.history if not one.summary.startswith("Welcome")]
    assert titles == ["A new sea story", "A new cookbook"]
