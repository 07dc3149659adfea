"""A website or app is archived and restored from its page; the history says how many devices it has."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from assets.models import PushResource
from devices.admin.archiving import ArchivingAdmin
from devices.models import ApiKey, App, Brand, Device, EndUser, IdentityKey, PushCategory

pytestmark = pytest.mark.django_db


def url(app, page="archive"):
    return reverse(f"admin:devices_app_{page}", args=[app.pk])


def listed(client, query=""):
    answer = client.get(reverse("admin:devices_app_changelist") + query)
    return [row.pk for row in answer.context["cl"].result_list]


def test_it_asks_with_the_numbers_keeps_everything_and_can_be_restored(ours, client_of):
    client, app = client_of(ours.brand), ours.rows[App]
    assert url(app) in client.get(url(app, "change")).content.decode()
    assert "1 device (1 with a push address that works)" in client.get(url(app)).content.decode()

    assert client.post(url(app), {"step": "Archive now"}).status_code == 302

    app.refresh_from_db()
    assert app.archived_at is not None
    assert (listed(client), listed(client, "?archived=yes")) == ([], [app.pk])
    assert Device.objects.get(app=app).unreachable_reason == "app_archived"
    told = LogEntry.objects.filter(object_id=str(app.pk)).latest("action_time").change_message
    assert told == "Archived, with 1 device (1 with a push address that works)."
    profile = client.get(reverse("admin:devices_enduser_change", args=[ours.rows[EndUser].pk])).content.decode()
    assert "nothing is sent to it: OURS brand (Website, archived)" in profile
    assert "app_archived" not in profile.split("sp-history")[0]
    brand = client.get(reverse("admin:devices_brand_change", args=[ours.brand.pk])).content.decode()
    assert 'value="https://ours.example"' not in brand

    page = client.get(url(app, "change")).content.decode()
    assert ("Archived" in page, "Restore" in page) == (True, True)
    assert client.post(url(app), {"step": "Restore now"}).status_code == 302

    app.refresh_from_db()
    assert (app.archived_at, listed(client)) == (None, [app.pk])
    assert Device.objects.get(app=app).token_hash is not None


ARCHIVING = [model for model, page in admin.site._registry.items() if isinstance(page, ArchivingAdmin)]


@pytest.mark.parametrize("model", ARCHIVING, ids=[model.__name__ for model in ARCHIVING])
def test_a_question_that_somebody_else_has_answered_does_nothing_more(ours, client_of, model):
    client, row = client_of(ours.brand), ours.rows[model]
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_archive", args=[row.pk])
    for button, verb in (("Archive now", "archived"), ("Restore now", "restored")):
        assert f'name="step" value="{button}"' in client.get(address).content.decode()
        assert client.post(address, {"step": button}).status_code == 302
        row.refresh_from_db()
        after = row.archived_at
        again = client.post(address, {"step": button})
        assert again.status_code == 409
        assert f"was {verb} after this page was opened, so nothing was done" in again.content.decode()
        row.refresh_from_db()
        assert row.archived_at == after
    assert row.archived_at is None


def test_it_asks_as_other_dangerous_steps_do_and_restoring_does_not(ours, client_of):
    client, app = client_of(ours.brand), ours.rows[App]
    asked = client.get(url(app)).content.decode()
    assert "sp-button-danger" in asked
    assert "<li>1 device (1 with a push address that works)</li>" in asked
    client.post(url(app), {"step": "Archive now"})
    assert "sp-button-danger" not in client.get(url(app)).content.decode()


@pytest.mark.parametrize("model", [ApiKey, IdentityKey, PushResource, PushCategory, Brand])
def test_what_is_never_deleted_says_so_and_leads_to_what_can_be_done(ours, client_of, model):
    row, page = ours.rows[model], admin.site._registry[model]
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_delete", args=[row.pk])
    answer = client_of(ours.brand).get(address)
    said = answer.content.decode()
    assert answer.status_code == 403
    assert "not deleted</h2>" in said and "You may not do this" not in said
    instead = page.instead_of_deleting(answer.wsgi_request, row)["instead_url"]
    assert f'href="{instead}"' in said
    viewer = client_of(ours.brand, "viewer", name="vic").get(address)
    assert viewer.status_code == 403 and f'href="{instead}"' not in viewer.content.decode()


def test_only_admins_archive_one(ours, client_of):
    app = ours.rows[App]
    assert client_of(ours.brand, "publisher").post(url(app)).status_code == 403
    app.refresh_from_db()
    assert app.archived_at is None


def test_another_of_the_same_address_points_at_the_archived_one(ours, client_of):
    client, app = client_of(ours.brand), ours.rows[App]
    client.post(url(app), {"step": "Archive now"})
    body = {"kind": "web", "name": "Again", "origin": app.origin, "bundle_id": ""}
    answer = client.post(reverse("admin:devices_app_add"), body)
    assert "Restore it under" in str(answer.context["adminform"].form.errors["origin"])
    assert App.objects.filter(brand=ours.brand).count() == 1
