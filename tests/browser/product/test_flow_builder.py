"""The flow builder in stock Chromium: it draws what the catalogue describes and keeps what was chosen."""

import json
import re

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, Route, expect

from assets.services import PopupDraft, PopupVariantDraft, popup_resource_save
from campaigns.activities import registry
from campaigns.admin.catalogue import catalogue
from campaigns.models import Campaign
from tests.browser.harness.chromium import Chromium
from tests.campaigns.world import delay, flow_of, popup, push, stop
from tests.support import toss

from .running import Product
from .shop import Shop
from .staff import log_in


@pytest.fixture
def opened(chromium: Chromium, product: Product, shop: Shop) -> Page:
    """A member of staff, logged in."""
    superuser = get_user_model().objects.create_superuser(f"root-{shop.brand.pk}")
    log_in(context=chromium.context, url=product.url, user=superuser, brand=shop.brand)
    return chromium.page


def edit(page: Page, product: Product, shop: Shop, flow: dict | None = None) -> Campaign:
    """Open the editor of a new campaign."""
    campaign = Campaign.objects.create(
        brand=shop.brand, name="Harbour news", trigger_event="session", entry_mode="every_time", flow=flow or {}
    )
    page.goto(f"{product.url}/admin/campaigns/campaign/{campaign.pk}/change/")
    return campaign


def question(shop: Shop) -> int:
    """A popup that closes, and its id."""
    variant = PopupVariantDraft(language="en", title="News?", text="Now and then.", subscribe_label="Yes")
    draft = PopupDraft(variants=(variant,), default_language="en", primary="close")
    return popup_resource_save(brand=shop.brand, name="Question", draft=draft, by=None).resource_id


def save(page: Page) -> None:
    page.click("button[name=_continue], input[name=_continue]")
    expect(page.get_by_text("was changed successfully")).to_be_visible()


def activity(page: Page, number: int):
    return page.locator(".flow-card").nth(number - 1)


def test_a_flow_of_every_activity_is_kept_as_it_was_built(opened: Page, product: Product, shop: Shop):
    letter, asked = shop.push("Letter").resource_id, question(shop)
    shop.push("Other letter")
    campaign = edit(opened, product, shop)
    expect(opened.get_by_text("No activity yet. Add the first one below.")).to_be_visible()
    for kind in ("popup", "push", "delay", "stop"):
        opened.get_by_role("button", name=f"Add {kind}").click()
    first, second, third, fourth = (activity(opened, number) for number in range(1, 5))
    # The one popup of the brand is chosen already; of two pushes none is.
    expect(first.get_by_label("Popup", exact=True)).to_have_value(str(asked))
    second.get_by_label("Push", exact=True).select_option(label="Letter")
    second.get_by_label("Target devices").select_option(label="Web")
    first.get_by_label("Waits for an answer").select_option(label="A time of its own")
    first.get_by_role("spinbutton").fill("2")
    first.get_by_label("For: unit").select_option(label="hours")
    third.get_by_label("Waits", exact=True).fill("3")
    third.get_by_label("Waits: unit").select_option(label="minutes")
    first.get_by_label("Maybe later").select_option(label="3. Delay")
    expect(first.get_by_label("Allowed")).to_have_value("a2")
    expect(second.get_by_label("Then")).to_have_value("a3")
    expect(fourth.get_by_text("The journey ends here.")).to_be_visible()
    save(opened)
    campaign.refresh_from_db()
    flow = {**campaign.flow, "activities": [{**one, "next": set_ways(one)} for one in campaign.flow["activities"]]}
    assert flow == {
        **flow_of(
            {**popup("a1", resource=asked, timeout=7200), "next": {"allowed": "a2", "later": "a3"}},
            {**push("a2", target="web", resource=letter), "next": {"*": "a3"}},
            {**delay("a3", 180), "next": {"*": "a4"}},
            stop("a4"),
        )
    }
    # What was kept is shown again, and can be published.
    expect(activity(opened, 1).get_by_label("For: unit")).to_have_value("3600")
    expect(activity(opened, 1).get_by_role("spinbutton")).to_have_value("2")
    expect(opened.locator(".flow-problems")).to_have_count(0)


def set_ways(one: dict) -> dict:
    return {outcome: target for outcome, target in one["next"].items() if target}


def test_the_ways_to_an_activity_that_is_removed_lead_on_to_the_next(opened: Page, product: Product, shop: Shop):
    letter = shop.push("Letter").resource_id
    flow = flow_of(push("a1", "a2", resource=letter), delay("a2", 60, "a3"), stop("a3"))
    campaign = edit(opened, product, shop, flow)
    opened.get_by_role("button", name="Remove activity 2").click()
    save(opened)
    campaign.refresh_from_db()
    assert [(one["key"], set_ways(one)) for one in campaign.flow["activities"]] == [("a1", {"*": "a3"}), ("a3", {})]


def test_what_is_made_in_another_tab_can_be_chosen_at_once(opened: Page, product: Product, shop: Shop):
    shop.push("Letter")
    edit(opened, product, shop, flow_of(push("a1", resource=None)))
    chosen = activity(opened, 1).get_by_label("Push", exact=True)
    expect(chosen.locator("option")).to_have_text(["Choose a push", "Letter"])
    shop.push("Made elsewhere")
    opened.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(chosen.locator("option")).to_have_text(["Choose a push", "Letter", "Made elsewhere"])
    expect(chosen).to_have_value("")


def test_an_activity_that_nobody_drew_a_form_for_is_edited_like_the_others(
    opened: Page, product: Product, shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    """The page is the product's own; only the catalogue in it has one activity more, as a new folder would add it."""
    monkeypatch.setattr(registry, "PLUGINS", (*registry.PLUGINS, toss.PLUGIN))
    described = next(one for one in catalogue(brand=shop.brand)["activities"] if one["name"] == "toss")

    def with_toss(route: Route) -> None:
        answer = route.fetch()
        config = re.compile(r'(<script id="flow-config"[^>]*>)(.*?)(</script>)', re.DOTALL)

        def more(found: re.Match[str]) -> str:
            told = json.loads(found[2])
            told["catalogue"]["activities"].append(described)
            return found[1] + json.dumps(told) + found[3]

        route.fulfill(response=answer, body=config.sub(more, answer.text()))

    opened.route("**/change/", with_toss)
    edit(opened, product, shop)
    opened.get_by_role("button", name="Add toss a coin").click()
    opened.get_by_role("button", name="Add stop").click()
    card = activity(opened, 1)
    card.get_by_label("Chance of heads in percent").fill("30")
    card.get_by_label("Coin").fill("florin")
    expect(card.get_by_label("Heads", exact=True)).to_have_value("a2")
    card.get_by_label("Tails").select_option(label="2. Stop")
    kept = json.loads(opened.locator("#id_flow").input_value())
    assert kept["activities"][0] == {
        "key": "a1",
        "kind": "toss",
        "settings": {"chance": 30, "coin": "florin"},
        "next": {"heads": "a2", "tails": "a2"},
    }
