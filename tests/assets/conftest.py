"""A brand with a website, and drafts that can be saved."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from assets.services import ButtonDraft, PopupDraft, PopupVariantDraft, PushDraft, PushVariantDraft
from devices.models import App, Brand
from devices.people.services.categories import category_create
from tests.assets.editors import login


@pytest.fixture
def brand(db):
    brand = Brand.objects.create(name="Acme", click_hosts=["*.shop.example.com"])
    App.objects.create(brand=brand, name="Site", origin="https://www.example.com")
    return brand


@pytest.fixture
def staff(db):
    return User.objects.create_user("ann", is_staff=True)


@pytest.fixture
def push_draft_one():
    return PushDraft(
        variants=(
            PushVariantDraft(
                language="en",
                title='Hi {{ user.first_name | default: "there" }}',
                message="Your bonus waits.",
                icon="https://cdn.example.net/icon.png",
                click_url="https://www.example.com/bonus?u={{ user.external_id }}",
                buttons=(ButtonDraft("Play", "https://a.shop.example.com/"),),
            ),
        )
    )


@pytest.fixture
def popup_draft_one():
    return PopupDraft(variants=(PopupVariantDraft(language="en", title="Stay in touch?", text="Only good news."),))


@pytest.fixture
def categories_popup(brand, popup_draft_one):
    """The draft of a popup that offers News and Offers, which the brand has."""
    greek = {"el": {"name": "Νέα", "description": ""}}
    category_create(brand=brand, name="News", description="First hand.", translations=greek)
    category_create(brand=brand, name="Offers")
    return replace(popup_draft_one, template="categories", categories=("NEWS", "OFFERS"))


@pytest.fixture
def editor(client, brand):
    return login(client, brand, "editor")
