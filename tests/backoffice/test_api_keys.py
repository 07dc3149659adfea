"""API keys in the back office: shown once, revoked for good, for admins of the brand only."""

import re

import pytest
from django.urls import reverse

from devices.brands.services.api_keys import api_key_find
from devices.models import ApiKey
from smartpush.common.crypto import hash_secret
from smartpush.common.time.clock import utc_now

pytestmark = pytest.mark.django_db
ADD = "admin:devices_apikey_add"
BODY = {"name": "Shop back end", "scopes": ["users:write", "push:send"]}


def _secret(response):
    return re.search(r"data-shown-once>\s*([^<\s]+)", response.content.decode())[1]


def test_the_secret_is_shown_once_kept_as_a_hash_and_works(ours, client_of):
    client = client_of(ours.brand)
    response = client.post(reverse(ADD), BODY)
    secret = _secret(response)
    assert "no-store" in response.headers["Cache-Control"]
    key = ApiKey.objects.get(name="Shop back end")
    assert (key.brand, key.scopes, key.created_by.username) == (ours.brand, ["users:write", "push:send"], "ann")
    assert key.secret_hash == hash_secret(secret)
    found = api_key_find(secret=secret, now=utc_now())
    assert (found.brand, found.scopes) == (ours.brand, {"users:write", "push:send"})
    for url in (
        reverse("admin:devices_apikey_changelist"),
        reverse("admin:devices_apikey_change", args=[key.pk]),
        reverse("admin:devices_apikey_history", args=[key.pk]),
    ):
        page = client.get(url)
        assert page.status_code == 200
        assert key.secret_hash not in page.content.decode()
        assert secret not in page.content.decode()
    assert "users:write, push:send" in client.get(reverse("admin:devices_apikey_changelist")).content.decode()


@pytest.mark.parametrize(
    "body", [{"name": "", "scopes": ["push:send"]}, {"name": "x"}, {"name": "x", "scopes": ["everything"]}]
)
def test_a_key_has_a_name_and_scopes_that_there_are(ours, client_of, body):
    before = ApiKey.objects.count()
    response = client_of(ours.brand).post(reverse(ADD), body)
    assert response.status_code == 200
    assert "data-shown-once" not in response.content.decode()
    assert ApiKey.objects.count() == before


def test_revoking_is_asked_for_then_done_and_never_undone(ours, client_of):
    client = client_of(ours.brand)
    secret = _secret(client.post(reverse(ADD), BODY))
    key = ApiKey.objects.get(name="Shop back end")
    revoke = reverse("admin:devices_apikey_revoke", args=[key.pk])
    change = reverse("admin:devices_apikey_change", args=[key.pk])
    assert revoke in client.get(change).content.decode()
    assert "never works again" in " ".join(client.get(revoke).content.decode().split())
    key.refresh_from_db()
    assert key.revoked_at is None
    assert client.post(revoke).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert api_key_find(secret=secret, now=utc_now()) is None
    assert revoke not in client.get(change).content.decode()
    first = key.revoked_at
    client.post(revoke)
    key.refresh_from_db()
    assert key.revoked_at == first


@pytest.mark.parametrize("role", ["viewer", "editor", "publisher"])
def test_who_is_no_admin_sees_and_makes_none(ours, client_of, role):
    client = client_of(ours.brand, role)
    key = ours.rows[ApiKey]
    assert client.get(reverse("admin:devices_apikey_changelist")).status_code == 403
    for url in (reverse(ADD), reverse("admin:devices_apikey_revoke", args=[key.pk])):
        refusal = client.post(url, BODY)
        assert refusal.status_code == 403
        assert "you need the role Admin" in refusal.content.decode()
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_key_can_neither_be_changed_nor_deleted(ours, client_of):
    client, key = client_of(ours.brand), ours.rows[ApiKey]
    client.post(reverse("admin:devices_apikey_change", args=[key.pk]), {"name": "other", "scopes": ["push:send"]})
    client.post(reverse("admin:devices_apikey_delete", args=[key.pk]), {"post": "yes"})
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("OURS key", ["users:read"])
