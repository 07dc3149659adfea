"""The rule builder in stock Chromium: a marketer builds, sees who is in, saves, and uses the segment."""

import re

import pytest
from playwright.sync_api import Page, expect

from campaigns.models import Campaign
from devices.models import PropertyDefinition
from segments.models import Segment
from segments.services import segment_save
from tests.browser.harness.chromium import Chromium

from .audience import Audience, Desk, desk
from .running import Product
from .shop import Shop

ADD = "segments/segment/add/"
NEWS = {"field": "js_markers", "operator": "has_any", "value": ["NEWS"]}
ENABLED = {"field": "push_enabled", "operator": "is", "value": True}
ANONYMOUS = {"field": "is_anonymous", "operator": "is", "value": True}


@pytest.fixture
def audience(shop: Shop) -> Audience:
    return Audience(brand=shop.brand)


@pytest.fixture
def editor(chromium: Chromium, product: Product, shop: Shop) -> Desk:
    """An editor of the brand, logged in."""
    return desk(chromium, product, shop.brand)


def selects(page: Page, number: int) -> None:
    """Expect the live count."""
    expect(page.locator(".sb-count strong")).to_have_text(f"{number}")


def change_page(shop: Shop, rule: dict) -> str:
    segment = segment_save(brand=shop.brand, name="Kept", rules={"version": 1, "rule": rule})
    return f"segments/segment/{segment.pk}/change/"


def save(page: Page) -> None:
    """Save, and wait until another document has taken the form's place."""
    page.evaluate("window.saving = true")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_function("!window.saving && document.readyState !== 'loading'")


def test_a_marketer_finds_who_deposited_twice_and_sends_to_them(editor: Desk, audience: Audience, shop: Shop):
    wanted = [audience.person(name, markers=["SPORTS"], allowed=True, deposits=[20, 30]) for name in ("ann", "fay")]
    audience.person("bob", markers=["SPORTS"], deposits=[20, 30])
    audience.person("cat", allowed=True, deposits=[20, 30])
    audience.person("dan", markers=["SPORTS"], allowed=True, deposits=[20])
    vip = audience.person("eve", markers=["SPORTS"], allowed=True, deposits=[20, 30])
    audience.listed("VIP list", [vip])
    page = editor.open(ADD)
    page.get_by_label("Name", exact=False).first.fill("Players to thank")
    selects(page, 6)

    editor.add_rule("push enabled")
    selects(page, 5)
    markers = editor.add_rule("js markers")
    markers.get_by_label("JS markers", exact=True).fill("sports")
    selects(page, 4)
    deposit = editor.add_rule("event")
    deposit.get_by_label("Which event").fill("deposit")
    deposit.get_by_label("Event", exact=True).fill("2")
    deposit.get_by_label("When", exact=True).select_option(label="in the last")
    deposit.get_by_label("When: how many").fill("14")
    selects(page, 3)
    listed = editor.add_rule("segment")
    listed.get_by_label("How Segment is compared").select_option(label="is not in")
    listed.get_by_label("Segment", exact=True).select_option(label="VIP list")
    selects(page, 2)
    expect(page.get_by_role("link", name="ann")).to_have_attribute("href", re.compile("/devices/enduser/"))

    page.get_by_label("Id of the end user").fill("eve")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is not in the segment.")).to_be_visible()
    assert [editor.rule(n).locator(".sb-mark").inner_text().split()[-2:] for n in range(4)] == [
        ["check_circle", "true"], ["check_circle", "true"], ["check_circle", "true"], ["not", "true"],
    ]  # fmt: skip
    save(page)
    segment = Segment.objects.get(brand=shop.brand, name="Players to thank")
    assert segment.rules["rule"]["all"][2]["params"]["within"] == {
        "operator": "in_the_last",
        "value": {"count": 14, "unit": "day", "zone": "brand"},
    }

    campaign = Campaign.objects.create(brand=shop.brand, name="Thanks", trigger_event="session")
    page = editor.open(f"campaigns/campaign/{campaign.pk}/change/")
    page.locator("select[name=segment]").select_option(label="Players to thank", force=True)
    save(page)
    campaign.refresh_from_db()
    assert campaign.segment == segment
    assert len(wanted) == 2


