"""Publishing, and the ready flow from nothing to the welcome push."""

from datetime import datetime, timedelta, timezone

import pytest
from django.db import IntegrityError

from assets.models import PopupResource, PushResource, PushVariant
from assets.services import PushDraft, PushVariantDraft, push_resource_save
from campaigns.advance import advance_enrolments, popup_answers_apply
from campaigns.models import Campaign, CampaignVersion
from campaigns.services.entry_by_event import enter_by_events
from campaigns.services.publish import CannotPublish, campaign_publish
from campaigns.services.ready import campaign_make_ready
from campaigns.services.schedule import launch_due
from campaigns.services.states import campaign_archive
from devices.models import App, Delivery, PopupOffer
from devices.people.services.events import EventInput, event_record
from segments.models import Segment
from tests.campaigns.world import NOW, flow_of, later, push, stop


def problems(campaign):
    with pytest.raises(CannotPublish) as refused:
        campaign_publish(campaign=campaign, by=None, now=NOW)
    return {(problem.key, problem.code) for problem in refused.value.problems}


def draft(world, **fields):
    return Campaign.objects.create(brand=world.brand, **{"name": "Draft", "flow": flow_of(stop("a1")), **fields})


def test_the_ready_flow_asks_and_welcomes(world):
    campaign = campaign_make_ready(brand=world.brand, by=None, now=NOW)
    assert (campaign.state, campaign.segment.name) == ("draft", "To be asked")
    version = campaign_publish(campaign=campaign, by=None, now=NOW)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.current_version) == ("active", version)
    ann = world.end_user()
    world.end_user(last_session_status="blocked")
    recorded = event_record(
        brand_id=world.brand.pk,
        end_user_id=ann.pk,
        device_id=None,
        events=[EventInput(name="session", occurred_at=NOW)],
        now=NOW,
    )
    advance_enrolments(ids=enter_by_events(brand_id=world.brand.pk, events=recorded, now=NOW), now=NOW)
    offer = PopupOffer.objects.get()
    assert offer.dispatch.content["primary"]["kind"] == "permission"
    assert offer.dispatch.content["expires_after"] == 86_400
    world.device(ann)
    PopupOffer.objects.update(state="allowed", finished_at=later(3))
    advance_enrolments(ids=popup_answers_apply(now=later(3), offer_ids=[offer.pk]), now=later(3))
    assert Delivery.objects.get().dispatch.content["variants"]["en"]["title"].startswith("Welcome")


def test_the_ready_flow_leaves_the_click_out_where_no_website_can_be_opened(world):
    App.objects.filter(brand=world.brand).update(origin="http://shop.example.com")
    campaign_make_ready(brand=world.brand, by=None, now=NOW)
    assert PushVariant.objects.get().click_url == ""


def test_the_ready_flow_made_again_uses_what_is_there(world):
    first = campaign_make_ready(brand=world.brand, by=None, now=NOW)
    second = campaign_make_ready(brand=world.brand, by=None, now=NOW)
    assert (first.name, second.name) == ("Ask for push permission", "Ask for push permission 2")
    assert first.flow == second.flow
    assert (PopupResource.objects.count(), PushResource.objects.count()) == (1, 1)
    PushResource.objects.update(archived_at=NOW)
    third = campaign_make_ready(brand=world.brand, by=None, now=NOW)
    campaign_publish(campaign=third, by=None, now=NOW)
    assert PushResource.objects.get(archived_at=None).name == "Welcome 2"


def test_a_version_keeps_the_content_it_was_published_with(world):
    variant = PushVariantDraft(language="en", title="One", message="Text")
    resource = push_resource_save(brand=world.brand, name="P", draft=PushDraft(variants=(variant,))).resource
    campaign = draft(world, flow=flow_of(push("a1", resource=resource.pk)))
    version = campaign_publish(campaign=campaign, by=None, now=NOW)
    newer = PushVariantDraft(language="en", title="Two", message="Text")
    push_resource_save(brand=world.brand, name="P", draft=PushDraft(variants=(newer,)), resource=resource)
    assert version.steps.get().content["variants"]["en"]["title"] == "One"
    again = campaign_publish(campaign=campaign, by=None, now=later(5))
    assert (again.number, again.steps.get().content["variants"]["en"]["title"]) == (2, "Two")
    assert CampaignVersion.objects.get(number=1).steps.get().content["variants"]["en"]["title"] == "One"


def test_what_is_missing_is_said_and_nothing_is_written(world):
    campaign = draft(world, trigger_event="", flow=flow_of(push("a1")))
    assert problems(campaign) == {("", "no_trigger"), ("a1", "missing_resource")}
    campaign.refresh_from_db()
    assert (campaign.state, CampaignVersion.objects.count()) == ("draft", 0)


def test_another_brands_content_and_audience_are_refused(world):
    other = type(world.brand).objects.create(name="Other")
    variant = PushVariantDraft(language="en", title="One", message="Text")
    theirs = push_resource_save(brand=other, name="P", draft=PushDraft(variants=(variant,))).resource
    audience = Segment.objects.create(brand=other, name="S", rules={"version": 1, "rule": {"all": []}})
    campaign = draft(world, flow=flow_of(push("a1", resource=theirs.pk)), segment=audience)
    assert problems(campaign) == {("a1", "missing_resource"), ("", "audience")}


def test_an_audience_whose_rules_cannot_be_read_is_refused(world):
    broken = Segment.objects.create(brand=world.brand, name="S", rules={})
    assert problems(draft(world, segment=broken)) == {("", "audience")}


def test_a_schedule_is_at_most_two_years_ahead_and_far_below_the_end_of_the_calendar(world):
    campaign = draft(world, kind="scheduled", scheduled_at=NOW + timedelta(days=732))
    assert problems(campaign) == {("", "too_far")}
    campaign.scheduled_at = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5)))
    with pytest.raises(IntegrityError, match="campaigns_campaign_scheduled_at"):
        campaign.save()


def test_a_schedule_needs_a_time_and_runs_once_for_each(world):
    campaign = draft(world, kind="scheduled")
    assert problems(campaign) == {("", "no_time")}
    Campaign.objects.update(scheduled_at=NOW)
    campaign_publish(campaign=campaign, by=None, now=NOW)
    launch_due(now=NOW)
    assert problems(campaign) == {("", "already_ran")}
    Campaign.objects.update(scheduled_at=later(60))
    campaign_publish(campaign=campaign, by=None, now=NOW)
    campaign.refresh_from_db()
    assert campaign.state == "active"
    assert launch_due(now=later(60)).slices == 1


def test_an_archived_campaign_is_not_published_again(world):
    campaign = draft(world)
    campaign_publish(campaign=campaign, by=None, now=NOW)
    campaign_archive(campaign=campaign, now=NOW)
    assert problems(campaign) == {("", "archived")}
