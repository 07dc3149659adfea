"""Two tabs of two brands: what is done in one never lands in the other's brand."""

import io
import json

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Picture

from assets.models import Image
from campaigns.models import Campaign
from devices.models import ApiKey, App, Brand, BrandMembership, EndUser, FrequencyCap, IdentityKey
from segments.models import Segment
from tests.backoffice.brand_tabs import FIELD, Seen, choose, inside, joins

pytestmark = pytest.mark.django_db
PEOPLE = "admin:devices_enduser_changelist"
KEY = {"name": "Till", "scopes": ["users:read"]}


@pytest.fixture
def client(ours, theirs, client_of):
    """An admin of both brands who chose `ours`."""
    client = client_of(ours.brand)
    joins("ann", theirs.brand)
    choose(client, ours.brand)
    return client


def _sent(client, address, seen, **filled):
    """Send the page's form where a browser would."""
    action, fields = seen.form(**filled)
    return client.post(action or address, fields)


def test_a_key_is_never_made_for_the_brand_that_another_tab_chose(ours, theirs, client):
    add = reverse("admin:devices_apikey_add")
    first_tab = Seen(client.get(add))
    choose(client, theirs.brand)
    refusal = _sent(client, add, first_tab, **KEY)
    said = refusal.content.decode()
    assert refusal.status_code == 409
    assert f"this form belongs to {ours.brand}" in said
    assert f"would have gone into {theirs.brand}" in said
    assert not ApiKey.objects.filter(name="Till").exists()

    page = Seen(refusal)
    assert page.brand[1] == str(ours.brand.pk)
    strays = {one for one in page.addresses if not one.startswith(inside(ours.brand, "/admin/"))}
    assert strays == {inside(theirs.brand, add)}
    again = _sent(client, add, page)
    assert "data-shown-once" in again.content.decode()
    assert list(ApiKey.objects.filter(name="Till").values_list("brand", "scopes")) == [(ours.brand.pk, ["users:read"])]
    assert f"{theirs.word}-user" in client.get(reverse(PEOPLE)).content.decode()


def test_a_tab_that_followed_a_link_goes_on_in_its_brand(ours, theirs, client):
    overview = Seen(client.get(reverse("admin:index")))
    keys = next(one for one in overview.addresses if one.endswith("/devices/apikey/"))
    choose(client, theirs.brand)
    assert ours.rows[ApiKey].name in client.get(keys).content.decode()
    form = Seen(client.get(f"{keys}add/"))
    made = _sent(client, f"{keys}add/", form, **KEY)
    assert made.status_code == 200
    assert ApiKey.objects.get(name="Till").brand == ours.brand
    assert Seen(made).brand[1] == str(ours.brand.pk)


def test_what_follows_a_saved_form_is_the_list_of_its_brand(ours, theirs, client):
    add = inside(ours.brand, reverse("admin:devices_app_add"))
    form = Seen(client.get(add))
    choose(client, theirs.brand)
    saved = _sent(client, add, form, kind="web", name="Second site", origin="https://second.example", bundle_id="")
    assert saved.status_code == 302, saved.content.decode()
    assert saved.url == inside(ours.brand, reverse("admin:devices_app_changelist"))
    assert App.objects.get(name="Second site").brand == ours.brand


def test_an_object_opened_from_a_message_shows_its_brand_and_leads_on_in_it(ours, theirs, client):
    page = Seen(client.get(reverse("admin:devices_enduser_change", args=[theirs.rows[EndUser].pk])))
    assert page.brand[1] == str(theirs.brand.pk)
    campaigns = next(one for one in page.addresses if one.endswith("/campaigns/campaign/"))
    listed = client.get(campaigns).content.decode()
    assert theirs.rows[Campaign].name in listed
    assert ours.rows[Campaign].name not in listed
    assert ours.rows[Campaign].name in client.get(reverse("admin:campaigns_campaign_changelist")).content.decode()


