"""What the rule builder shows beside the rules, whatever the server, the network or the rights are."""

import re

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from segments.services import segment_save
from tests.browser.harness.chromium import Chromium

from .audience import Audience, Desk, desk
from .running import Product
from .shop import Shop

NEWS = {"field": "js_markers", "operator": "has", "value": "NEWS"}
ENABLED = {"field": "push_enabled", "operator": "is", "value": True}
GONE = {"field": "js_markers", "operator": "has", "value": "GONE"}
SEEN = """said => {
  const {left, right, top, bottom} = said.getBoundingClientRect();
  return [[left, top], [right, top], [left, bottom], [right, bottom]].every(([x, y]) => said.contains(
    document.elementFromPoint(x + (x === left ? 1 : -1), y + (y === top ? 1 : -1)),
  ));
}"""
COUNT = "**/segments/segment/count/"
FIRST = {
    "state": "estimate", "selected": 41200, "error": 900, "total": 100_000, "share": 0.412, "reachable": 20_000,
    "platforms": {"web": 30_000, "android": 9000, "ios": 2200}, "words": "Everybody", "seconds": 0.4,
}  # fmt: skip


@pytest.fixture
def audience(shop: Shop) -> Audience:
    made = Audience(brand=shop.brand)
    made.person("ann", markers=["NEWS"], allowed=True)
    made.person("bob", markers=["NEWS"])
    made.person("cat")
    return made


@pytest.fixture
def editor(chromium: Chromium, product: Product, audience: Audience) -> Desk:
    return desk(chromium, product, audience.brand)


def change_page(shop: Shop, rule: dict) -> str:
    segment = segment_save(brand=shop.brand, name="Kept", rules={"version": 1, "rule": rule})
    return f"segments/segment/{segment.pk}/change/"


def big(page: Page):
    return page.locator(".sb-count")


def test_how_many_whom_a_push_reaches_and_who_they_are(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [NEWS]}))
    expect(big(page)).to_have_text("2")
    panel = page.get_by_label("Who is in the segment now")
    expect(panel).to_contain_text("66.7% of 3 end users")
    expect(panel.locator(".sb-figures > div").first).to_contain_text(re.compile(r"Push enabled\s*1"))
    people = panel.locator(".sb-people li")
    expect(people).to_have_count(2)
    expect(panel).to_contain_text("All of them: JS markers has NEWS")
    expect(people.filter(has_text="NEWS")).to_have_count(0)
    people.get_by_role("link", name="ann").evaluate("link => { link.target = '_self'; }")
    people.get_by_role("link", name="ann").click()
    expect(page).to_have_url(re.compile("/devices/enduser/"))


def test_people_say_only_why_they_differ(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [NEWS, {"any": [ENABLED, {"not": ENABLED}]}]}))
    panel = page.get_by_label("Who is in the segment now")
    expect(panel.get_by_text("All of them:")).to_have_text("All of them: JS markers has NEWS")
    people = panel.locator(".sb-people li")
    expect(people.filter(has_text="ann").locator("small")).to_have_text(re.compile("^Core: push enabled.* = true$"))
    expect(people.filter(has_text="bob").locator("small")).to_have_text(
        re.compile(r"^not \(Core: push enabled.* = true\)$")
    )


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_the_answer_about_an_end_user_is_in_view_and_not_under_the_bar_with_save(
    chromium_factory, product: Product, audience: Audience, shop: Shop, size: str
):
    for n in range(6):
        audience.person(f"more-{n}", markers=["NEWS"], allowed=True)
    editor = desk(chromium_factory(size=size, reduced_motion="reduce"), product, audience.brand)
    page = editor.open(change_page(shop, {"all": [NEWS, ENABLED, {"not": {"any": [GONE]}}, NEWS]}))
    expect(page.locator(".sb-people li")).to_have_count(5)
    page.get_by_label("Id of the end user").fill("ann")
    page.keyboard.press("Enter")
    said = page.get_by_text("is in the segment. Each rule")
    expect(said).to_be_in_viewport(ratio=1)
    # Each of its corners is what is seen at that place.
    page.wait_for_function(SEEN, arg=said.element_handle())
    up = page.get_by_role("button", name="Show the rules")
    if size == "phone":
        up.click()
        expect(page.locator(".sb-main .sb-mark").first).to_be_in_viewport()
    else:
        expect(up).to_have_count(0)


