"""Archiving: a push or popup leaves the lists and comes back; none is deleted."""

import pytest
from django.urls import reverse

from assets.models import PopupResource, PushResource
from assets.services import popup_resource_save, push_resource_save
from campaigns.admin.catalogue import catalogue
from tests.assets.editors import change, login


@pytest.fixture(params=["push", "popup"])
def resource(request, brand, push_draft_one, popup_draft_one):
    if request.param == "push":
        return push_resource_save(brand=brand, name="Bonus", draft=push_draft_one).resource
    return popup_resource_save(brand=brand, name="Bonus", draft=popup_draft_one).resource


def page(resource, name):
    return reverse(f"admin:assets_{resource._meta.model_name}_{name}", args=[resource.pk])


def listed(client, resource, query=""):
    answer = client.get(reverse(f"admin:assets_{resource._meta.model_name}_changelist") + query)
    return [row.pk for row in answer.context["cl"].result_list]


def offered(brand):
    return [one["choices"] for one in catalogue(brand=brand)["resources"].values()]


def test_an_archived_resource_leaves_the_list_and_the_campaigns_and_can_be_restored(client, brand, resource):
    login(client, brand, "editor")
    assert page(resource, "archive") in client.get(change(resource)).content.decode()
    assert "Archive now" in client.get(page(resource, "archive")).content.decode()
    assert listed(client, resource) == [resource.pk]
    client.post(page(resource, "archive"), {"step": "Archive now"})
    assert listed(client, resource) == []
    assert listed(client, resource, "?archived=yes") == [resource.pk]
    assert not any(offered(brand))
    assert "Restore now" in client.get(page(resource, "archive")).content.decode()
    client.post(page(resource, "archive"), {"step": "Restore now"})
    assert listed(client, resource) == [resource.pk]
    assert any(offered(brand))


def test_viewers_do_not_archive_and_nobody_deletes(client, brand, resource):
    login(client, brand, "viewer")
    assert client.post(page(resource, "archive")).status_code == 403
    login(client, brand, "admin")
    assert client.post(page(resource, "delete"), {"post": "yes"}).status_code == 403
    assert page(resource, "delete") not in client.get(change(resource)).content.decode()
    kept = [*PushResource.objects.all(), *PopupResource.objects.all()]
    assert [(row.pk, row.archived_at) for row in kept] == [(resource.pk, None)]