@pytest.mark.parametrize("across", ["0", "1"])
def test_an_action_on_a_list_touches_no_row_of_the_brand_that_another_tab_chose(ours, theirs, client, across):
    """Select-across says no ids: only the form says whose rows were meant."""
    address = reverse("admin:devices_app_changelist")
    listed = Seen(client.get(address))
    choose(client, theirs.brand)
    chosen = {"action": "delete_selected", "select_across": across, "post": "yes", "index": "0"}
    chosen["_selected_action"] = [str(ours.rows[App].pk), str(theirs.rows[App].pk)]
    before = App.objects.count()
    refusal = client.post(address, {**chosen, FIELD: listed.forms[-1][FIELD]})
    assert refusal.status_code == 409
    assert App.objects.count() == before
    kept = Seen(refusal).form()[1]
    assert (kept["action"], kept["_selected_action"]) == (["delete_selected"], chosen["_selected_action"])
    client.post(Seen(refusal).form()[0], kept)
    assert App.objects.filter(pk=theirs.rows[App].pk).exists()


def test_the_choices_of_a_page_are_those_of_its_brand_and_another_brands_are_refused(ours, theirs, client):
    for address, mine, other in (
        (reverse("admin:campaigns_campaign_add"), ours, theirs),
        (inside(theirs.brand, reverse("admin:campaigns_campaign_add")), theirs, ours),
        (reverse("admin:campaigns_campaign_change", args=[theirs.rows[Campaign].pk]), theirs, ours),
    ):
        page = client.get(address)
        offered = {str(row) for row in page.context["adminform"].form.fields["segment"].queryset}
        assert mine.rows[Segment].name in offered, address
        assert other.rows[Segment].name not in offered, address
        sent = _sent(client, address, Seen(page), name="Mixed", segment=other.rows[Segment].pk)
        assert sent.status_code == 200
        assert "segment" in sent.context["adminform"].form.errors
    assert not Campaign.objects.filter(name="Mixed").exists()


def test_suggestions_of_a_page_are_of_its_brand(ours, theirs, client):
    offered = 0
    for model in admin.site._registry:
        for field in model._meta.get_fields():
            related = field.related_model
            if not field.is_relation or field.auto_created or related not in admin.site._registry or related is Brand:
                continue
            names = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name}
            for mine, other in ((ours, theirs), (theirs, ours)):
                found = client.get(inside(mine.brand, reverse("admin:autocomplete")), names)
                assert other.word not in found.content.decode(), (model, field)
                offered += mine.word in found.content.decode()
    assert offered > 4


def test_the_builder_of_a_page_counts_its_brand(ours, theirs, client):
    form = Seen(client.get(inside(theirs.brand, reverse("admin:segments_segment_add"))))
    base = next(one for one in form.addresses if one.endswith("/segments/segment/"))
    rules = {"version": 1, "rule": {"field": "push_enabled", "operator": "is", "value": True}}
    body = json.dumps({"rules": rules})
    people = client.post(f"{base}sample/", body, content_type="application/json").json()["people"]
    assert [one["name"] for one in people] == [f"{theirs.word}-user"]
    assert people[0]["url"].startswith(f"/admin/in/{theirs.brand.pk}/")
    plain = client.post(reverse("admin:segments_segment_sample"), body, content_type="application/json")
    assert (plain.status_code, plain.json()["code"]) == (409, "other_brand")


def test_a_picture_goes_to_the_brand_of_the_page_that_uploads_it(ours, theirs, client):
    form = Seen(client.get(reverse("admin:assets_pushresource_add")))
    upload = next(one for one in form.addresses if one.endswith("/upload/"))
    choose(client, theirs.brand)
    out = io.BytesIO()
    Picture.new("RGB", (8, 8), "#4f46e5").save(out, "PNG")
    answer = client.post(upload, {"file": SimpleUploadedFile("a.png", out.getvalue())})
    assert answer.status_code == 200
    assert Image.objects.latest("pk").brand == ours.brand


