"""Ready flows beyond the first: with categories, a push to a segment or a category, an announcement."""

from datetime import timedelta

import pytest

from assets.models import PopupResource
from assets.services import (
    PopupDraft,
    PopupVariantDraft,
    PushDraft,
    PushVariantDraft,
    popup_draft,
    popup_resource_save,
    push_resource_save,
)
from campaigns.advance import advance_due, advance_enrolments
from campaigns.models import Campaign
from campaigns.services.entry_by_event import enter_by_events
from campaigns.services.publish import CannotPublish, campaign_publish
from campaigns.services.ready import (
    CannotMakeReady,
    announcement_make_ready,
    campaign_make_ready,
    ready_flow_in_use,
    segment_push_make_ready,
)
from campaigns.services.schedule import launch_due
from devices.models import Brand, Delivery, PopupOffer, PushCategory
from devices.people.services.categories import category_archive, category_create
from devices.people.services.events import EventInput, event_record
from segments.models import Segment
from segments.services import segment_of_category
from tests.campaigns.world import NOW, later


def a_push(brand, name="Letter"):
    variant = PushVariantDraft(language="en", title="New this week", message="Four books.")
    return push_resource_save(brand=brand, name=name, draft=PushDraft(variants=(variant,))).resource


def a_popup(brand, name="Fair", **fields):
    draft = PopupDraft(
        variants=(PopupVariantDraft(language="en", title="The fair"),), **({"primary": "click"} | fields)
    )
    return popup_resource_save(brand=brand, name=name, draft=draft).resource


def visit(world, end_user):
    recorded = event_record(
        brand_id=world.brand.pk,
        end_user_id=end_user.pk,
        device_id=None,
        events=[EventInput(name="session", occurred_at=NOW)],
        now=NOW,
    )
    advance_enrolments(ids=enter_by_events(brand_id=world.brand.pk, events=recorded, now=NOW), now=NOW)


def test_asking_with_categories_needs_some_and_can_make_the_first_ones(world):
    with pytest.raises(CannotMakeReady) as refused:
        campaign_make_ready(brand=world.brand, by=None, now=NOW, with_categories=True)
    assert refused.value.code == "no_categories"
    assert not PushCategory.objects.exists()
    campaign = campaign_make_ready(brand=world.brand, by=None, now=NOW, with_categories=True, make_categories=True)
    assert campaign.ready_flow == "ask_categories"
    popup = PopupResource.objects.get()
    assert popup_draft(popup.current_revision).categories == ("NEWS", "OFFERS")
    campaign_publish(campaign=campaign, by=None, now=NOW)
    visit(world, world.end_user())
    content = PopupOffer.objects.get().dispatch.content
    assert (content["template"], content["primary"]["kind"]) == ("categories", "permission")
    assert [item["marker"] for item in content["variants"]["en"]["categories"]] == ["NEWS", "OFFERS"]


def test_a_ready_flow_is_known_by_its_mark_and_not_by_its_name(world):
    Campaign.objects.create(brand=world.brand, name="Ask for push permission of mine")
    assert ready_flow_in_use(brand=world.brand, flow="ask") is None
    made = campaign_make_ready(brand=world.brand, by=None, now=NOW)
    Campaign.objects.filter(pk=made.pk).update(name="Spring")
    assert ready_flow_in_use(brand=world.brand, flow="ask") == made
    assert ready_flow_in_use(brand=world.brand, flow="ask_categories") is None


def test_a_popup_whose_categories_are_all_archived_is_not_published(world):
    campaign = campaign_make_ready(brand=world.brand, by=None, now=NOW, with_categories=True, make_categories=True)
    for category in PushCategory.objects.all():
        category_archive(category=category, now=NOW)
    with pytest.raises(CannotPublish) as refused:
        campaign_publish(campaign=campaign, by=None, now=NOW)
    assert [(problem.key, problem.code) for problem in refused.value.problems] == [("a1", "resource_unusable")]


