"""Send test goes to the end user's reachable devices, or says why it goes nowhere."""

from datetime import UTC, datetime

import pytest

from assets.services import CannotSendTest, push_resource_save, push_test_send
from devices.models import Brand, Delivery, Dispatch, EndUser
from tests.support.reach import reach

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def revision(brand, push_draft_one):
    return push_resource_save(brand=brand, name="Bonus", draft=push_draft_one)


@pytest.fixture
def ann(brand):
    return EndUser.objects.create(brand=brand, external_id="ann")


def test_a_test_goes_to_the_reachable_devices_at_once(revision, ann, staff):
    reach(ann)
    (delivery_id,) = push_test_send(revision=revision, end_user=ann, by=staff, now=NOW)
    delivery = Delivery.objects.get(pk=delivery_id)
    dispatch = Dispatch.objects.get()
    assert (delivery.end_user_id, delivery.chunk_id is not None) == (ann.pk, True)
    assert (dispatch.source, dispatch.lane, dispatch.content["revision"]) == ("test", "urgent", revision.pk)


def test_every_press_sends_again(revision, ann, staff):
    reach(ann)
    push_test_send(revision=revision, end_user=ann, by=staff, now=NOW)
    push_test_send(revision=revision, end_user=ann, by=staff, now=NOW)
    assert Delivery.objects.count() == 2


def test_nothing_is_left_behind_where_no_device_can_be_reached(revision, ann, staff):
    with pytest.raises(CannotSendTest, match="no device"):
        push_test_send(revision=revision, end_user=ann, by=staff, now=NOW)
    assert not Dispatch.objects.exists()


def test_a_stopped_brand_sends_no_test(brand, revision, ann, staff):
    reach(ann)
    Brand.objects.update(sending_stopped_at=NOW)
    brand.refresh_from_db()
    revision.refresh_from_db()
    revision.resource.brand.refresh_from_db()
    with pytest.raises(CannotSendTest, match="stopped"):
        push_test_send(revision=revision, end_user=ann, by=staff, now=NOW)


def test_another_brands_end_user_is_refused(revision, staff):
    stranger = EndUser.objects.create(brand=Brand.objects.create(name="Other"), external_id="ann")
    with pytest.raises(CannotSendTest, match="another brand"):
        push_test_send(revision=revision, end_user=stranger, by=staff, now=NOW)