def test_a_list_is_imported_into_the_brand_of_its_form_or_not_at_all(ours, theirs, client):
    add = reverse("admin:segments_segment_list_add")
    form = Seen(client.get(add))
    choose(client, theirs.brand)
    _action, fields = form.form(name="VIP", description="")
    upload = {**fields, "file": SimpleUploadedFile("vip.csv", b"OURS-user\n")}
    asked = client.post(add, upload, headers={"Accept": "application/json"})
    assert asked.status_code == 409
    assert f"belongs to {ours.brand}" in asked.json()["error"]
    upload["file"] = SimpleUploadedFile("vip.csv", b"OURS-user\n")
    page = client.post(add, upload)
    assert page.status_code == 409
    assert "A file cannot be kept" in page.content.decode()
    assert f'href="{inside(ours.brand, add)}"' in page.content.decode()
    assert not Segment.objects.filter(name="VIP").exists()
    client.post(inside(ours.brand, add), {**fields, "ids": "OURS-user"})
    assert Segment.objects.get(name="VIP").brand == ours.brand


def test_what_was_pasted_as_a_key_is_not_repeated_by_the_refusal(ours, theirs, client):
    add = reverse("admin:devices_identitykey_add")
    form = Seen(client.get(add))
    choose(client, theirs.brand)
    refusal = _sent(client, add, form, kid="shop-1", public_key="-----BEGIN PRIVATE KEY-----")
    assert refusal.status_code == 409
    assert "PRIVATE KEY" not in refusal.content.decode()
    assert f'href="{inside(ours.brand, add)}"' in refusal.content.decode()
    assert not IdentityKey.objects.filter(kid="shop-1").exists()


def test_a_begun_form_of_a_brand_that_was_left_meanwhile_is_refused(ours, theirs, client):
    add = reverse("admin:devices_apikey_add")
    form = Seen(client.get(add))
    BrandMembership.objects.get(brand=ours.brand, user__username="ann").delete()
    refusal = _sent(client, add, form, **KEY)
    assert refusal.status_code == 409
    assert "belongs to a brand that is not yours" in refusal.content.decode()
    assert ours.word not in refusal.content.decode()
    assert not ApiKey.objects.filter(name="Till").exists()


def test_choosing_a_brand_moves_this_tab_only(ours, theirs, client):
    people = reverse(PEOPLE)
    answer = client.post(
        inside(ours.brand, reverse("admin:choose_brand")),
        {"brand": theirs.brand.pk, "next": inside(ours.brand, people)},
    )
    assert answer.url == inside(theirs.brand, people)
    assert f"{theirs.word}-user" in client.get(answer.url).content.decode()
    assert f"{ours.word}-user" in client.get(inside(ours.brand, people)).content.decode()
    assert f"{theirs.word}-user" in client.get(people).content.decode()


@pytest.mark.parametrize("target", ["/", "http://testserver/admin/", "https://evil.example/", "/admin"])
def test_choosing_a_brand_leads_nowhere_but_where_it_was_asked_to(theirs, client, target):
    answer = client.post(reverse("admin:choose_brand"), {"brand": theirs.brand.pk, "next": target})
    assert answer.url == (target if "evil" not in target else f"/admin/in/{theirs.brand.pk}/")


def test_logging_out_ends_the_session_from_any_tab(ours, client):
    left = client.post(inside(ours.brand, reverse("admin:logout")), follow=True)
    assert left.status_code == 200
    assert client.get(reverse(PEOPLE)).status_code == 302


@pytest.mark.parametrize("name", ["admin:devices_enduser_change", "admin:devices_apikey_revoke"])
def test_choosing_a_brand_on_the_page_of_an_object_leads_to_the_overview(ours, client, name):
    model = EndUser if "enduser" in name else ApiKey
    page = client.get(reverse(name, args=[ours.rows[model].pk])).content.decode()
    assert f'name="next" value="/admin/in/{ours.brand.pk}/"' in page


def test_an_address_of_a_brand_that_is_not_theirs_shows_nothing_and_says_so(ours, theirs, client_of):
    client = client_of(ours.brand)
    for brand_id in (theirs.brand.pk, 987654321):
        address = reverse(PEOPLE).replace("/admin/", f"/admin/in/{brand_id}/")
        page = client.get(address, follow=True)
        assert page.redirect_chain == [(reverse("admin:index"), 302)]
        assert "not one of your brands" in page.content.decode()
        assert theirs.word not in page.content.decode()
        assert client.post(address, {FIELD: brand_id}).status_code == 403
    assert client.get(inside(ours.brand, reverse(PEOPLE))).status_code == 200