def test_a_value_that_is_half_typed_is_not_counted_while_others_are_offered(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [NEWS]}))
    expect(big(page)).to_have_text("2")
    asked: list[str] = []

    def note(route: Route) -> None:
        asked.append(route.request.post_data_json["rules"]["rule"]["all"][0]["value"])
        route.continue_()

    page.route(COUNT, note)
    value = page.get_by_label("JS markers", exact=True)
    value.fill("NE")
    expect(page.get_by_role("option")).to_contain_text(["NEWS"])
    expect(page.get_by_text("Counted once the value is picked")).to_be_visible()
    value.press("ArrowDown")
    value.press("Enter")
    expect(big(page)).to_have_text("2")
    expect(page.get_by_text("Counted once the value is picked")).to_have_count(0)
    expect(page.get_by_role("status").first).to_have_text("2 of 3 end users match.")
    assert asked == ["NEWS"]
    # Left as it is, it is what was meant.
    value.fill("NEW")
    expect(page.get_by_text("Counted once the value is picked")).to_be_visible()
    value.press("Tab")
    expect(big(page)).to_have_text("0")
    assert asked == ["NEWS", "NEW"]


def test_one_end_user_is_tested_rule_by_rule_until_the_rules_change(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [NEWS, {"not": {"any": [ENABLED]}}]}))
    page.get_by_label("Id of the end user").fill("nobody")
    page.get_by_role("button", name="Test").click()
    expect(page.locator(".sb-panel .sb-fault")).to_be_visible()
    page.get_by_label("Id of the end user").fill("ann")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("is not in the segment.")).to_be_visible()
    marks = page.locator(".sb-main .sb-mark")
    # The whole, the first rule, the group *none of these*, the rule in it.
    classes = [one.get_attribute("class") for one in marks.all()]
    assert ["sb-yes" in (one or "") for one in classes] == [False, True, False, True]
    page.get_by_role("button", name="Remove the group none of these").click()
    expect(marks).to_have_count(0)
    expect(page.locator(".sb-verdict")).to_have_count(0)


def test_an_estimate_is_shown_with_its_error_until_the_exact_number_is_there(editor: Desk):
    asked: list[bool] = []
    held: list[Route] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json["exact"])
        if asked[-1]:
            held.append(route)
        else:
            route.fulfill(json=FIRST)

    editor.page.route(COUNT, answer)
    page = editor.open("segments/segment/add/")
    expect(big(page)).to_have_text("about 41,200 ± 900")
    expect(page.get_by_text("Counting exactly…")).to_be_visible()
    held[0].fulfill(json={**FIRST, "state": "exact", "selected": 41_377, "error": 0})
    expect(big(page)).to_have_text("41,377")
    expect(page.get_by_text("Counting exactly…")).to_have_count(0)
    assert asked == [False, True]


def test_an_estimate_stays_when_the_exact_number_takes_too_long(editor: Desk):
    slow = {"problems": [{"path": "", "message": "Counting exactly takes too long."}]}
    editor.page.route(
        COUNT,
        lambda route: (
            route.fulfill(status=503, json=slow) if route.request.post_data_json["exact"] else route.fulfill(json=FIRST)
        ),
    )
    page = editor.open("segments/segment/add/")
    expect(page.get_by_text("Counting exactly takes too long.")).to_be_visible()
    expect(big(page)).to_have_text("about 41,200 ± 900")


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (lambda route: route.abort("internetdisconnected"), "The server cannot be reached."),
        (
            lambda route: route.fulfill(status=503, json={"problems": [{"path": "", "message": "Make it narrower."}]}),
            "Make it narrower.",
        ),
        (lambda route: route.fulfill(status=500, body="<h1>Oh</h1>"), "The server could not answer."),
    ],
    ids=["network gone", "too slow", "server broken"],
)
def test_trouble_is_said_with_what_to_do_and_can_be_tried_again(editor: Desk, shop: Shop, trouble, words: str):
    editor.page.route(COUNT, trouble)
    page = editor.open(change_page(shop, {"all": [NEWS]}))
    expect(page.locator(".sb-panel")).to_contain_text(words)
    page.unroute(COUNT)
    page.get_by_role("button", name="Try again").click()
    expect(big(page)).to_have_text("2")