def test_rules_are_built_with_the_keyboard_alone(editor: Desk, audience: Audience):
    audience.person("ann", markers=["NEWS", "SPORTS"])
    audience.person("bob", markers=["NEWS"])
    page = editor.open(ADD)
    page.get_by_role("button", name="Add rule").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What the rule is about", exact=True)).to_be_focused()
    page.keyboard.type("js mark")
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(["JS markers"])
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.get_by_label("How JS markers is compared").select_option(label="has all of")
    page.keyboard.press("Tab")
    value = page.get_by_label("JS markers: add a value")
    expect(value).to_be_focused()
    page.keyboard.type("news")
    page.keyboard.press("Enter")
    page.keyboard.type("sports, gone,")
    page.keyboard.press("Backspace")
    assert editor.rules() == {"all": [{"field": "js_markers", "operator": "has_all", "value": ["NEWS", "SPORTS"]}]}
    selects(page, 1)
    expect(page.get_by_role("status").first).to_have_text("1 of 2 end users match.")


def test_what_is_typed_brings_the_most_frequent_values_first(editor: Desk, audience: Audience):
    for n in range(3):
        audience.person(f"ann-{n}", markers=["SPORTS"])
    audience.person("bob", markers=["SPOT", "NEWS"])
    page = editor.open(ADD)
    editor.add_rule("js markers")
    value = page.get_by_label("JS markers", exact=True)
    value.fill("sp")
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("SPORTS")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_have_count(0)
    assert editor.rules()["all"][0]["value"] == "SPORTS"
    value.press("ArrowDown")
    expect(page.get_by_role("listbox")).to_have_count(1)
    value.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)


def test_the_name_of_one_of_many_segments_is_taken_as_typed_when_the_field_is_left(
    editor: Desk, audience: Audience, shop: Shop
):
    audience.person("ann", markers=["NEWS"])
    wanted = audience.listed("VIP list", [audience.person("eve")])
    for name in ["VIP list of last year", *(f"Other {n}" for n in range(13))]:
        audience.listed(name, [])
    page = editor.open(ADD)
    rule = editor.add_rule("segment")
    segment = rule.get_by_role("combobox", name="Segment", exact=True)
    for typed, kept in [("vip LIST", "VIP list"), ("other", "VIP list"), ("last year", "VIP list of last year")]:
        segment.click()
        segment.press_sequentially(typed)
        segment.press("Tab")
        expect(segment).to_have_value(kept)
        if kept == "VIP list":
            selects(page, 1)
            assert editor.rules()["all"][0]["value"] == wanted.pk
    selects(page, 0)


def test_events_and_their_properties_are_picked_from_what_the_brand_has(editor: Desk, audience: Audience):
    audience.person("ann", deposits=[20, 30])
    audience.person("bob", deposits=[10])
    page = editor.open(ADD)
    rule = editor.add_rule("event")
    rule.get_by_label("Which event").fill("dep")
    page.get_by_role("option", name="deposit").click()
    selects(page, 2)
    rule.get_by_role("button", name="With properties").click()
    rule.get_by_label("Property 1", exact=True).last.press("ArrowDown")
    page.get_by_role("option", name="amount").click()
    expect(rule.get_by_label("Type of amount")).to_have_value("number")
    rule.get_by_label("How amount is compared").select_option(label="is at least")
    rule.get_by_label("Value of amount").fill("20")
    selects(page, 1)
    assert editor.rules()["all"][0]["params"] == {
        "name": "deposit",
        "where": [{"name": "amount", "type": "number", "operator": "at_least", "value": 20}],
    }
    rule.get_by_role("button", name="Remove the condition on amount").click()
    selects(page, 2)


