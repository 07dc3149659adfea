"""Addresses that staff type: one spelling kept, both accepted, and what no browser sends refused at its field."""

import importlib

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.urls import reverse

from assets.models import PushResource
from devices.admin.forms import web_origin
from devices.brands.selectors.click_hosts import click_host_names, click_hosts, home_page
from devices.lifecycle.brands import brand_create
from devices.models import App
from smartpush.common.addresses.origins import check_click_url

pytestmark = pytest.mark.django_db

WRONG = [
    "https://[your-site].com", "https://[", "https://a b", "https://shop.example:99999", "https://*.com", "https://",
    "shop.example", "https://shop.example/path", "https://shop.example?a", "https://user@shop.example", "*", "::1",
    "https://\u200bshop.example", "https://shop..example", "https://xn--a.example", "\\\\shop", "https://1.2.3",
    "https://x℀.example", "javascript:alert(1)", "{{ user.site }}", "http://shop.example",
]  # fmt: skip

HOSTS = {"shop.example"}  # right where a host is asked for
PAGES = {"https://shop.example/path", "https://shop.example?a"}  # right where a page is


def _app(client, brand, origin):
    body = {"brand": brand.pk, "kind": "web", "name": "New", "origin": origin, "bundle_id": ""}
    return client.post(reverse("admin:devices_app_add"), body)


def _brand_form(brand, **fields):
    app = App.objects.get(brand=brand, kind="web")
    return {
        "name": brand.name, "time_zone": "Europe/Athens", "default_language": "en", "logout_policy": "keep",
        "session_minutes": 30, "identity_mode": "off", "quiet_policy": "wait",
        "apps-TOTAL_FORMS": 1, "apps-INITIAL_FORMS": 1, "apps-0-id": app.pk, "apps-0-brand": brand.pk,
        "apps-0-kind": "web", "apps-0-name": "Site", "apps-0-origin": app.origin, "apps-0-bundle_id": "",
        "frequency_caps-TOTAL_FORMS": 0, "frequency_caps-INITIAL_FORMS": 0,
    } | fields  # fmt: skip


def _errors(page):
    """The fields with an error of a page's form and of the lines inside it."""
    assert page.status_code == 200
    found = set(page.context["adminform"].form.errors)
    for formset in page.context["inline_admin_formsets"]:
        found |= {f"{formset.formset.prefix}.{name}" for errors in formset.formset.errors for name in errors}
    return found


def test_a_wrong_address_is_the_fields_error_wherever_it_is_typed(client_of, ours):
    client = client_of(ours.brand, superuser=True)
    change = reverse("admin:devices_brand_change", args=[ours.brand.pk])
    new = {"name": "Third", "time_zone": "UTC", "default_language": "en"}
    before = set(App.objects.values_list("origin", flat=True))
    for typed in WRONG:
        hosts = "fine.example" if typed in HOSTS else typed
        answer = client.post(change, _brand_form(ours.brand, **{"apps-0-origin": typed, "click_hosts": hosts}))
        assert _errors(answer) - {"click_hosts"} == {"apps.origin"}, typed
        assert ("click_hosts" in _errors(answer)) == (typed not in HOSTS), typed
    for typed in WRONG[:6]:
        assert _errors(_app(client, ours.brand, typed)) == {"origin"}, typed
        answer = client.post(reverse("admin:devices_brand_add"), {**new, "origin": typed})
        assert _errors(answer) == {"origin"}, typed
    assert set(App.objects.values_list("origin", flat=True)) == before


def test_a_picture_of_the_brand_that_has_no_address_is_its_fields_error(client_of, ours):
    client = client_of(ours.brand)
    change = reverse("admin:devices_brand_change", args=[ours.brand.pk])
    for typed in ("https://[your-site].com", "https://a b", "https://*.com", "http://shop.example/i.png", "\\\\shop"):
        answer = client.post(change, _brand_form(ours.brand, default_icon_url=typed))
        assert _errors(answer) == {"default_icon_url"}, typed


