"""axe-core on what is opened, added and said in the editors: one browser, one page after the other."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page

from assets.models import PushResource
from devices.models import EndUser, Event, PropertyDefinition
from segments.models import Segment
from tests.assets.editors import PUSH
from tests.backoffice.world import NOW, World, staff
from tests.browser.harness.chromium import Chromium

from .axe import ORIGIN, PHONE, Served, axe_source, problems_now, problems_on
from .test_pages import _client, ours  # noqa: F401


@pytest.fixture
def served(chromium: Chromium, ours: World) -> Served:  # noqa: F811
    user = staff(name="ann", brand=ours.brand)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    return Served(chromium.context, _client(User.objects.get(pk=user.pk)))


class Look:
    """A page that is looked at again after each step."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.found: list[str] = []
        page.goto(ORIGIN + address, wait_until="load")

    def first(self, where: str) -> None:
        """Look at the whole page for the first time."""
        self.found += problems_on(self.page, axe_source(), where=where)

    def again(self, where: str) -> None:
        """Look at it as it stands now."""
        self.found += problems_now(self.page, where=where)


def test_the_rule_builder_keeps_nobody_out_while_rules_are_written(
    chromium: Chromium,
    served: Served,
    ours: World,  # noqa: F811
) -> None:
    EndUser.objects.filter(brand=ours.brand).update(js_markers=["NEWS"])
    Event.objects.create(
        day=NOW.date(), brand=ours.brand, end_user=ours.rows[EndUser], name="deposit", occurred_at=NOW,
        recorded_at=NOW, properties={"amount": 20},
    )  # fmt: skip
    look = Look(chromium.page, reverse("admin:segments_segment_add"))
    page = look.page
    page.get_by_role("button", name="Add rule").wait_for()
    look.first("no rule yet")
    page.get_by_role("button", name="Add rule").click()
    page.get_by_role("listbox").wait_for()
    look.again("the picker opened")
    for typed, shown in [("depositt", "Did you mean"), ("order was placed", "Nothing is called")]:
        page.keyboard.press("Control+a")
        page.keyboard.type(typed)
        page.get_by_text(shown).first.wait_for()
        look.again(f"{typed} in the picker")
    page.set_viewport_size(PHONE)
    look.again("the picker on a phone")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save", exact=True).focus()
    page.get_by_text("Choose what the rule is about.").wait_for()
    look.again("a rule that was left")
    page.get_by_role("button", name="Add group").first.click()
    page.keyboard.type("event")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="With properties").click()
    page.get_by_label("Which event").fill("dep")
    page.get_by_role("option", name="deposit").wait_for()
    look.again("a group with an event, and its suggestions")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".sb-bad").first.wait_for()
    look.again("rules that could not be saved")
    assert not look.found, "\n".join(look.found)


def test_a_segment_with_results_and_warnings_keeps_nobody_out(
    chromium: Chromium,
    served: Served,
    ours: World,  # noqa: F811
) -> None:
    rules = [
        {"field": "push_enabled", "operator": "is", "value": True},
        {"not": {"any": [{"field": "js_markers", "operator": "has_any", "value": ["NWES", "GONE"]}]}},
    ]
    segment = Segment.objects.create(brand=ours.brand, name="Warned", rules={"version": 1, "rule": {"all": rules}})
    look = Look(chromium.page, reverse("admin:segments_segment_change", args=[segment.pk]))
    page = look.page
    page.locator(".sb-warnings li").first.wait_for()
    page.get_by_label("Id of the end user").fill(str(ours.rows[EndUser].external_id))
    page.get_by_role("button", name="Test", exact=True).click()
    page.locator(".sb-verdict").wait_for()
    look.first("a count, warnings and one end user tested")
    page.get_by_label("JS markers: add a value").press("ArrowDown")
    look.again("values to pick from")
    assert not look.found, "\n".join(look.found)


def test_an_editor_with_an_added_language_and_with_warnings_keeps_nobody_out(
    chromium: Chromium,
    served: Served,
    ours: World,  # noqa: F811
) -> None:
    PropertyDefinition.objects.create(brand=ours.brand, name="first_name", type="text")
    own = f"https://{ours.word.lower()}.example/"
    wrong: dict[str, Any] = {**PUSH, "name": "Warned", "message": "Hi {{ user.frist_name }}", "click_url": own}
    wrong["button_1_url"] = own
    response = served.client.post(reverse("admin:assets_pushresource_add"), {**wrong, "_continue": "1"}, follow=True)
    assert "frist_name" in response.content.decode()
    address = reverse("admin:assets_pushresource_change", args=[PushResource.objects.get(name="Warned").pk])
    served.keep(address, response)
    look = Look(chromium.page, address)
    look.first("a push that was saved with a warning")
    look.page.goto(f"{ORIGIN}{address}?language=ar")
    look.first("an added language, from right to left")
    popup = reverse("admin:assets_popupresource_add")
    look.page.goto(f"{ORIGIN}{popup}?language=de")
    look.first("a popup in another language")
    category = reverse("admin:devices_pushcategory_add")
    look.page.goto(f"{ORIGIN}{category}")
    look.page.locator("[data-translations] [data-add]").click()
    look.first("a category with an added language")
    assert not look.found, "\n".join(look.found)