def test_rules_that_nobody_touches_are_saved_as_they_were(editor: Desk, audience: Audience, shop: Shop):
    person = audience.person("ann", deposits=[20])
    rule = {
        "not": {
            "all": [
                {"not": ENABLED},
                {"any": [NEWS, {"not": {"any": [ANONYMOUS, NEWS]}}]},
                {
                    "field": "event",
                    "params": {
                        "name": "deposit",
                        "within": {"operator": "in_current", "value": {"unit": "week", "zone": "user"}},
                        "where": [{"name": "amount", "type": "number", "operator": "between", "value": [1, 25]}],
                    },
                    "operator": "at_least",
                    "value": 2,
                },
            ]
        }
    }
    page = editor.open(change_page(shop, rule))
    kept = Segment.objects.get(brand=shop.brand)
    before = kept.rules
    selects(page, 1)
    expect(page.get_by_role("link", name=str(person))).to_be_visible()
    page.get_by_label("Description").fill("Not one letter of the rules changed")
    save(page)
    kept.refresh_from_db()
    assert kept.description.startswith("Not one letter")
    assert kept.rules == before


def test_rules_are_moved_duplicated_and_removed_and_the_keyboard_stays_with_them(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [ENABLED, {"any": [NEWS, ANONYMOUS]}]}))
    page.get_by_role("button", name="Move the rule JS markers up").click()
    assert editor.rules() == {"all": [ENABLED, NEWS, {"any": [ANONYMOUS]}]}
    expect(page.get_by_role("button", name="Move the rule JS markers up")).to_be_focused()
    page.keyboard.press("Alt+Shift+ArrowUp")
    assert editor.rules() == {"all": [NEWS, ENABLED, {"any": [ANONYMOUS]}]}
    page.keyboard.press("Alt+Shift+ArrowDown")
    page.keyboard.press("Alt+Shift+ArrowDown")
    assert editor.rules() == {"all": [ENABLED, {"any": [NEWS, ANONYMOUS]}]}
    page.get_by_role("button", name="Duplicate the group at least one of these").click()
    assert editor.rules() == {"all": [ENABLED, {"any": [NEWS, ANONYMOUS]}, {"any": [NEWS, ANONYMOUS]}]}
    page.get_by_role("button", name="Remove the group at least one of these").first.click()
    page.get_by_label("How the rules of this group are joined").last.select_option(label="none of these")
    assert editor.rules() == {"all": [ENABLED, {"not": {"any": [NEWS, ANONYMOUS]}}]}
    assert page.locator(".sb-join").all_inner_texts() == ["AND", "NOR"]
    page.get_by_role("button", name="Remove the rule Core: push enabled", exact=False).click()
    expect(page.get_by_label("How the rules of this group are joined").last).to_be_focused()
    assert editor.rules() == {"all": [{"not": {"any": [NEWS, ANONYMOUS]}}]}


def test_a_rule_that_is_not_finished_says_what_to_do_and_save_leads_to_it(editor: Desk, shop: Shop):
    page = editor.open(ADD)
    page.get_by_label("Name", exact=False).first.fill("Half")
    rule = editor.add_rule("event")
    expect(rule).to_contain_text("Which event: give one.")
    expect(page.get_by_text("Finish every rule to see")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    name = page.get_by_label("Which event")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    assert not Segment.objects.filter(brand=shop.brand).exists()
    page.keyboard.type("deposit")
    expect(page.locator(".sb-fault")).to_have_count(0)
    save(page)
    assert Segment.objects.get(brand=shop.brand).rules["rule"]["all"][0]["params"] == {"name": "deposit"}


def test_what_the_server_refuses_is_said_at_the_rule(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [NEWS, {"any": [ENABLED]}]}))
    language = editor.add_rule("language")
    language.get_by_label("Language", exact=True).fill("no language")
    fault = page.locator(".sb-rule").last.locator(".sb-fault")
    expect(fault).to_contain_text("no language is not a language")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Language", exact=True)).to_be_focused()
    page.get_by_label("Language", exact=True).fill("de")
    expect(page.locator(".sb-fault")).to_have_count(0)
    selects(page, 0)


