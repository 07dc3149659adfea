"""Viewers read, editors write, publishers activate and stop, admins change the brand and its staff."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse

from campaigns.models import Campaign
from devices.brands.selectors.staff import Role, accessible_brands, has_brand_role, missing_right
from devices.models import App, Brand, EndUser
from tests.backoffice.world import staff

pytestmark = pytest.mark.django_db


def test_each_role_may_do_what_the_roles_below_it_may(ours, theirs):
    for place, role in enumerate(Role.values):
        user = staff(name=role, brand=ours.brand, role=role)
        held = [has_brand_role(user, ours.brand.pk, needed) for needed in Role.values]
        assert held == [number <= place for number in range(4)]
        assert not has_brand_role(user, theirs.brand.pk, Role.VIEWER)
        assert list(accessible_brands(user)) == [ours.brand]


def test_superusers_are_above_roles_and_the_switched_off_below_them(ours):
    root = User.objects.create_superuser("root")
    assert has_brand_role(root, ours.brand.pk, Role.ADMIN)
    gone = staff(name="gone", brand=ours.brand)
    gone.is_active = False
    former = staff(name="former", brand=ours.brand)
    former.is_staff = False
    for user in (gone, former, AnonymousUser()):
        assert not has_brand_role(user, ours.brand.pk, Role.VIEWER)
        assert not accessible_brands(user).exists()


def test_the_refusal_names_the_right_the_role_and_the_brand(ours):
    assert missing_right(Role.PUBLISHER, ours.brand) == (
        "To activate campaigns and send at OURS brand you need the role Publisher or above. "
        "Ask an admin of the brand for it."
    )


def test_a_viewer_sees_a_campaign_but_cannot_save_it(ours, client_of):
    client, campaign = client_of(ours.brand, "viewer"), ours.rows[Campaign]
    url = reverse("admin:campaigns_campaign_change", args=[campaign.pk])
    page = client.get(url)
    assert page.status_code == 200
    assert "you need the role Editor or above" in page.content.decode()
    refusal = client.post(url, {"name": "stolen"})
    assert refusal.status_code == 403
    assert "you need the role Editor or above" in refusal.content.decode()
    assert client.get(reverse("admin:campaigns_campaign_add")).status_code == 403
    assert client.post(reverse("admin:campaigns_campaign_ready")).status_code == 403


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 302), ("admin", 302)])
def test_preferences_of_an_end_user_are_for_editors(ours, client_of, role, status):
    end_user = ours.rows[EndUser]
    url = reverse("admin:devices_enduser_change", args=[end_user.pk])
    response = client_of(ours.brand, role).post(url, {"target_devices": "web", "backoffice_markers": "vip, call back"})
    assert response.status_code == status
    end_user.refresh_from_db()
    changed = (end_user.target_devices, end_user.backoffice_markers)
    assert changed == (("web", ["CALL_BACK", "VIP"]) if status == 302 else ("all", []))


def test_a_bad_marker_is_refused_and_nothing_is_saved(ours, client_of):
    end_user = ours.rows[EndUser]
    url = reverse("admin:devices_enduser_change", args=[end_user.pk])
    page = client_of(ours.brand, "editor").post(url, {"target_devices": "web", "backoffice_markers": "<b>"})
    assert "is not a marker" in page.content.decode()
    end_user.refresh_from_db()
    assert end_user.target_devices == "all"


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 403), ("publisher", 302)])
def test_stopping_all_sending_is_for_publishers_and_kept_in_the_history(ours, client_of, role, status):
    client, brand = client_of(ours.brand, role), ours.brand
    stop = reverse("admin:devices_brand_stop", args=[brand.pk])
    assert client.post(stop).status_code == status
    brand.refresh_from_db()
    assert (brand.sending_stopped_at is not None) == (status == 302)
    if status == 302:
        newest = brand.history.latest()
        assert (newest.history_change_reason, newest.history_user.username) == ("Stopped all sending", "ann")
        assert "is stopped" in client.get(reverse("admin:index")).content.decode()
        client.post(reverse("admin:devices_brand_resume", args=[brand.pk]))
        brand.refresh_from_db()
        assert brand.sending_stopped_at is None


def test_asking_to_stop_does_not_stop_yet(ours, client_of):
    page = client_of(ours.brand).get(reverse("admin:devices_brand_stop", args=[ours.brand.pk]))
    assert "Stop all sending" in page.content.decode()
    ours.brand.refresh_from_db()
    assert ours.brand.sending_stopped_at is None


@pytest.mark.parametrize(("role", "status"), [("publisher", 403), ("admin", 302)])
def test_brand_settings_are_for_admins(ours, client_of, role, status):
    response = _save_brand(client_of(ours.brand, role), ours.brand, origin="https://www.new.example/")
    assert response.status_code == status
    ours.brand.refresh_from_db()
    if status == 302:
        assert ours.brand.click_hosts == ["shop.example.com", "a.example"]
        assert App.objects.get(brand=ours.brand).origin == "https://www.new.example"


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.example.com/shop",
        "www.example.com",
        "http://www.example.com",
        "https://*.example.com/a?b",
        "javascript:x",
    ],
)
def test_an_origin_that_is_not_exact_is_refused(ours, client_of, origin):
    response = _save_brand(client_of(ours.brand), ours.brand, origin=origin)
    assert response.status_code == 200
    assert "origin" in str(response.context["inline_admin_formsets"][0].formset.errors)


def _save_brand(client, brand, *, origin):
    app = App.objects.get(brand=brand)
    return client.post(
        reverse("admin:devices_brand_change", args=[brand.pk]),
        {
            "name": brand.name, "time_zone": "Europe/Athens", "default_language": "en",
            "logout_policy": "keep", "session_minutes": 30, "click_hosts": "Shop.example.com\n\na.example",
            "identity_mode": "off", "quiet_policy": "wait",
            "frequency_caps-TOTAL_FORMS": 0, "frequency_caps-INITIAL_FORMS": 0,
            "apps-TOTAL_FORMS": 1, "apps-INITIAL_FORMS": 1, "apps-0-id": app.pk, "apps-0-brand": brand.pk,
            "apps-0-kind": "web", "apps-0-name": "Site", "apps-0-origin": origin, "apps-0-bundle_id": "",
        },
    )  # fmt: skip


def test_a_superuser_makes_a_brand_with_its_key_website_and_segments(client_of):
    client = client_of(superuser=True)
    response = client.post(
        reverse("admin:devices_brand_add"),
        {"name": "Fresh", "origin": "https://fresh.example", "time_zone": "Europe/Athens", "default_language": "en"},
    )
    assert response.status_code == 302
    brand = Brand.objects.get(name="Fresh")
    assert brand.vapid_keys.filter(active=True).count() == 1
    assert brand.apps.get().origin == "https://fresh.example"
    page = client.get(reverse("admin:devices_brand_change", args=[brand.pk])).content.decode()
    assert brand.public_key in page
    assert brand.vapid_keys.get().public_key in page
    assert brand.vapid_keys.get().private_key_encrypted not in page
    assert "To be asked" in client.get(reverse("admin:segments_segment_changelist")).content.decode()


def test_only_superusers_make_brands_and_accounts(ours, client_of):
    client = client_of(ours.brand)
    assert client.get(reverse("admin:devices_brand_add")).status_code == 403
    assert client.get(reverse("admin:auth_user_changelist")).status_code == 403
    assert client.get(reverse("admin:auth_user_add")).status_code == 403


def test_the_private_key_is_on_no_page(ours, client_of):
    client = client_of(ours.brand)
    key = ours.brand.vapid_keys.get()
    for url in (
        reverse("admin:devices_vapidkey_change", args=[key.pk]),
        reverse("admin:devices_vapidkey_changelist"),
        reverse("admin:devices_brand_change", args=[ours.brand.pk]),
    ):
        page = client.get(url).content.decode()
        assert key.public_key[:20] in page
        assert key.private_key_encrypted not in page
