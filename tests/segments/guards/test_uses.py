"""Where a segment is used, what may not be deleted under its users, and what they are told before it changes."""

from threading import Event, Thread

import pytest
from django.db import connection, transaction

from campaigns.models import Campaign
from campaigns.services.publish import campaign_publish
from campaigns.services.states import campaign_archive, campaign_disable
from devices.models import Brand
from segments.models import Segment
from segments.selectors.uses import segment_uses
from segments.services import CannotDeleteSegment, segment_delete, segment_save
from segments.services.guard import change_touches
from tests.campaigns.world import NOW, flow_of, stop

pytestmark = pytest.mark.django_db
ASK = {"version": 1, "rule": {"field": "push_status_last_session", "operator": "is", "value": "ask"}}
VIP = {"version": 1, "rule": {"field": "js_markers", "operator": "has", "value": "VIP"}}


def names(segment):
    return {"version": 1, "rule": {"field": "segment", "operator": "in", "value": segment.pk}}


@pytest.fixture
def brand(db):
    return Brand.objects.create(name="Shop")


@pytest.fixture
def vip(brand):
    return segment_save(brand=brand, name="VIPs", rules=VIP)


def campaign(brand, name="Welcome", *, published=True, **fields):
    made = Campaign.objects.create(brand=brand, name=name, flow=flow_of(stop("a1")), **fields)
    if published:
        campaign_publish(campaign=made, by=None, now=NOW)
    return made


def used(segment):
    uses = segment_uses(segment=segment)
    return (
        [(use.name, use.state, use.as_entry, use.through) for use in uses.campaigns],
        [(use.name, use.through) for use in uses.segments],
    )


def test_a_segment_that_nothing_uses_is_deleted(vip):
    assert not segment_uses(segment=vip)
    segment_delete(segment=vip)
    assert not Segment.objects.exists()


def test_segments_and_campaigns_use_it_themselves_or_by_way_of_another(brand, vip):
    second = segment_save(brand=brand, name="Second", rules=names(vip))
    third = segment_save(brand=brand, name="Third", rules=names(second))
    campaign(brand, "By audience", segment=vip)
    campaign(brand, "By draft", segment=vip, published=False)
    campaign(brand, "By way", segment=third)
    campaign(brand, "On entry", trigger_kind="segment_entered", trigger_segment=vip)
    campaign(brand, "Others")
    assert used(vip) == (
        [
            ("By audience", "Active", False, ""),
            ("By draft", "Draft", False, ""),
            ("By way", "Active", False, "Third"),
            ("On entry", "Active", True, ""),
        ],
        [("Second", ""), ("Third", "Second")],
    )
    url = segment_uses(segment=vip).campaigns[0].url
    assert url == f"/admin/campaigns/campaign/{Campaign.objects.get(name='By audience').pk}/change/"


def test_what_a_running_campaign_was_published_with_is_a_use_although_its_draft_has_another(brand, vip):
    made = campaign(brand, segment=vip, trigger_kind="segment_left", trigger_segment=vip)
    Campaign.objects.filter(pk=made.pk).update(segment=None, trigger_segment=None, trigger_kind="event")
    assert used(vip)[0] == [("Welcome", "Active", False, ""), ("Welcome", "Active", True, "")]
    made.refresh_from_db()
    campaign_disable(campaign=made, now=NOW)
    assert used(vip)[0] == []


def test_an_imported_list_inside_a_published_audience_is_a_use(brand):
    listed = Segment.objects.create(brand=brand, name="List", kind="imported")
    wider = segment_save(brand=brand, name="Wider", rules={"version": 1, "rule": {"not": names(listed)["rule"]}})
    made = campaign(brand, segment=wider)
    Campaign.objects.filter(pk=made.pk).update(segment=None)
    Segment.objects.filter(pk=wider.pk).update(rules=ASK)
    assert used(listed) == ([("Welcome", "Active", False, "")], [])
    with pytest.raises(CannotDeleteSegment):
        segment_delete(segment=listed)


@pytest.mark.parametrize("state", ["draft", "active", "disabled", "archived"])
def test_what_a_campaign_uses_is_not_deleted_in_whatever_state_it_is(brand, vip, state):
    made = campaign(brand, segment=vip, published=state != "draft")
    if state == "disabled":
        campaign_disable(campaign=made, now=NOW)
    elif state == "archived":
        campaign_archive(campaign=made, now=NOW)
    with pytest.raises(CannotDeleteSegment) as refused:
        segment_delete(segment=vip)
    assert [(use.name, use.archived) for use in refused.value.uses.campaigns] == [("Welcome", state == "archived")]
    assert Segment.objects.filter(pk=vip.pk).exists()


def test_what_another_segment_names_is_not_deleted(brand, vip):
    segment_save(brand=brand, name="Second", rules=names(vip))
    with pytest.raises(CannotDeleteSegment, match="Second"):
        segment_delete(segment=vip)


def test_only_other_rules_of_what_is_used_touch_anybody(brand, vip):
    assert change_touches(segment=vip, rules=ASK) is None
    made = campaign(brand, segment=vip)
    assert change_touches(segment=vip, rules=VIP) is None
    touched = change_touches(segment=vip, rules=ASK)
    assert touched is not None
    assert [use.name for use in touched.campaigns] == ["Welcome"]
    campaign_archive(campaign=made, now=NOW)
    assert change_touches(segment=vip, rules=ASK) is None


@pytest.mark.django_db(transaction=True)
def test_a_segment_that_is_being_named_is_not_deleted_at_the_same_moment():
    brand = Brand.objects.create(name="Shop")
    vip = segment_save(brand=brand, name="VIPs", rules=VIP)
    named, outcome = Event(), []

    def delete():
        named.wait(timeout=60)
        try:
            segment_delete(segment=vip)
            outcome.append("deleted")
        except CannotDeleteSegment:
            outcome.append("refused")
        finally:
            connection.close()

    thread = Thread(target=delete)
    thread.start()
    with transaction.atomic():
        segment_save(brand=brand, name="Second", rules=names(vip))
        named.set()
        thread.join(timeout=1)  # it waits for this transaction, or has not begun: both are well
    thread.join(timeout=120)
    assert outcome == ["refused"]