def test_rules_that_the_form_sends_back_open_at_their_first_fault(editor: Desk, shop: Shop):
    page = editor.open(ADD)
    page.get_by_label("Name", exact=False).first.fill("Bad")
    # As another page's script or an old tab would send it.
    bad = '{"version": 1, "rule": {"all": [{"field": "language", "operator": "is", "value": "no language"}]}}'
    selects(page, 0)
    page.locator("[data-rules]").evaluate("(field, bad) => { field.value = bad; }", bad)
    save(page)
    expect(page.locator(".sb-rule .sb-fault")).to_contain_text("is not a language")
    expect(page.get_by_label("Language", exact=True)).to_be_focused()
    assert not Segment.objects.filter(brand=shop.brand).exists()


def test_a_new_segment_begins_empty_and_a_rule_that_is_added_waits_for_a_choice(editor: Desk, audience: Audience):
    audience.person("ann")
    page = editor.open(ADD)
    expect(page.get_by_text("No rule yet: everybody is in the segment.")).to_be_visible()
    assert editor.rules() == {"all": []}
    selects(page, 1)
    page.get_by_role("button", name="Add rule").click()
    expect(page.get_by_role("listbox")).to_be_visible()
    expect(page.get_by_label("What the rule is about", exact=True)).to_have_value("")
    page.get_by_role("button", name="Remove the rule").click()
    page.get_by_role("button", name="A push reaches them").click()
    assert editor.rules() == {"all": [ENABLED]}
    selects(page, 0)


@pytest.mark.parametrize(
    "typed",
    [
        "Core: push enabled, user has at least one device",
        '"Core: push enabled, user has at least one device" = true',
        "core: push enab",
    ],
)
def test_the_field_of_push_enabled_is_found_as_the_help_page_spells_it_and_shown_so(
    editor: Desk, audience: Audience, typed: str
):
    audience.person("ann", allowed=True)
    page = editor.open(ADD)
    page.get_by_role("button", name="Add rule").click()
    field = page.get_by_label("What the rule is about", exact=True)
    field.fill(typed)  # as pasted
    expect(page.get_by_role("listbox").get_by_role("option")).to_have_text(
        ["Core: push enabled, user has at least one device"]
    )
    field.press("Enter")
    expect(field).to_have_value("Core: push enabled, user has at least one device")
    expect(page.locator(".sb-operator")).to_have_text("=")
    expect(page.get_by_label("Core: push enabled, user has at least one device", exact=True)).to_have_value("true")
    assert editor.rules() == {"all": [ENABLED]}
    selects(page, 1)


def test_any_word_finds_fields_values_events_markers_and_properties(editor: Desk, audience: Audience, shop: Shop):
    PropertyDefinition.objects.create(brand=shop.brand, name="email", type="text")
    audience.person("ann", markers=["SPORTS"], deposits=[20])
    page = editor.open(ADD)
    option = page.get_by_role("listbox").get_by_role("option")
    for typed, first in [
        ("deposit", "deposit"),
        ("sports", "SPORTS"),
        ("email", "email"),
        ("click", "Push: clicked"),
        ("purchase", "Event"),
        ("browser not supp", "Push status of the last session is Browser Not Supported"),
        ("never visited", "Push status of the last session is Ask: never visited"),
        ("refunded", "Event “refunded”, not seen so far"),
    ]:
        page.get_by_role("button", name="Add rule").click()
        page.keyboard.type(typed)
        expect(option.first).to_contain_text(first)
        option.first.click()
    shown = [rule.get("value", rule.get("params")) for rule in editor.rules()["all"]]
    assert shown[1] == "SPORTS" and shown[5:7] == ["not_supported", "ask_never_visited"]
    named = [rule.get("params") for rule in editor.rules()["all"]]
    assert (named[0], named[3], named[7]) == ({"name": "deposit"}, {"outcome": "clicked"}, {"name": "refunded"})
