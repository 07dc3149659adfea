"""From what a page or a server says over HTTP to the journey that begins with the next tick, and to its message."""

import pytest

from assets.services import PushDraft, PushVariantDraft, push_resource_save
from campaigns.models import Campaign, Enrolment
from campaigns.services.publish import campaign_publish
from campaigns.ticker import Ticker
from devices.lifecycle.brands import brand_create
from devices.models import Delivery, EndUser
from segments.models import MembershipChange
from smartpush.common.time.clock import utc_now
from tests.api.page import Page, event
from tests.campaigns.world import flow_of, push
from tests.segments.watching.watched import DEPOSIT, VIP, segment_of

ORIGIN = "https://shop.example"


@pytest.fixture
def page(db) -> Page:
    page = Page(brand_create(name="Shop", origin=ORIGIN), ORIGIN)
    page.allow()
    page.session()
    return page


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


def welcomes(page: Page, rule: dict) -> None:
    """A running journey: a push to who enters the segment."""
    draft = PushDraft(variants=(PushVariantDraft("en", "Welcome", "Good to have you."),))
    resource = push_resource_save(brand=page.brand, name="Welcome", draft=draft).resource
    campaign = Campaign.objects.create(
        brand=page.brand,
        name="Welcome",
        trigger_kind="segment_entered",
        trigger_segment=segment_of(page.brand, rule, "Guests"),
        trigger_event="",
        entry_mode="every_time",
        flow=flow_of(push("a1", resource=resource.pk)),
    )
    campaign_publish(campaign=campaign, by=None, now=utc_now())


def test_an_event_of_a_page_begins_a_journey_with_the_next_tick(page, ticker):
    page.session(external_id="ann")
    welcomes(page, DEPOSIT)
    page.call("events", events=[event()])
    ticker.tick(now=utc_now())
    assert [run.end_user.external_id for run in Enrolment.objects.all()] == ["ann"]
    delivery = Delivery.objects.get()
    assert (delivery.device_id, delivery.chunk_id is not None) == (page.device.pk, True)
    page.call("events", events=[event()])
    ticker.tick(now=utc_now())
    assert Enrolment.objects.count() == 1


def test_a_marker_that_a_page_adds_begins_a_journey(page, ticker):
    page.session(external_id="ann")
    welcomes(page, VIP)
    page.call("markers", operation="add", markers=["vip"])
    ticker.tick(now=utc_now())
    assert [run.end_user.external_id for run in Enrolment.objects.all()] == ["ann"]


def test_a_visitor_who_entered_and_then_logs_in_does_not_enter_again(page, ticker):
    elsewhere = Page(page.brand, ORIGIN)
    elsewhere.session(external_id="ann")
    welcomes(page, DEPOSIT)
    page.call("events", events=[event()])
    ticker.tick(now=utc_now())
    page.session(external_id="ann")
    ticker.tick(now=utc_now())
    ann = EndUser.objects.get(external_id="ann")
    assert list(Enrolment.objects.values_list("end_user_id", flat=True)) == [ann.pk]
    assert list(MembershipChange.objects.values_list("end_user_id", "kind")) == [(ann.pk, "entered")]


def test_a_visitor_who_logs_in_before_anybody_looked_enters_once_as_who_they_are(page, ticker):
    elsewhere = Page(page.brand, ORIGIN)
    elsewhere.session(external_id="ann")
    welcomes(page, DEPOSIT)
    page.call("events", events=[event()])
    page.session(external_id="ann")
    ticker.tick(now=utc_now())
    ticker.tick(now=utc_now())
    assert [run.end_user.external_id for run in Enrolment.objects.all()] == ["ann"]
