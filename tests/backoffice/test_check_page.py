"""The page *Check your installation*: what was refused, what lets it in, and who may do that."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from devices.brands.services.refused_origins import origin_refused
from devices.delivery.transports import site_fetch
from devices.models import App, Brand, EndUser, RefusedOrigin
from smartpush.common.time.clock import utc_now

pytestmark = pytest.mark.django_db
WWW = "https://www.ours.example"


@pytest.fixture(autouse=True)
def _no_waiting_for_sites(monkeypatch):
    """The websites of these tests are nowhere: a name that does not exist is not asked for eight seconds."""
    monkeypatch.setattr(site_fetch, "TIMEOUT_SECONDS", 0.2)


def page_of(client, world):
    return client.get(reverse("admin:devices_app_check", args=[world.rows[App].pk])).content.decode()


def refused_item(page, origin):
    (item,) = re.findall(rf'<li data-refused="{re.escape(origin)}">.*?</li>', page, re.S)
    return item


def test_a_refused_origin_is_shown_and_its_button_begins_the_website(ours, client_of):
    origin_refused(brand_id=ours.brand.pk, origin=WWW, now=utc_now())
    client = client_of(ours.brand)
    item = refused_item(page_of(client, ours), WWW)
    assert f"Calls came from {WWW}, which is not registered." in item
    link = re.search(r'href="([^"]+)"', item)[1].replace("&amp;", "&")
    form = client.get(link).context["adminform"].form
    given = {name: form.get_initial_for_field(form.fields[name], name) for name in ("kind", "name", "origin")}
    assert given == {"kind": "web", "name": "www.ours.example", "origin": WWW}
    assert parse_qs(urlsplit(link).query)["origin"] == [WWW]
    assert client.post(link, {**given, "bundle_id": ""}).status_code == 302
    assert App.objects.get(origin=WWW).brand == ours.brand
    assert f'data-refused="{WWW}"' not in page_of(client, ours)


def test_only_admins_are_given_the_button(ours, client_of):
    origin_refused(brand_id=ours.brand.pk, origin=WWW, now=utc_now())
    item = refused_item(page_of(client_of(ours.brand, "publisher"), ours), WWW)
    assert "href=" not in item and "Admins of the brand may do that" in item


def test_another_brands_refused_origins_are_not_shown(ours, theirs, client_of):
    page = page_of(client_of(ours.brand), ours)
    assert RefusedOrigin.objects.get(brand=ours.brand).origin in page
    assert RefusedOrigin.objects.get(brand=theirs.brand).origin not in page


def test_what_an_outsider_sends_is_no_fault_of_a_website_that_works(ours, client_of):
    page = page_of(client_of(ours.brand), ours)
    assert 'data-check="origins" data-state="note"' in page


def test_a_new_brands_overview_says_what_was_refused_and_one_with_visitors_does_not(ours, client_of):
    client = client_of(ours.brand)
    said = "which is not registered"
    assert said not in client.get(reverse("admin:index")).content.decode()
    brand = Brand.objects.create(name="New")
    site = App.objects.create(brand=brand, name="Shop", origin="https://shop.example")
    origin_refused(brand_id=brand.pk, origin="https://www.shop.example", now=utc_now())
    User.objects.filter(username="ann").update(is_superuser=True)
    page = client.get(f"/admin/in/{brand.pk}/").content.decode()
    assert said in page and reverse("admin:devices_app_check", args=[site.pk]).removeprefix("/admin") in page
    assert EndUser.objects.filter(brand=brand).count() == 0
