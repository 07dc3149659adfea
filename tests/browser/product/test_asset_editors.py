"""The editors of popups and push categories in a real browser: the preview is the SDK's own drawing, words follow."""

import re

import pytest
from playwright.sync_api import Page, expect

from devices.people.services.categories import category_create

from .running import Product
from .shop import Shop


def test_a_popup_is_previewed_as_it_will_be_drawn_and_its_buttons_follow_what_they_do(
    staff_page: Page, product: Product, shop: Shop
) -> None:
    category_create(brand=shop.brand, name="News", description="First hand.")
    category_create(brand=shop.brand, name="Offers")
    page = staff_page
    page.goto(f"{product.url}/admin/assets/popupresource/add/")
    card = page.frame_locator("[data-popup-frame]").locator("smartpush-popup .card")
    page.fill("[name=title]", "Stay up to date")
    expect(card.get_by_role("heading")).to_have_text("Stay up to date")
    expect(page.locator("[name=categories]").first).to_be_hidden()
    page.select_option("[name=template]", "categories")
    page.check("[name=categories][value=NEWS]")
    expect(card.get_by_role("checkbox", name="News")).not_to_be_checked()
    assert card.get_by_role("checkbox").count() == 1
    page.select_option("[name=primary]", "url")
    expect(card.get_by_role("button", name="Show me")).to_be_visible()
    expect(page.locator("[name=primary_url]")).to_be_visible()
    page.fill("[name=subscribe_label]", "To the fair")
    page.select_option("[name=primary]", "click")
    expect(page.locator("[name=subscribe_label]")).to_have_value("To the fair")
    page.goto(f"{product.url}/admin/devices/pushcategory/add/")
    page.fill("[name=name]", "Días de fútbol")
    expect(page.locator("[name=marker]")).to_have_value("DIAS_DE_FUTBOL")


# Asks for previews until every process of the server has given as many as it does in a minute.
_ASK_UNTIL_REFUSED = """async () => {
  const url = document.querySelector('[data-editor]').dataset.previewUrl;
  const token = document.querySelector('[name=csrfmiddlewaretoken]').value;
  for (let refused = 0, asked = 0; refused < 12 && asked < 2000; asked += 1) {
    const answer = await fetch(url, {method: 'POST', body: '{"title": "Hi"}', headers: {'X-CSRFToken': token}});
    refused = answer.status === 429 ? refused + 1 : 0;
  }
}"""


# Keeps what the line below the preview said, with whether its meter was shown: it goes away by itself.
_WATCH_THE_LINE = """() => {
  const box = document.querySelector('[data-size]');
  window.said = [];
  new MutationObserver(() => {
    const meter = box.querySelector('[data-size-meter]').hidden ? 'no meter' : 'meter';
    window.said.push(`${box.querySelector('[data-size-text]').textContent} ${meter}`);
  }).observe(box, {subtree: true, childList: true, attributes: true});
}"""


def test_a_preview_that_was_asked_for_too_often_says_so_and_keeps_what_was_typed(
    staff_page: Page, product: Product
) -> None:
    page = staff_page
    page.goto(f"{product.url}/admin/assets/pushresource/add/")
    page.fill("[name=title]", "Hi {{ user.first_name }}")
    expect(page.locator(".sp-push strong")).to_have_text("Hi Ann")
    page.evaluate(_WATCH_THE_LINE)
    for number in range(3):  # a minute may end in between
        page.evaluate(_ASK_UNTIL_REFUSED)
        with page.expect_response("**/preview/") as answer:
            page.fill("[name=message]", f"Your bonus waits: {number}.")
        if answer.value.status == 429:
            break
    page.wait_for_function("window.said.some((line) => /Try again in .* no meter$/.test(line))")
    expect(page.locator(".sp-push p")).to_contain_text("Your bonus waits")


def test_the_preview_runs_in_the_direction_of_the_language_that_the_address_names(
    staff_page: Page, product: Product
) -> None:
    page = staff_page
    for language, direction in (("ckb", "rtl"), ("pa-PK", "rtl"), ("pa", "ltr"), ("pt-PT", "ltr")):
        page.goto(f"{product.url}/admin/assets/popupresource/add/?language={language}")
        card = page.frame_locator("[data-popup-frame]").locator("smartpush-popup .card")
        page.fill("[name=title]", language)
        expect(card.get_by_role("heading")).to_have_text(language)
        assert card.evaluate("card => getComputedStyle(card).direction") == direction


def test_words_of_ours_follow_the_language_of_a_category_and_typed_ones_stay(
    staff_page: Page, product: Product, shop: Shop
) -> None:
    category = category_create(brand=shop.brand, name="News")
    page = staff_page
    page.goto(f"{product.url}/admin/devices/pushcategory/{category.pk}/change/")
    page.click("[data-add]")
    row = page.locator("[data-row]:visible").last
    name, about = row.get_by_placeholder("Name"), row.get_by_placeholder("Description")
    for language, shown in (("de", "Neuigkeiten"), ("fr", "Nouveautés"), ("zh-TW", "最新消息"), ("en-GB", "News")):
        row.locator("select").select_option(language)
        expect(name).to_have_value(shown)
    name.fill("Tout neuf")
    row.locator("select").select_option("fr")
    expect(name).to_have_value("Tout neuf")
    expect(about).to_have_value("Toute l’actualité, en direct.")
    about.fill("")
    row.locator("select").select_option("de")
    expect(name).to_have_value("Tout neuf")
    expect(about).to_have_value("")


@pytest.mark.parametrize(
    ("typed", "becomes"),  # | is the caret; two are the ends of a selection
    [
        ("Hi |there", "Hi {{ brand.name }}there"),
        ("Hi |there|!", "Hi {{ brand.name }}!"),
        ("Hi {{ user.|a | default: 'x' }}!", "Hi {{ user.a | default: 'x' }}{{ brand.name }}!"),
        ("Hi {|{ user.a }}!", "Hi {{ user.a }}{{ brand.name }}!"),
        ("Hi |{{ user.a }}|!", "Hi {{ brand.name }}!"),
        ("{% if |user.a %}Hi{% endif %}", "{% if user.a %}{{ brand.name }}Hi{% endif %}"),
        ("{{ user.a }}{%- if user.b -|%}Hi{% endif %}", "{{ user.a }}{%- if user.b -%}{{ brand.name }}Hi{% endif %}"),
        ("{{ us|er.a }} and {{ us|er.b }}.", "{{ user.a }} and {{ user.b }}{{ brand.name }}."),
        ("{{ us|er.a }} and| more", "{{ user.a }}{{ brand.name }} more"),
        ("Hi {{ us|", "Hi {{ brand.name }}"),
    ],
)
def test_a_value_is_laid_behind_the_tag_that_the_caret_is_in(
    staff_page: Page, product: Product, typed: str, becomes: str
) -> None:
    page = staff_page
    page.goto(f"{product.url}/admin/assets/pushresource/add/")
    start, *more = _carets(typed)
    message = page.locator("[name=message]")
    message.fill(typed.replace(_FILTER, "\0").replace("|", "").replace("\0", _FILTER))
    message.focus()
    message.evaluate("(field, [start, end]) => field.setSelectionRange(start, end)", [start, *(more or [start])])
    page.select_option("#sp-values", "brand.name")
    expect(message).to_have_value(becomes)


_FILTER = " | default"  # the one bar that is no caret


def _carets(typed: str) -> list[int]:
    """Where the carets stand in the text without them."""
    at = [found.start() for found in re.finditer(r"\|(?! default)", typed)]
    return [place - number for number, place in enumerate(at)]
