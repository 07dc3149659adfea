"""Every list that staff can add to has *Create*; what it leads to takes pictures in and makes key pairs."""

from io import BytesIO

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image as Picture

from assets.models import Image
from assets.services.images import MAX_BYTES
from devices.models import (
    ConsentRecord,
    Delivery,
    DeliveryChunk,
    Device,
    Dispatch,
    EndUser,
    Event,
    Incident,
    PopupOffer,
    SendBudget,
    VapidKey,
)

pytestmark = pytest.mark.django_db

# Lists without *Create*, and why nobody could add a row by hand.
WITHOUT = {
    EndUser: "people come with a visit, from the brand's own servers, or with an imported list",
    Event: "an event is what somebody did",
    ConsentRecord: "what was asked and answered",
    Delivery: "made by a campaign, a test or a person's page",
    PopupOffer: "made by a campaign",
    Dispatch: "made with what is sent",
    DeliveryChunk: "how deliveries are handed to workers",
    SendBudget: "what a push service allows",
    Incident: "what went wrong",
}
ADD_IMAGE = "admin:assets_image_add"
ADD_KEY = "admin:devices_vapidkey_add"


def upload(data, name="Sale banner.png"):
    return SimpleUploadedFile(name, data, content_type="image/png")


def png(colour="red"):
    out = BytesIO()
    Picture.new("RGB", (40, 20), colour).save(out, "PNG")
    return out.getvalue()


def test_every_list_that_staff_can_add_to_has_create(ours, client_of):
    client = client_of(ours.brand, superuser=True)
    without = set()
    for model in admin.site._registry:
        names = [model._meta.app_label, model._meta.model_name]
        page = client.get(reverse("admin:{}_{}_changelist".format(*names))).content.decode()
        add = reverse("admin:{}_{}_add".format(*names))
        if f'href="{add}"' not in page:
            without.add(model)
            continue
        button = page.split(f'href="{add}"', 1)[1].split("</a>", 1)[0]
        assert button.endswith("</span>Create"), model
        assert client.get(add).status_code == 200, model
    assert without == set(WITHOUT)


def test_a_list_without_create_says_why_to_who_tries_its_address(ours, client_of):
    client = client_of(ours.brand, superuser=True)
    refused = 0
    for model in WITHOUT:
        refusal = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
        assert refusal.status_code in {403, 404}, model  # some have no such page at all
        if refusal.status_code == 403:
            refused += 1
            assert "smartpush writes these itself" in refusal.content.decode(), model
    assert refused > 5


@pytest.mark.parametrize(("role", "images", "keys"), [("viewer", 0, 0), ("editor", 1, 0), ("admin", 1, 1)])
def test_create_is_offered_to_those_who_may(ours, client_of, role, images, keys):
    client = client_of(ours.brand, role)
    for name, number in (("assets_image", images), ("devices_vapidkey", keys)):
        page = client.get(reverse(f"admin:{name}_changelist")).content.decode()
        assert page.count("</span>Create</a>") == number, name
        assert client.get(reverse(f"admin:{name}_add")).status_code == (200 if number else 403), name


def test_a_picture_that_is_uploaded_in_its_list_is_kept_and_shown_with_its_address(ours, client_of):
    client = client_of(ours.brand, "editor")
    Image.objects.all().delete()
    page = client.post(reverse(ADD_IMAGE), {"file": upload(png())}, follow=True)
    image = Image.objects.get(brand=ours.brand)
    assert (image.name, image.width, image.height) == ("Sale banner.png", 40, 20)
    assert page.redirect_chain[-1][0].endswith(f"/{image.pk}/change/")
    assert "Sale banner.png is uploaded." in page.content.decode()
    client.post(reverse(ADD_IMAGE), {"file": upload(png("blue")), "name": "Blue"})
    assert set(Image.objects.values_list("name", flat=True)) == {"Sale banner.png", "Blue"}


def test_the_same_picture_is_kept_once_and_the_page_names_it(ours, client_of):
    client = client_of(ours.brand, "editor")
    client.post(reverse(ADD_IMAGE), {"file": upload(png()), "name": "First"})
    again = client.post(reverse(ADD_IMAGE), {"file": upload(png()), "name": "Second"}, follow=True)
    assert "This picture was here already, as First." in again.content.decode()
    assert not Image.objects.filter(name="Second").exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (None, "Choose a picture."),
        (b"", "The file is empty."),
        (b"x" * (MAX_BYTES + 1), "larger than 1 MB"),
        (b"no picture", "not a picture"),
    ],
)
def test_a_file_that_is_refused_is_refused_as_the_editors_refuse_it(ours, client_of, file, said):
    client = client_of(ours.brand, "editor")
    before = Image.objects.count()
    given = {} if file is None else {"file": upload(file)}
    page = client.post(reverse(ADD_IMAGE), given)
    assert page.status_code == 200
    assert said in page.content.decode()
    given = {} if file is None else {"file": upload(file)}
    editor = client.post(reverse("admin:assets_pushresource_upload"), given)
    assert editor.status_code == 400
    assert editor.json()["error"] in page.content.decode()
    assert Image.objects.count() == before


def test_a_key_pair_is_made_after_a_question_with_the_number_of_subscriptions(ours, client_of):
    client = client_of(ours.brand)
    old = ours.brand.vapid_keys.get()
    asked = client.get(reverse(ADD_KEY)).content.decode()
    assert "1 subscription moves over at its next visit." in asked
    assert VapidKey.objects.filter(brand=ours.brand).count() == 1
    answer = client.post(reverse(ADD_KEY), follow=True)
    old.refresh_from_db()
    new = VapidKey.objects.get(brand=ours.brand, active=True)
    assert (old.active, new.pk != old.pk) == (False, True)
    assert Device.objects.get(brand=ours.brand).vapid_key == old
    assert new.public_key in answer.content.decode()
    assert new.private_key_encrypted not in answer.content.decode()


def test_a_key_pair_is_made_for_this_brand_alone(ours, theirs, client_of):
    key = theirs.brand.vapid_keys.get()
    client_of(ours.brand).post(reverse(ADD_KEY))
    assert list(theirs.brand.vapid_keys.filter(active=True)) == [key]