def test_a_catalogue_that_does_not_come_is_asked_for_again_and_nothing_is_lost(editor: Desk, shop: Shop):
    editor.page.route("**/catalogue/", lambda route: route.abort("internetdisconnected"))
    page = editor.open(change_page(shop, {"all": [NEWS]}))
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    assert editor.rules() == {"all": [NEWS]}
    page.unroute("**/catalogue/")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_label("JS markers", exact=True)).to_have_value("NEWS")


def test_only_the_last_change_is_counted(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [NEWS]}))
    expect(big(page)).to_have_text("2")
    asked: list[str] = []
    held: list[Route] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json["rules"]["rule"]["all"][0]["value"])
        if len(asked) == 1:
            held.append(route)  # never answered: the next change gives it up
        else:
            route.continue_()

    page.route(COUNT, answer)
    value = page.get_by_label("JS markers", exact=True)
    with page.expect_request(COUNT):
        value.fill("GONE")
    with page.expect_event("requestfailed"):
        value.fill("NOBODY")
    expect(big(page)).to_have_text("0")
    expect(page.get_by_text("Nobody matches now.")).to_be_visible()
    assert asked == ["GONE", "NOBODY"]
    held[0].abort()


def test_a_phone_shows_everything_without_scrolling_sideways(chromium_factory, product: Product, audience: Audience):
    chromium = chromium_factory(size="phone", color_scheme="dark", reduced_motion="reduce")
    phone = desk(chromium, product, audience.brand)
    deposits = {
        "field": "event",
        "params": {
            "name": "deposit",
            "within": {"operator": "between_days", "value": {"from": "2026-12-01", "to": "2026-12-24", "zone": "user"}},
            "where": [{"name": "a property of a long name", "type": "number", "operator": "between", "value": [1, 2]}],
        },
        "operator": "at_least",
        "value": 2,
    }
    many = {"field": "js_markers", "operator": "has_any", "value": [f"MARKER-WITH-A-LONG-NAME-{n}" for n in range(6)]}
    segment = segment_save(
        brand=audience.brand,
        name="Kept",
        rules={"version": 1, "rule": {"any": [{"all": [{"any": [deposits, many]}, NEWS]}]}},
    )
    page = phone.open(f"segments/segment/{segment.pk}/change/")
    expect(big(page)).to_have_text("0")
    rule = phone.add_rule("push enabled")
    expect(rule).to_be_visible()
    page.get_by_label("What the rule is about", exact=True).last.click()
    expect(page.get_by_role("listbox")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_viewer_reads_counts_and_tests_but_changes_nothing(
    chromium, product: Product, audience: Audience, shop: Shop
):
    viewer = desk(chromium, product, audience.brand, role="viewer")
    page = viewer.open(change_page(shop, {"all": [NEWS]}))
    expect(big(page)).to_have_text("2")
    expect(page.get_by_label("JS markers", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Add rule")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Remove|Move|Duplicate"))).to_have_count(0)
    page.get_by_label("Id of the end user").fill("ann")
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("is in the segment.")).to_be_visible()
    expect(page.locator(".sb-rule .sb-mark")).to_have_text(re.compile("true"))
    assert not [line for line in chromium.console if "uncaught" in line]


def test_as_many_rules_as_a_segment_may_have_stay_usable(editor: Desk, shop: Shop):
    rows = [{"any": [{**NEWS, "value": f"A{n}-{m}"} for m in range(9)]} for n in range(19)]
    # With the top group these are 191 rules and groups; the last nine fill it.
    rules = {"all": [*rows, *[NEWS] * 9]}
    page = editor.open(change_page(shop, rules))
    expect(page.locator(".sb-rule")).to_have_count(180)
    expect(page.get_by_role("button", name="Add rule").last).to_be_disabled()
    page.get_by_label("JS markers", exact=True).nth(90).fill("CHANGED")
    assert editor.rules()["all"][10]["any"][0]["value"] == "CHANGED"
    page.get_by_role("button", name="Remove the rule JS markers").nth(91).click()
    expect(page.get_by_role("button", name="Add rule").last).to_be_enabled()


def test_the_page_asks_before_changed_rules_are_left(editor: Desk, shop: Shop):
    page = editor.open(change_page(shop, {"all": [NEWS]}))
    expect(big(page)).to_have_text("2")
    page.get_by_label("JS markers", exact=True).fill("SPORTS")
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", accept)
    editor.open("segments/segment/")
    assert asked == ["beforeunload"]
