"""A push sent from a profile: to the devices of the chosen kind that the profile allows, or nothing with the reason."""

import pytest

from assets.models import PushResource
from assets.services import PushDraft, PushVariantDraft, push_resource_save
from devices.models import Delivery, Device, Dispatch, EndUser, PushStatus
from tests.backoffice.world import end_user_with_device, staff
from tests.support.native import Phone, native_app

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(ours):
    return end_user_with_device(brand=ours.brand, external_id="OURS-ann")


@pytest.fixture
def phone(ours, ann):
    phone = Phone(native_app(ours.brand), "t" * 40)
    phone.open(ann.external_id)
    return phone


def send(client, end_user, push, target="all"):
    return client.post(f"/admin/devices/enduser/{end_user.pk}/send/", {"push": push.pk, "target_devices": target})


@pytest.fixture
def push(ours):
    return PushResource.objects.get(brand=ours.brand)


def refusal(answer) -> str:
    return answer.context["form"].non_field_errors()[0]


@pytest.mark.parametrize(
    ("target", "platforms"), [("all", ["android", "web"]), ("web", ["web"]), ("native", ["android"])]
)
def test_a_push_goes_to_the_kind_of_devices_that_was_chosen(client_of, ours, ann, phone, push, target, platforms):
    answer = send(client_of(ours.brand, "publisher"), ann, push, target)

    assert answer.status_code == 302
    dispatch = Dispatch.objects.get(source="profile")
    reached = Device.objects.filter(pk__in=Delivery.objects.filter(dispatch=dispatch).values("device_id"))
    assert sorted(reached.values_list("platform", flat=True)) == platforms
    assert (dispatch.purpose, dispatch.target_devices) == ("marketing", target)


@pytest.mark.parametrize(
    ("target", "preference", "words"),
    [
        ("web", "native", "the message is for web devices only and the profile asks for native apps only: together"),
        ("native", "web", "the message is for native apps only and the profile asks for web devices only: together"),
        ("native", "all", "the message is for native apps only, and they can be reached on web devices."),
        ("all", "native", "the profile asks for native apps only, and they can be reached on web devices."),
    ],
)
def test_targets_that_exclude_every_device_are_explained(client_of, ours, ann, push, target, preference, words):
    EndUser.objects.filter(pk=ann.pk).update(target_devices=preference)

    answer = send(client_of(ours.brand, "publisher"), ann, push, target)

    assert words in refusal(answer)
    assert not Dispatch.objects.filter(source="profile").exists()


def test_devices_that_cannot_be_reached_are_counted_by_why(client_of, ours, ann, phone, push):
    Device.objects.filter(holder=ann).update(token_hash=None)
    PushStatus.objects.filter(end_user=ann, device=phone.device).update(status="blocked")

    answer = send(client_of(ours.brand, "publisher"), ann, push)

    assert "1 allowed, but its push address is dead, 1 blocked." in refusal(answer)


def test_without_a_device_it_says_so(client_of, ours, push):
    bob = EndUser.objects.create(brand=ours.brand, external_id="OURS-bob")

    assert "they have no device" in refusal(send(client_of(ours.brand, "publisher"), bob, push))


def test_who_opted_out_gets_nothing(client_of, ours, ann, push):
    EndUser.objects.filter(pk=ann.pk).update(user_opt_out=True)

    assert "opted out" in refusal(send(client_of(ours.brand, "publisher"), ann, push))


def test_the_page_says_what_the_profile_prefers(client_of, ours, ann):
    EndUser.objects.filter(pk=ann.pk).update(target_devices="web")

    page = client_of(ours.brand, "publisher").get(f"/admin/devices/enduser/{ann.pk}/send/").content.decode()

    assert "a message goes only where both agree" in page


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_only_publishers_send(client_of, ours, ann, push, role):
    client = client_of(ours.brand, role)

    assert send(client, ann, push).status_code == 403
    assert "Send a push" not in client.get(f"/admin/devices/enduser/{ann.pk}/change/").content.decode()


def test_neither_another_brand_s_end_user_nor_its_push_can_be_chosen(client_of, ours, theirs, ann, push):
    client = client_of(ours.brand, "publisher")
    stranger = EndUser.objects.filter(brand=theirs.brand).first()
    foreign = PushResource.objects.get(brand=theirs.brand)

    assert send(client, stranger, push).status_code == 404
    assert "push" in send(client, ann, foreign).context["form"].errors


@pytest.mark.parametrize("where", ["profile", "test"])
def test_a_push_that_was_edited_after_the_page_was_opened_is_not_sent_unseen(client_of, ours, ann, push, where):
    client = client_of(ours.brand, "publisher")
    address = {
        "profile": f"/admin/devices/enduser/{ann.pk}/send/",
        "test": f"/admin/assets/pushresource/{push.pk}/test/",
    }[where]
    given = {"push": push.pk, "target_devices": "all", "external_id": ann.external_id}
    opened = client.get(address).context["form"]
    seen = {"seen": opened["seen"].value()}
    variant = PushVariantDraft(language="en", title="Edited", message="m")
    by = staff(name="Bob")
    push_resource_save(brand=ours.brand, name=push.name, draft=PushDraft((variant,)), by=by, resource=push)
    before = Dispatch.objects.count()
    answer = client.post(address, given | seen)
    assert "was edited by Bob at" in refusal(answer)
    assert Dispatch.objects.count() == before
    told = {"seen": answer.context["form"]["seen"].value()}
    assert client.post(address, given | told).status_code == 302
    assert Dispatch.objects.latest("pk").content["variants"]["en"]["title"] == "Edited"
