"""Deleting and archiving in a real browser: the numbers are there, and the name has to be typed."""

from playwright.sync_api import Page, expect

from devices.models import App, Device, EndUser
from segments.models import ListEntry, Segment

from .running import Product
from .shop import Shop


def test_a_list_is_deleted_only_by_typing_its_name(staff_page: Page, product: Product, shop: Shop) -> None:
    segment = Segment.objects.create(brand=shop.brand, name="Readers of the fair", kind="imported")
    people = EndUser.objects.bulk_create(EndUser(brand=shop.brand, external_id=f"reader-{n}") for n in range(1_234))
    ListEntry.objects.bulk_create(ListEntry(segment=segment, end_user=person) for person in people)
    page = staff_page
    page.goto(f"{product.url}/admin/segments/segment/{segment.pk}/delete/")
    expect(page.get_by_text("1,234 end users' places in its list")).to_be_visible()
    page.get_by_label("To go on, type the name").fill("Readers")
    page.get_by_role("button", name="Delete the segment").click()
    expect(page.get_by_role("alert")).to_contain_text("Type the name exactly")
    assert Segment.objects.filter(pk=segment.pk).exists()
    page.get_by_label("To go on, type the name").fill("Readers of the fair")
    page.get_by_role("button", name="Delete the segment").click()
    expect(page.get_by_text("and with it 1,234 end users' places in its list.")).to_be_visible()
    assert not ListEntry.objects.filter(segment_id=segment.pk).exists()


def test_a_website_with_devices_offers_to_be_archived_instead(staff_page: Page, product: Product, shop: Shop) -> None:
    app = App.objects.get(brand=shop.brand)
    person = EndUser.objects.create(brand=shop.brand, external_id="ann")
    Device.objects.create(
        brand=shop.brand, app=app, session_end_user=person, secret_hash="s", platform="web", last_seen_at=app.created_at
    )
    page = staff_page
    page.goto(f"{product.url}/admin/devices/brand/{shop.brand.pk}/change/")
    expect(page.locator("[name=apps-0-name]")).to_be_visible()
    assert page.locator("[name=apps-0-DELETE]").count() == 0
    page.goto(f"{product.url}/admin/devices/app/{app.pk}/delete/")
    expect(page.get_by_text("1 device", exact=True)).to_be_visible()
    page.get_by_role("link", name="Archive it instead").click()
    page.get_by_role("button", name="Archive now").click()
    expect(page.get_by_role("link", name="Restore")).to_be_visible()
    assert Device.objects.filter(app=app).exists()
