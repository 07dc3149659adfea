"""A published audience stands alone: what becomes of its segments changes who enters only when it is said again."""

from datetime import timedelta

import pytest

from campaigns.models import Campaign, Enrolment
from campaigns.selectors.audiences import audience_outdated
from campaigns.services.entry_by_api import OUTSIDE, TriggerRow, campaign_trigger
from campaigns.services.entry_by_event import enter_by_events
from campaigns.services.publish import CannotPublish, campaign_publish
from campaigns.services.schedule import launch_due
from campaigns.services.states import campaign_disable
from devices.models import Brand, EndUser
from devices.people.services.events import EventInput, event_record
from segments.models import ListEntry, Segment
from segments.services import segment_save
from tests.campaigns.world import NOW, flow_of, stop

VIP = {"version": 1, "rule": {"field": "js_markers", "operator": "has", "value": "VIP"}}
NOBODY = {"version": 1, "rule": {"field": "js_markers", "operator": "has", "value": "NOBODY"}}


def names(*segments):
    return {
        "version": 1,
        "rule": {"all": [{"field": "segment", "operator": "in", "value": segment.pk} for segment in segments]},
    }


@pytest.fixture
def listed(world):
    return Segment.objects.create(brand=world.brand, name="List", kind="imported")


@pytest.fixture
def nested(world, listed):
    """Who has the marker VIP and is in the list, three segments deep."""
    vip = segment_save(brand=world.brand, name="VIPs", rules=VIP)
    both = segment_save(brand=world.brand, name="Both", rules=names(vip, listed))
    return segment_save(brand=world.brand, name="Outer", rules=names(both))


@pytest.fixture
def people(world, listed):
    """Ann is in it; Bob only in the list, Cy only a VIP."""
    ann = world.end_user(js_markers=["VIP"])
    bob = world.end_user()
    cy = world.end_user(js_markers=["VIP"])
    for person in (ann, bob):
        ListEntry.objects.create(segment=listed, end_user=person)
    return [ann, bob, cy]


def published(world, segment, **fields):
    campaign = Campaign.objects.create(
        brand=world.brand, name="Welcome", segment=segment, flow=flow_of(stop("a1")), entry_mode="every_time", **fields
    )
    campaign_publish(campaign=campaign, by=None, now=NOW)
    # From here on the segments mean nobody; the version does not hear of it.
    for name in ("VIPs", "Both"):
        Segment.objects.filter(name=name).update(rules=NOBODY)
    return campaign


def deposits(world, people, now=NOW):
    for person in people:
        events = event_record(
            brand_id=world.brand.pk,
            end_user_id=person.pk,
            device_id=None,
            events=[EventInput(name="deposit", occurred_at=now)],
            now=now,
        )
        enter_by_events(brand_id=world.brand.pk, events=events, now=now)


def entered():
    return set(Enrolment.objects.values_list("end_user_id", flat=True))


def test_an_event_lets_in_the_nested_audience_as_it_was_published(world, nested, people, listed):
    published(world, nested, trigger_event="deposit")
    deposits(world, people)
    assert entered() == {people[0].pk}
    ListEntry.objects.create(segment=listed, end_user=people[2])  # imported lists stay live
    deposits(world, people)
    assert entered() == {people[0].pk, people[2].pk}


def test_a_schedule_lets_in_the_nested_audience(world, nested, people):
    published(world, nested, kind="scheduled", trigger_event="", scheduled_at=NOW)
    while launch_due(now=NOW).slices:
        pass
    assert entered() == {people[0].pk}


def test_a_server_lets_in_the_nested_audience(world, nested, people):
    campaign = published(world, nested)
    rows = [TriggerRow(number, person.pk, {}) for number, person in enumerate(people)]
    results = campaign_trigger(campaign_id=campaign.pk, rows=rows, key="k", now=NOW).results
    assert results == {0: "entered", 1: OUTSIDE, 2: OUTSIDE}


def test_an_imported_list_is_an_audience(world, listed, people):
    published(world, listed, trigger_event="deposit")
    deposits(world, people)
    assert entered() == {people[0].pk, people[1].pk}


def test_days_are_those_of_the_brands_time_zone_of_today(world):
    today = {"field": "last_seen", "operator": "in_current", "value": {"unit": "day", "zone": "brand"}}
    segment = segment_save(brand=world.brand, name="Today", rules={"version": 1, "rule": today})
    ann = world.end_user(last_session_at=NOW - timedelta(hours=8))  # 4 in the morning, UTC
    published(world, segment, trigger_event="deposit")
    Brand.objects.filter(pk=world.brand.pk).update(time_zone="America/Los_Angeles")  # where it was 8 in the evening
    deposits(world, [ann])
    assert entered() == set()
    Brand.objects.filter(pk=world.brand.pk).update(time_zone="Europe/Berlin")
    deposits(world, [ann])
    assert entered() == {ann.pk}


def test_an_audience_that_cannot_be_used_is_a_problem_that_says_so(world, nested):
    gone = segment_save(brand=world.brand, name="Gone", rules=VIP)
    naming = segment_save(brand=world.brand, name="Naming", rules=names(gone))
    Segment.objects.filter(pk=gone.pk).delete()
    Segment.objects.filter(name="VIPs").update(rules={"version": 1, "rule": {"field": "gone"}})
    large = segment_save(brand=world.brand, name="Large", rules={"version": 1, "rule": {"all": [VIP["rule"]] * 150}})
    larger = Segment.objects.create(
        brand=world.brand, name="Larger", rules={"version": 1, "rule": {"all": names(large)["rule"]["all"] * 100}}
    )
    circle = Segment.objects.create(brand=world.brand, name="Circle", rules={})
    Segment.objects.filter(pk=circle.pk).update(rules=names(circle))
    for segment, words in (
        (nested, "need to be mended"),
        (naming, "does not have this segment"),
        (larger, "too many"),
        (Segment.objects.get(name="Circle"), "too many"),
    ):
        campaign = Campaign.objects.create(
            brand=world.brand, name=segment.name, segment=segment, flow=flow_of(stop("a1"))
        )
        with pytest.raises(CannotPublish) as refused:
            campaign_publish(campaign=campaign, by=None, now=NOW)
        [problem] = refused.value.problems
        assert problem.code == "audience"
        assert words in problem.message


def test_a_campaign_tells_when_its_audience_means_others_now(world):
    vip = segment_save(brand=world.brand, name="VIPs", rules=VIP)
    outer = segment_save(brand=world.brand, name="Outer", rules=names(vip))
    campaign = Campaign.objects.create(brand=world.brand, name="Welcome", segment=outer, flow=flow_of(stop("a1")))
    assert not audience_outdated(campaign=campaign, now=NOW)
    campaign_publish(campaign=campaign, by=None, now=NOW)
    assert not audience_outdated(campaign=campaign, now=NOW)
    segment_save(brand=world.brand, name="VIPs", rules=NOBODY, segment=vip)
    assert audience_outdated(campaign=campaign, now=NOW)
    campaign_publish(campaign=campaign, by=None, now=NOW)
    assert not audience_outdated(campaign=campaign, now=NOW)
    campaign.segment = None
    assert audience_outdated(campaign=campaign, now=NOW)
    campaign_disable(campaign=campaign, now=NOW)
    assert not audience_outdated(campaign=campaign, now=NOW)
    assert not EndUser.objects.exists()