def test_strangers_are_led_to_the_one_log_in_and_from_there_to_the_page(ours):
    address = inside(ours.brand, reverse(PEOPLE))
    for stranger in (address, inside(ours.brand, reverse("admin:login"))):
        answer = Client().get(stranger)
        assert answer.url == f"{reverse('admin:login')}?next={stranger}"


def test_an_address_of_a_brand_leads_to_nothing_but_the_back_office(ours, client):
    for path in ("api/v1/server/users", "healthz", "metrics", "sdk/v1/sw.js", "in/1/"):
        assert client.get(f"/admin/in/{ours.brand.pk}/{path}").status_code == 404, path


def test_times_of_an_object_are_in_its_brands_zone_as_soon_as_it_is_opened(ours, theirs, client):
    Brand.objects.filter(pk=theirs.brand.pk).update(time_zone="Pacific/Auckland")
    Brand.objects.filter(pk=ours.brand.pk).update(time_zone="America/New_York")
    campaign = theirs.rows[Campaign]
    Campaign.objects.filter(pk=campaign.pk).update(kind="scheduled", scheduled_at="2026-07-01T12:00:00Z")
    page = client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
    assert "2026-07-02" in page
    assert "00:00" in page


def test_the_link_for_a_new_colleague_names_no_brand(ours, client):
    add = inside(ours.brand, reverse("admin:devices_brandmembership_add"))
    made = _sent(client, add, Seen(client.get(add)), name="zoe", role="viewer")
    link = next(word for word in made.content.decode().split() if "/set-password/" in word)
    assert "/admin/set-password/" in link
    assert User.objects.filter(username="zoe").exists()


def test_a_new_brand_is_shown_in_the_tab_that_made_it(ours, theirs, client_of):
    client = client_of(superuser=True, name="root")
    choose(client, ours.brand)
    add = reverse("admin:devices_brand_add")
    fields = {"name": "Third", "origin": "https://third.example", "time_zone": "UTC", "default_language": "en"}
    made = _sent(client, add, Seen(client.get(add)), **fields, _continue="1")
    third = Brand.objects.get(name="Third")
    assert made.url == inside(third, reverse("admin:devices_brand_change", args=[third.pk]))
    assert f"{ours.word}-user" in client.get(reverse(PEOPLE)).content.decode()


def test_rows_below_an_object_are_saved_with_the_object_or_not_at_all(ours, theirs, client):
    change = reverse("admin:devices_brand_change", args=[ours.brand.pk])
    page = Seen(client.get(change))
    choose(client, theirs.brand)
    most = next(name for name in page.form()[1] if name.endswith("-0-most"))
    assert _sent(client, change, page, **{most: 7, FIELD: theirs.brand.pk}).status_code == 409
    assert not FrequencyCap.objects.filter(most=7).exists()
    saved = _sent(client, change, page, **{most: 7})
    assert saved.status_code == 302, saved.context["errors"]
    assert FrequencyCap.objects.get(most=7).brand == ours.brand


def test_a_refused_form_repeats_what_was_typed_by_its_labels_and_no_bookkeeping(ours, theirs, client):
    add = reverse("admin:devices_app_add")
    form = Seen(client.get(add))
    choose(client, theirs.brand)
    refusal = _sent(client, add, form, kind="web", name="Second <b>", origin="https://second.example", bundle_id="")
    said = refusal.content.decode()
    assert refusal.status_code == 409 and 'sp-alert-bad mt-4" role="alert"' in said
    assert "<dt>Kind</dt><dd>Website</dd>" in said
    assert "<dt>Name</dt><dd>Second &lt;b&gt;</dd>" in said and "<dt>Origin</dt><dd>https://second.example</dd>" in said
    assert said.count("<dt>") == 3


def test_a_secret_is_not_repeated_to_the_eye_either(ours, theirs, client):
    add = reverse("admin:devices_identitykey_add")
    form = Seen(client.get(add))
    choose(client, theirs.brand)
    refusal = _sent(client, add, form, kid="k9", public_key="-----BEGIN PRIVATE KEY-----")
    assert refusal.status_code == 409
    assert "BEGIN PRIVATE" not in refusal.content.decode() and "<dt>" not in refusal.content.decode()
