"""The campaign editor in stock Chromium: what a marketer types is what is kept."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from campaigns.models import Campaign
from tests.browser.harness.chromium import Chromium

from .running import Product
from .shop import Shop
from .staff import log_in


@pytest.fixture
def editor(chromium: Chromium, product: Product, shop: Shop) -> Page:
    """The editor of a campaign, logged in."""
    superuser = get_user_model().objects.create_superuser(f"root-{shop.brand.pk}")
    log_in(context=chromium.context, url=product.url, user=superuser, brand=shop.brand)
    campaign = Campaign.objects.create(
        brand=shop.brand, name="Harbour news", trigger_event="session", entry_interval=7 * 86_400
    )
    chromium.page.goto(f"{product.url}/admin/campaigns/campaign/{campaign.pk}/change/")
    return chromium.page


def test_the_least_interval_is_kept_as_it_was_typed(editor: Page, shop: Shop):
    number, unit = editor.get_by_label("Number", exact=True), editor.get_by_label("Unit", exact=True)
    expect(number).to_have_value("7")
    expect(unit).to_have_value("86400")
    unit.select_option("hours")
    number.fill("1")
    expect(number).to_have_value("1")
    expect(unit).to_have_value("3600")
    editor.click("button[name=_continue], input[name=_continue]")
    expect(editor.get_by_text("was changed successfully")).to_be_visible()
    assert Campaign.objects.get(brand=shop.brand).entry_interval == 3600
    expect(number).to_have_value("1")
    expect(unit).to_have_value("3600")


def test_no_two_inputs_of_the_editor_are_tied_to_each_other(editor: Page):
    models = editor.eval_on_selector_all(
        "#campaign_form :is(input, select, textarea)",
        "all => all.map((one) => one.getAttribute('x-model.fill')).filter(Boolean)",
    )
    assert "kind" in models
    assert len(models) == len(set(models))