def test_a_popup_waits_as_long_as_it_says_unless_its_activity_has_a_time(world):
    popup = a_popup(world.brand, expires_after=3600)
    campaign = announcement_make_ready(brand=world.brand, popup=popup, segment=None, by=None, now=NOW)
    campaign_publish(campaign=campaign, by=None, now=NOW)
    visit(world, world.end_user())
    assert PopupOffer.objects.get().expires_at == later(3600)
    campaign.flow["activities"][0]["settings"]["timeout"] = 600
    campaign.save()
    assert campaign_publish(campaign=campaign, by=None, now=NOW).steps.get().seconds == 600


def test_a_push_reaches_those_who_allowed_and_ticked_the_category_and_nobody_else(world):
    category = category_create(brand=world.brand, name="Sports")
    fan, other, blocked = world.end_user(js_markers=["SPORTS"]), world.end_user(), world.end_user(js_markers=["SPORTS"])
    world.device(fan)
    world.device(other)
    world.device(blocked, status="blocked", live=False)
    segment = segment_of_category(category=category)
    assert segment.name == "Allowed and subscribed to Sports"
    campaign = segment_push_make_ready(
        brand=world.brand, push=a_push(world.brand), segment=segment, scheduled_at=NOW, by=None, now=NOW
    )
    assert (campaign.ready_flow, campaign.kind) == ("segment_push", "scheduled")
    campaign_publish(campaign=campaign, by=None, now=NOW)
    launch_due(now=NOW)
    advance_due(now=NOW)
    assert list(Delivery.objects.values_list("end_user_id", flat=True)) == [fan.pk]


def test_the_segment_of_a_category_is_made_once_and_known_by_its_rules(world):
    category = category_create(brand=world.brand, name="Sports")
    Segment.objects.create(brand=world.brand, name="Allowed and subscribed to Sports", rules={"version": 1, "rule": {}})
    first = segment_of_category(category=category)
    assert first.name == "Allowed and subscribed to Sports 2"
    Segment.objects.filter(pk=first.pk).update(name="Fans")
    assert segment_of_category(category=category) == first


def test_an_announcement_is_shown_once_at_the_next_visit_and_never_asks_for_permission(world):
    asking = a_popup(world.brand, name="Ask", primary="permission")
    with pytest.raises(CannotMakeReady) as refused:
        announcement_make_ready(brand=world.brand, popup=asking, segment=None, by=None, now=NOW)
    assert refused.value.code == "asks_permission"
    campaign = announcement_make_ready(brand=world.brand, popup=a_popup(world.brand), segment=None, by=None, now=NOW)
    assert (campaign.name, campaign.ready_flow, campaign.entry_mode) == ("Fair", "announcement", "once")
    campaign_publish(campaign=campaign, by=None, now=NOW)
    ann = world.end_user()
    visit(world, ann)
    PopupOffer.objects.update(state="clicked", finished_at=later(1))
    visit(world, ann)
    assert PopupOffer.objects.count() == 1


def test_what_belongs_to_another_brand_is_refused(world):
    other = Brand.objects.create(name="Other")
    segment = Segment.objects.create(brand=other, name="Theirs", rules={})
    at = NOW + timedelta(days=1)
    for push, audience in ((a_push(other), None), (a_push(world.brand), segment)):
        with pytest.raises(CannotMakeReady) as refused:
            segment_push_make_ready(brand=world.brand, push=push, segment=audience, scheduled_at=at, by=None, now=NOW)
        assert refused.value.code == "other_brand"
    assert not Campaign.objects.exists()


def test_a_push_to_a_segment_waits_two_years_at_most(world):
    with pytest.raises(CannotMakeReady) as refused:
        segment_push_make_ready(
            brand=world.brand,
            push=a_push(world.brand),
            segment=None,
            scheduled_at=NOW + timedelta(days=732),
            by=None,
            now=NOW,
        )
    assert refused.value.code == "too_far"
