"""Campaigns that begin as somebody enters or leaves a segment: from the change of a person to the push."""

import pytest

from assets.services import PushDraft, PushVariantDraft, push_resource_save
from campaigns.advance import advance_due
from campaigns.models import Campaign, Enrolment
from campaigns.services.entry_by_segment import membership_changes_take
from campaigns.services.publish import CannotPublish, campaign_publish
from campaigns.services.states import campaign_archive, campaign_disable, campaign_pause, campaign_resume
from devices.models import Brand, Delivery, EndUser
from segments.models import MembershipChange, Segment, SegmentMembership
from segments.services import segment_save
from segments.services.watching import changed_people_evaluate
from tests.campaigns.world import NOW, flow_of, later, push, stop

VIP = {"version": 1, "rule": {"field": "js_markers", "operator": "has", "value": "VIP"}}


@pytest.fixture
def vip(world):
    return segment_save(brand=world.brand, name="VIPs", rules=VIP)


def welcome(world, watched, kind="segment_entered", **fields):
    """A published campaign that sends a push to who enters (or leaves) the segment."""
    draft = PushDraft(variants=(PushVariantDraft("en", "Welcome", "Good to have you."),))
    resource = push_resource_save(brand=world.brand, name="Welcome", draft=draft).resource
    fields = {"name": "Welcome", "entry_mode": "every_time", **fields}
    flow = flow_of(push("a1", resource=resource.pk))
    campaign = Campaign.objects.create(
        brand=world.brand, trigger_kind=kind, trigger_segment=watched, trigger_event="", flow=flow, **fields
    )
    campaign_publish(campaign=campaign, by=None, now=NOW)
    return campaign


def becomes(person, *markers):
    EndUser.objects.filter(pk=person.pk).update(js_markers=list(markers))


def tick(seconds):
    """What the ticker does with changes and changes, until there is nothing left."""
    now = later(seconds)
    while changed_people_evaluate(now=now) + membership_changes_take(now=now) + advance_due(now=now).moved:
        pass


def test_entering_a_segment_sends_the_push(world, vip):
    ann, bob = world.end_user(), world.end_user(js_markers=["VIP"])
    for person in (ann, bob):
        world.device(person)
    welcome(world, vip)
    tick(1)
    assert not Enrolment.objects.exists()  # who is in it already did not enter
    becomes(ann, "VIP")
    tick(2)
    assert [(run.end_user_id, run.state) for run in Enrolment.objects.all()] == [(ann.pk, "done")]
    assert [delivery.end_user_id for delivery in Delivery.objects.all()] == [ann.pk]
    change = MembershipChange.objects.get()
    assert Enrolment.objects.get().entry_key == f"segment-{vip.pk}-entered-{change.pk}"
    assert change.taken_at == later(2)


def test_leaving_a_segment_sends_the_push_and_each_stay_counts_once(world, vip):
    ann = world.end_user(js_markers=["VIP"])
    world.device(ann)
    welcome(world, vip, "segment_left")
    for round_ in range(3):
        becomes(ann)
        tick(10 * round_ + 1)
        tick(10 * round_ + 2)
        assert Delivery.objects.count() == round_ + 1
        becomes(ann, "VIP")
        tick(10 * round_ + 3)
    assert Delivery.objects.count() == 3


def test_a_change_taken_again_enters_nobody_twice(world, vip):
    ann = world.end_user()
    welcome(world, vip)
    becomes(ann, "VIP")
    tick(1)
    MembershipChange.objects.update(taken_at=None)  # as after a crash that lost the mark
    tick(2)
    assert Enrolment.objects.count() == 1


def test_who_enters_long_after_the_segment_was_unwatched_enters_again(world, vip):
    ann = world.end_user()
    welcome(world, vip)
    becomes(ann, "VIP")
    tick(1)
    becomes(ann)
    tick(2)
    # As when nobody watched for longer than they are kept: epochs begin anew.
    MembershipChange.objects.all().delete()
    SegmentMembership.objects.all().delete()
    becomes(ann, "VIP")
    tick(3)
    assert MembershipChange.objects.get().epoch == 1
    assert Enrolment.objects.count() == 2


