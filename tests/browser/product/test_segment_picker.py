"""The field picker in stock Chromium: slips, words, keys, and a list that stands where it can be seen."""

import pytest
from playwright.sync_api import Locator, Page, expect

from .audience import Audience, Desk
from .test_segment_builder import ADD, ENABLED, audience, editor  # noqa: F401

FIELD = "What the rule is about"


@pytest.fixture
def people(audience: Audience) -> Audience:  # noqa: F811
    audience.person("ann", markers=["SPORTS"], deposits=[20, 30])
    return audience


def picker(page: Page) -> Locator:
    """Add a rule; the field that it waits in."""
    page.get_by_role("button", name="Add rule").last.click()
    field = page.get_by_label(FIELD, exact=True).last
    expect(field).to_be_focused()
    return field


def options(page: Page) -> Locator:
    return page.get_by_role("listbox").get_by_role("option")


def test_a_slip_is_answered_with_the_nearest_fields_and_events(editor: Desk, people: Audience):  # noqa: F811
    page = editor.open(ADD)
    field = picker(page)
    for typed, wanted in [
        ("emial", "External id"),
        ("depositt", "deposit"),
        ("the event depsoit", "deposit"),
        ("sprots", "SPORTS"),
    ]:
        field.fill(typed)
        expect(page.locator(".sb-list-group").first).to_have_text("Did you mean")
        expect(options(page).first).to_contain_text(wanted)
    field.press("Enter")
    assert editor.rules() == {"all": [{"field": "js_markers", "operator": "has", "value": "SPORTS"}]}


def test_a_pasted_phrase_is_no_event_and_the_list_says_so(editor: Desk, people: Audience):  # noqa: F811
    page = editor.open(ADD)
    field = picker(page)
    field.fill("order was placed")
    expect(options(page)).to_have_count(1)
    expect(options(page)).to_contain_text("Nothing is called “order was placed”")
    field.press("Enter")
    expect(field).to_have_value("order was placed")
    assert editor.rules() == {"all": [{"field": "", "operator": ""}]}
    field.fill("event order.placed")
    expect(options(page)).to_have_text("Event “order.placed”, not seen so far")
    field.press("Enter")
    assert editor.rules()["all"][0]["params"] == {"name": "order.placed"}


def test_a_new_rule_is_marked_once_it_is_left_or_saved_and_not_before(editor: Desk, people: Audience):  # noqa: F811
    page = editor.open(ADD)
    field = picker(page)
    rule = page.locator(".sb-rule")
    marked = page.locator(".sb-rule:is(.sb-todo, .sb-bad)")
    page.keyboard.type("dep")
    expect(options(page).first).to_be_visible()
    expect(marked).to_have_count(0)
    field.press("Escape")
    field.press("Tab")  # to the rule's own buttons
    expect(rule.get_by_role("button", name="Duplicate the rule not chosen yet")).to_be_visible()
    expect(marked).to_have_count(0)
    page.get_by_label("Name", exact=False).first.focus()
    expect(marked).to_have_count(1)
    expect(rule).to_contain_text("Choose what the rule is about.")
    page.get_by_role("button", name="Remove the rule").click()
    picker(page)
    expect(marked).to_have_count(0)
    page.get_by_label("Name", exact=False).first.evaluate("field => { field.value = 'Half'; }")
    page.keyboard.press("Escape")
    page.locator("form:has(.sb)").evaluate("form => form.requestSubmit()")  # while the picker has the keyboard
    expect(page.locator(".sb-rule.sb-bad")).to_have_count(1)


def test_enter_takes_what_is_highlighted_and_the_keyboard_stays(editor: Desk, people: Audience):  # noqa: F811
    page = editor.open(ADD)
    field = picker(page)
    page.keyboard.type("push")
    second = options(page).nth(1)
    expect(second).to_be_visible()
    wanted = second.locator("span").first.inner_text()
    field.press("ArrowDown")
    expect(second).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", second.get_attribute("id") or "")
    field.press("Enter")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(field).to_have_attribute("aria-expanded", "false")
    expect(field).to_be_focused()
    expect(field).to_have_value(wanted)


def test_enter_before_the_server_has_answered_takes_the_brands_own_event(editor: Desk, people: Audience):  # noqa: F811
    page = editor.open(ADD)
    field = picker(page)
    field.fill("deposit")
    field.press("Enter")
    expect(field).to_have_value("Event")
    assert editor.rules()["all"][0]["params"] == {"name": "deposit"}


def test_tab_takes_what_the_arrows_went_to_and_moves_on(editor: Desk, people: Audience):  # noqa: F811
    page = editor.open(ADD)
    field = picker(page)
    page.keyboard.type("mark")
    expect(options(page).nth(1)).to_be_visible()
    field.press("Tab")  # what comes first by itself is not taken: several fit
    expect(field).not_to_be_focused()
    expect(field).to_have_value("")
    field.click()
    page.keyboard.type("mark")
    wanted = options(page).nth(1).locator("span").first.inner_text()
    field.press("ArrowDown")
    field.press("Tab")
    expect(field).not_to_be_focused()
    expect(field).to_have_value(wanted)
    expect(page.locator(".sb-rule:focus-within")).to_have_count(1)


def test_escape_closes_the_list_and_takes_nothing(editor: Desk, people: Audience):  # noqa: F811
    page = editor.open(ADD)
    page.get_by_role("button", name="A push reaches them").click()
    field = page.get_by_label(FIELD, exact=True)
    before = field.input_value()
    field.click()
    page.keyboard.type("device")
    field.press("ArrowDown")
    field.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    expect(field).to_be_focused()
    expect(field).to_have_value(before)
    assert editor.rules() == {"all": [ENABLED]}
    field.press("Alt+ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()
    field.press("Alt+ArrowUp")
    expect(page.get_by_role("listbox")).to_have_count(0)


SEEN = """(list) => {
  const {top, bottom, left, right} = list.getBoundingClientRect();
  const inside = [[left + 9, top + 9], [right - 20, bottom - 9], [left + 9, (top + bottom) / 2]];
  return inside.every(([x, y]) => list.contains(document.elementFromPoint(x, y)));
}"""


@pytest.mark.parametrize("size", [(1280, 640), (390, 700)])
def test_the_list_is_in_sight_wherever_its_field_stands(editor: Desk, people: Audience, size: tuple[int, int]):  # noqa: F811
    page = editor.open(ADD)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for _ in range(6):
        picker(page).press("Escape")
    expect(page.locator(".sb-rule")).to_have_count(6)
    bar = page.locator("#submit-row")
    sides = set()
    for number in range(6):
        field = page.get_by_label(FIELD, exact=True).nth(number)
        for block in ("start", "end"):
            field.evaluate("(field, block) => field.scrollIntoView({block})", block)
            field.click()
            shown = page.get_by_role("listbox")
            expect(shown).to_be_visible()
            assert shown.evaluate(SEEN), f"{number} {block}"
            box, own = shown.bounding_box(), field.bounding_box()
            assert box is not None and own is not None
            assert box["y"] >= 0 and box["x"] >= 0
            assert box["x"] + box["width"] <= size[0]
            assert box["y"] + box["height"] <= own["y"] or box["y"] >= own["y"] + own["height"], "it covers its field"
            sides.add(box["y"] < own["y"])
            if size[0] > 1024:
                foot = bar.bounding_box()
                assert foot is not None and box["y"] + box["height"] <= foot["y"]
            field.press("Escape")
    assert sides == {True, False}