@pytest.mark.parametrize(
    "typed", ["https://bücher.example", "https://xn--bcher-kva.example", "https://BÜCHER.example/"]
)
def test_an_international_origin_is_kept_as_browsers_send_it(client_of, ours, typed):
    assert _app(client_of(ours.brand), ours.brand, typed).status_code == 302
    assert App.objects.get(brand=ours.brand, name="New").origin == "https://xn--bcher-kva.example"
    again = _app(client_of(ours.brand, name="bea"), ours.brand, "https://bücher.example")
    assert again.status_code == 200  # the same website in its other spelling
    hosts = click_hosts(brand=ours.brand)
    for address in ("https://bücher.example/a", "https://xn--bcher-kva.example/a"):
        assert check_click_url(address, hosts=hosts) is None


def test_click_hosts_take_both_spellings_and_keep_one(client_of, ours):
    typed = "bücher.example\nxn--bcher-kva.example\n*.Straße.example"
    page = client_of(ours.brand).post(
        reverse("admin:devices_brand_change", args=[ours.brand.pk]), _brand_form(ours.brand, click_hosts=typed)
    )
    assert page.status_code == 302
    ours.brand.refresh_from_db()
    assert ours.brand.click_hosts == ["xn--bcher-kva.example", "*.xn--strae-oqa.example"]


def test_services_keep_the_same_spelling_as_forms():
    brand = brand_create(name="Books", origin="https://BÜCHER.example:443")
    assert App.objects.get(brand=brand).origin == "https://xn--bcher-kva.example"


def test_a_website_on_a_port_of_its_own_may_be_clicked_to_and_pages_are_told_names():
    brand = brand_create(name="Books", origin="https://books.example:8443")
    assert check_click_url("https://books.example:8443/a", hosts=click_hosts(brand=brand)) is None
    assert click_host_names(brand=brand) == ("books.example",)


def test_an_origin_from_before_that_no_browser_sends_is_no_click_host():
    brand = brand_create(name="Books", origin="https://books.example")
    App.objects.bulk_create([App(brand=brand, name="All", origin="https://*.com")])
    assert click_hosts(brand=brand) == {"books.example"}


def test_the_upgrade_spells_origins_and_archives_the_copy_that_no_browser_matched(capsys):
    brand = brand_create(name="Books", origin="https://xn--bcher-kva.example")
    other = brand_create(name="Other", origin="https://other.example")
    App.objects.bulk_create([
        App(brand=brand, name="Copy", origin="https://bücher.example"),
        App(brand=other, name="Alone", origin="https://bücher.example"),
        App(brand=other, name="All", origin="https://*.com"),
    ])  # fmt: skip
    migration = importlib.import_module("devices.migrations.0021_origins_spelled")
    for _ in range(2):
        migration.origins_spell(apps, None)
    kept = {
        app.name: (app.origin, app.archived_at is not None) for app in App.objects.exclude(name__in=["Books", "Other"])
    }
    assert kept == {
        "Copy": ("https://bücher.example", True),
        "Alone": ("https://xn--bcher-kva.example", False),
        "All": ("https://*.com", False),
    }
    told = capsys.readouterr().out
    assert "Copy" in told
    assert "https://*.com" in told


def test_no_push_can_be_saved_with_a_wrong_address(client_of, ours):
    client = client_of(ours.brand, "editor")
    body = {
        "name": "Odd", "language": "en", "title": "a", "message": "b", "ttl_amount": "2", "ttl_unit": "hours",
        "urgency": "high", "policy": "at_most_once",
    }  # fmt: skip
    button = {"button_1_title": "Open", "button_1_url": home_page(brand=ours.brand)}
    for typed in WRONG:
        if typed not in PAGES:
            fields = dict.fromkeys(("click_url", "icon", "image", "badge", "button_1_url"), typed)
            answer = client.post(reverse("admin:assets_pushresource_add"), {**body, **button, **fields})
            assert set(answer.context["adminform"].form.errors) == set(fields), typed
    assert not PushResource.objects.filter(name="Odd").exists()


@pytest.mark.parametrize(("development", "words"), [(True, "Pages on developers' own machines"), (False, "https://")])
def test_an_origin_on_ones_own_machine_names_the_switch_for_it(settings, development, words):
    settings.DEVELOPMENT = development
    with pytest.raises(ValidationError, match=words):
        web_origin("http://localhost:3000")