def test_only_the_audience_enters(world, vip):
    german = {"version": 1, "rule": {"field": "language", "operator": "is", "value": "de"}}
    audience = segment_save(brand=world.brand, name="German", rules=german)
    ann, bob = world.end_user(language="de"), world.end_user(language="en")
    welcome(world, vip, segment=audience)
    for person in (ann, bob):
        becomes(person, "VIP")
    tick(1)
    assert [run.end_user_id for run in Enrolment.objects.all()] == [ann.pk]


def test_nobody_enters_while_the_campaign_is_paused_nor_afterwards_for_what_happened_then(world, vip):
    ann, bob = world.end_user(), world.end_user()
    campaign = welcome(world, vip)
    campaign_pause(campaign=campaign, now=NOW)
    becomes(ann, "VIP")
    tick(1)
    campaign_resume(campaign=campaign, now=later(2))
    becomes(bob, "VIP")
    tick(3)
    assert [run.end_user_id for run in Enrolment.objects.all()] == [bob.pk]


def test_who_was_erased_meanwhile_enters_nothing_and_holds_up_nobody(world, vip):
    ann, bob = world.end_user(), world.end_user()
    welcome(world, vip)
    for person in (ann, bob):
        becomes(person, "VIP")
    changed_people_evaluate(now=later(1))
    changes = MembershipChange.objects.filter(end_user=ann)
    assert changes.exists()
    changes.update(end_user_id=ann.pk + 1_000_000)
    assert membership_changes_take(now=later(2)) == 2
    assert [run.end_user_id for run in Enrolment.objects.all()] == [bob.pk]


def test_a_segment_is_watched_while_a_running_campaign_waits_for_it(world, vip):
    def watched():
        return Segment.objects.get(pk=vip.pk).watched

    assert not watched()
    first = welcome(world, vip)
    assert watched()
    second = Campaign.objects.create(
        brand=world.brand, name="Second", trigger_kind="segment_left", trigger_segment=vip, flow=flow_of(stop("a1"))
    )
    campaign_publish(campaign=second, by=None, now=NOW)
    campaign_disable(campaign=first, now=NOW)
    assert watched()
    second.trigger_kind = "event"
    second.trigger_event = "login"
    second.save()
    campaign_publish(campaign=second, by=None, now=NOW)
    assert not watched()
    campaign_publish(campaign=first, by=None, now=NOW)
    assert watched()
    campaign_archive(campaign=first, now=NOW)
    assert not watched()
    assert not Brand.objects.get(pk=world.brand.pk).noticed


def test_changing_the_rules_lets_nobody_in(world, vip):
    ann, bob = world.end_user(js_markers=["GOLD"]), world.end_user()
    welcome(world, vip)
    gold = {"version": 1, "rule": {"field": "js_markers", "operator": "has", "value": "GOLD"}}
    segment_save(brand=world.brand, name="VIPs", rules=gold, segment=Segment.objects.get(pk=vip.pk))
    tick(1)
    assert not Enrolment.objects.exists()
    becomes(bob, "GOLD")
    tick(2)
    assert [run.end_user_id for run in Enrolment.objects.all()] == [bob.pk]
    assert ann.pk not in Enrolment.objects.values_list("end_user_id", flat=True)


def test_a_segment_trigger_needs_a_segment_of_the_brand(world, vip):
    other = Brand.objects.create(name="Other")
    foreign = Segment.objects.create(brand=other, name="Theirs", rules=VIP)
    broken = Segment.objects.create(brand=world.brand, name="Broken", rules={"version": 1, "rule": {"field": "gone"}})
    for number, (segment, code) in enumerate(((None, "no_trigger"), (foreign, "trigger"), (broken, "trigger"))):
        campaign = Campaign.objects.create(
            brand=world.brand,
            name=f"Draft {number}",
            trigger_kind="segment_entered",
            trigger_segment=segment,
            flow=flow_of(stop("a1")),
        )
        with pytest.raises(CannotPublish) as refused:
            campaign_publish(campaign=campaign, by=None, now=NOW)
        assert [problem.code for problem in refused.value.problems] == [code]
