"""The first page's numbers, the icon, and what empty lists say."""

import pytest
from django.urls import reverse

from assets.models import Image
from devices.models import EndUser, PopupOffer, PushStatus
from smartpush import __version__
from smartpush.backoffice.overview import figures, percent
from tests.backoffice.conftest import client_of, ours  # noqa: F401
from tests.backoffice.world import NOW, end_user_with_device

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "–"),
        (0, 5, "0%"),
        (1, 1000, "<1%"),
        (1, 3, "33%"),
        (996, 1000, "99.6%"),
        (99_999, 100_000, "99.9%"),
        (5, 5, "100%"),
    ],
)
def test_a_share_is_100_percent_only_when_it_is_all(part, whole, said):
    assert percent(part, whole) == said


def test_browsers_find_an_icon(client):
    assert client.get("/favicon.ico").url.endswith(".svg")
    assert 'rel="icon"' in client.get(reverse("admin:login")).content.decode()


def test_an_empty_list_invites_to_create_only_what_staff_create(ours, client_of):  # noqa: F811
    client = client_of(ours.brand)
    PopupOffer.objects.filter(brand=ours.brand).delete()
    Image.objects.filter(brand=ours.brand).delete()
    page = client.get(reverse("admin:devices_popupoffer_changelist")).content.decode()
    assert "Nothing here yet" in page
    assert "Create" not in page
    assert "Create the first one" in client.get(reverse("admin:assets_image_changelist")).content.decode()
    searched = client.get(reverse("admin:assets_image_changelist"), {"q": "nothing"}).content.decode()
    assert "Reset filters" in searched


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_the_sidebar_names_the_release(client_of, ours, role):  # noqa: F811
    page = client_of(ours.brand, role).get(reverse("admin:index")).content.decode()
    assert f"smartpush {__version__}" in page


def test_push_enabled_are_those_whose_pushes_come_to_the_device(ours):  # noqa: F811
    before = figures(brand_id=ours.brand.pk, now=NOW).push_enabled
    ann = end_user_with_device(brand=ours.brand, external_id="ann-of-the-overview")
    assert figures(brand_id=ours.brand.pk, now=NOW).push_enabled == before + 1
    pair = PushStatus.objects.get(end_user=ann)
    PushStatus.objects.filter(pk=pair.pk).update(status="suspended")
    visitor = EndUser.objects.create(brand=ours.brand)
    PushStatus.objects.create(
        brand=ours.brand, end_user=visitor, device=pair.device, status="allowed", since=NOW, reported_at=NOW
    )
    assert figures(brand_id=ours.brand.pk, now=NOW).push_enabled == before
