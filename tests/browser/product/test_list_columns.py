"""Importing a list in a real browser: the column is shown, and can be changed before anything is imported."""

import pytest
from playwright.sync_api import Page, expect

from segments.models import Segment, SegmentImport

from .running import Product
from .shop import Shop

FILE = {
    "name": "vip.csv",
    "mimeType": "text/csv",
    "buffer": b"sep=;\nid;External-User-ID;Name\n1;ann;Ann\n2;bob;Bob\n",
}


@pytest.fixture
def import_page(staff_page: Page, product: Product, shop: Shop) -> Page:
    """The page of an empty list, for a member of staff."""
    segment = Segment.objects.create(brand=shop.brand, name="VIP", kind="imported")
    staff_page.goto(f"{product.url}/admin/segments/segment/{segment.pk}/list/")
    return staff_page


def test_the_guessed_column_is_shown_with_its_values_and_can_be_changed(import_page: Page, shop: Shop) -> None:
    page = import_page
    column = page.get_by_label("Column with the external ids")
    expect(column).to_be_hidden()
    page.set_input_files("input[type=file]", FILE)
    expect(column).to_have_value("1")
    expect(page.get_by_text("Such as ann, bob")).to_be_visible()
    expect(page.get_by_label("The first line names the columns")).to_be_checked()
    column.select_option("Name")
    expect(page.get_by_text("Such as Ann, Bob")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("[data-open]").or_(page.get_by_text("ids looked up")).first).to_be_visible()
    job = SegmentImport.objects.get(segment__brand=shop.brand)
    assert (job.lines, sorted(job.rows.values_list("external_id", flat=True))) == (2, ["Ann", "Bob"])


def test_a_workbook_is_refused_as_soon_as_it_is_chosen(import_page: Page) -> None:
    page = import_page
    page.set_input_files("input[type=file]", {**FILE, "name": "vip.xlsx", "buffer": b"PK\x03\x04" + b"x" * 99})
    expect(page.get_by_role("alert")).to_contain_text("an Excel workbook")
    expect(page.get_by_label("Column with the external ids")).to_be_hidden()
