"""Campaigns in the back office: three clicks to running, the flow, changes of state and their history."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from campaigns.admin.forms import CampaignForm, split_seconds
from campaigns.admin.report import activity_reports
from campaigns.journey.ready_flows import ask_for_push_permission
from campaigns.models import Campaign, Enrolment, Launch
from campaigns.selectors.counts import totals
from devices.models import Brand, Delivery, Dispatch, EndUser, PopupOffer
from segments.models import Segment
from tests.backoffice.conftest import client_of, ours, theirs  # noqa: F401
from tests.backoffice.world import NOW, resources
from tests.campaigns.admin.forms import campaign_form, campaign_url
from tests.campaigns.admin.reviews import activate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_the_ready_flow_runs_after_three_clicks(ours, client_of):  # noqa: F811
    client = client_of(ours.brand, "publisher")
    review = client.post(campaign_url("ready"))
    made = Campaign.objects.exclude(pk=ours.rows[Campaign].pk).get()
    assert review.url == campaign_url("review", made)
    page = client.get(review.url).content.decode()
    assert "To be asked" in page
    assert campaign_url("activate", made) in page
    assert "Activate now" in client.get(campaign_url("activate", made)).content.decode()
    made.refresh_from_db()
    assert made.state == "draft"
    activate(client, made)
    made.refresh_from_db()
    assert made.state == "active"
    assert made.history.latest().history_change_reason == "Activate"
    assert made.history.latest().history_user.username == "ann"


def test_the_ready_flow_is_made_once_while_it_is_a_draft_or_running(ours, client_of):  # noqa: F811
    client = client_of(ours.brand, "publisher")
    first = client.post(campaign_url("ready"))
    made = Campaign.objects.exclude(pk=ours.rows[Campaign].pk).get()
    again = client.post(campaign_url("ready"), follow=True)
    assert again.redirect_chain[0][0] == first.url
    assert "still a draft" in again.content.decode()
    activate(client, made)
    again = client.post(campaign_url("ready"), follow=True)
    assert again.redirect_chain[0][0] == first.url
    assert "is active" in again.content.decode()
    assert Campaign.objects.filter(brand=ours.brand).count() == 2
    client.post(campaign_url("disable", made))
    assert client.post(campaign_url("ready")).url != first.url
    assert Campaign.objects.filter(brand=ours.brand).count() == 3


def test_a_ready_flow_that_cannot_be_made_says_why(ours, client_of):  # noqa: F811
    Brand.objects.filter(pk=ours.brand.pk).update(default_language="no language")
    page = client_of(ours.brand, "publisher").post(campaign_url("ready"), follow=True)
    assert page.redirect_chain[0][0] == campaign_url("changelist")
    assert "could not be made" in page.content.decode()
    assert "is not a language" in page.content.decode()


@pytest.mark.parametrize("name", ["activate", "pause", "resume", "disable", "archive"])
def test_changing_the_state_is_for_publishers_and_the_page_only_asks(ours, client_of, name):  # noqa: F811
    campaign = ours.rows[Campaign]
    refusal = client_of(ours.brand, "editor").post(campaign_url(name, campaign))
    assert refusal.status_code == 403
    assert "you need the role Publisher or above" in refusal.content.decode()
    assert client_of(ours.brand, "publisher", name="pub").get(campaign_url(name, campaign)).status_code == 200
    campaign.refresh_from_db()
    assert campaign.state == "draft"


def test_a_campaign_goes_through_its_states_and_each_is_kept(ours, client_of):  # noqa: F811
    client, campaign = client_of(ours.brand, "publisher"), ours.rows[Campaign]
    for name, state in [
        ("activate", "active"),
        ("pause", "paused"),
        ("resume", "active"),
        ("disable", "disabled"),
        ("activate", "active"),
        ("archive", "archived"),
    ]:
        answer = activate(client, campaign) if name == "activate" else client.post(campaign_url(name, campaign))
        assert answer.status_code == 302, name
        campaign.refresh_from_db()
        assert campaign.state == state
    reasons = list(campaign.history.order_by("history_id").values_list("history_change_reason", flat=True))
    assert [reason for reason in reasons if reason] == ["Activate", "Pause", "Resume", "Disable", "Activate", "Archive"]


@pytest.mark.parametrize("name", ["disable", "archive"])
def test_stopping_a_campaign_asks_with_the_numbers_that_then_end(ours, client_of, name):  # noqa: F811
    client, campaign = client_of(ours.brand, "publisher"), ours.rows[Campaign]
    activate(client, campaign)

    def asked():
        return client.get(campaign_url(name, campaign)).context["numbers"]

    assert asked() == ("Open journeys that end now: 1", "Waiting pushes to cancel: 0")  # the push has gone out
    Delivery.objects.filter(pk=ours.rows[Delivery].pk).update(state="ready", sent_at=None, finished_at=None)
    assert asked() == ("Open journeys that end now: 1", "Waiting pushes to cancel: 1")
    client.post(campaign_url(name, campaign))
    assert Enrolment.objects.get(campaign=campaign).state == "exited"
    assert Delivery.objects.get(pk=ours.rows[Delivery].pk).state == "cancelled"
    Delivery.objects.filter(pk=ours.rows[Delivery].pk).update(state="ready")  # of a dispatch that was stopped
    Campaign.objects.filter(pk=campaign.pk).update(state="disabled")
    assert asked() == ("Open journeys that end now: 0", "Waiting pushes to cancel: 0")


def test_a_change_that_the_state_does_not_allow_is_refused_with_the_reason(ours, client_of):  # noqa: F811
    response = client_of(ours.brand, "publisher").post(campaign_url("pause", ours.rows[Campaign]))
    assert response.status_code == 409
    assert "cannot be paused" in response.content.decode()


def test_the_review_stands_where_a_segment_behind_the_audience_cannot_be_read(ours, client_of):  # noqa: F811
    unreadable = Segment.objects.create(brand=ours.brand, name="Old", rules={"version": 1, "rule": {"field": "gone"}})
    named = {"version": 1, "rule": {"field": "segment", "operator": "in", "value": unreadable.pk}}
    campaign = ours.rows[Campaign]
    campaign.segment = Segment.objects.create(brand=ours.brand, name="Behind", rules=named)
    campaign.save()
    page = client_of(ours.brand, "publisher").get(campaign_url("review", campaign))
    assert page.status_code == 200
    assert page.context["audience"] is None
    assert "Before it can be activated" in page.content.decode()


def test_the_review_of_a_scheduled_campaign_that_ran_says_when_it_did(ours, client_of):  # noqa: F811
    campaign = ours.rows[Campaign]
    ran_at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    Campaign.objects.filter(pk=campaign.pk).update(kind="scheduled", trigger_event="", scheduled_at=ran_at)
    Launch.objects.create(campaign=campaign, slot=ran_at, slice_width=1, started_at=ran_at, finished_at=ran_at)
    page = client_of(ours.brand, "publisher").get(campaign_url("review", campaign)).content.decode()
    assert "It ran on 2 Mar 2026" in page
    assert "as soon as it is activated" not in page


def test_a_campaign_with_problems_is_not_activated_and_says_them(ours, client_of):  # noqa: F811
    campaign = ours.rows[Campaign]
    campaign.flow["activities"][1]["settings"]["push"] = None
    campaign.save()
    client = client_of(ours.brand, "publisher")
    response = activate(client, campaign)
    assert response.status_code == 409
    assert "Choose a push." in response.content.decode()
    assert "Choose a push." in client.get(campaign_url("review", campaign)).content.decode()
    config = client.get(campaign_url("change", campaign)).context["flow_config"]
    assert {"key": "a2", "message": "Choose a push."} in config["problems"]


def test_an_editor_creates_a_campaign_with_its_flow(ours, client_of):  # noqa: F811
    push, popup = resources(brand=ours.brand, word="Second")
    flow = ask_for_push_permission(popup_id=popup.pk, welcome_id=push.pk)
    response = client_of(ours.brand, "editor").post(
        campaign_url("add"), campaign_form(ours.brand, flow=json.dumps(flow), _review="1")
    )
    made = Campaign.objects.get(name="New")
    assert response.url == campaign_url("review", made)
    assert (made.brand, made.entry_interval, made.created_by.username) == (ours.brand, 7200, "ann")
    assert made.flow == flow


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trigger_event": ""}, "trigger_event"),
        ({"kind": "scheduled"}, "scheduled_at"),
        ({"kind": "scheduled", "scheduled_at_0": "9999-12-31", "scheduled_at_1": "23:00:00"}, "scheduled_at"),
        ({"entry_interval_0": "366", "entry_interval_1": "86400"}, "entry_interval"),
        ({"flow": "{"}, "flow"),
        ({"flow": "[" * 20_000}, "flow"),
        ({"flow": r'{"version": 2, "activities": [], "x": "\u0000"}'}, "flow"),
        ({"flow": r'{"version": 2, "activities": [], "x": "\ud800"}'}, "flow"),
        ({"flow": '{"version": 1}'}, "flow"),
        ({"flow": '{"version": 2, "activities": [{"key": "a1", "kind": "teleport"}]}'}, "flow"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_the_field(ours, changes, field):  # noqa: F811
    form = CampaignForm(campaign_form(ours.brand, **changes))
    form.instance.brand = ours.brand
    assert list(form.errors) == [field]


def test_a_push_of_another_brand_cannot_be_put_into_the_flow(ours, theirs):  # noqa: F811
    flow = theirs.rows[Campaign].flow
    form = CampaignForm(campaign_form(ours.brand, flow=json.dumps(flow)))
    form.instance.brand = ours.brand
    assert "this brand does not have" in str(form.errors["flow"])


def test_a_name_that_the_brand_has_already_is_an_error_not_a_crash(ours, client_of):  # noqa: F811
    response = client_of(ours.brand).post(campaign_url("add"), campaign_form(ours.brand, name=ours.rows[Campaign].name))
    assert response.status_code == 200
    assert "has a campaign of this name already" in response.content.decode()


def test_a_campaign_that_ran_is_not_deleted(ours, client_of):  # noqa: F811
    client, campaign = client_of(ours.brand), ours.rows[Campaign]
    activate(client, campaign)
    assert client.post(campaign_url("delete", campaign), {"post": "yes"}).status_code == 403
    assert Campaign.objects.filter(pk=campaign.pk).exists()


def test_times_are_typed_in_the_brands_zone(ours, client_of):  # noqa: F811
    Brand.objects.filter(pk=ours.brand.pk).update(time_zone="Asia/Tokyo")
    at = (NOW + timedelta(days=3)).date()
    client_of(ours.brand).post(
        campaign_url("add"),
        campaign_form(ours.brand, kind="scheduled", scheduled_at_0=str(at), scheduled_at_1="09:00:00"),
    )
    assert Campaign.objects.get(name="New").scheduled_at.isoformat() == f"{at}T00:00:00+00:00"


def test_the_report_counts_each_activity_by_outcome(ours):  # noqa: F811
    campaign, end_user = ours.rows[Campaign], ours.rows[EndUser]
    popup_dispatch = Dispatch.objects.create(
        brand=ours.brand, day=NOW.date(), source="journey", source_key="v1:a1", campaign_ref=campaign.pk, content={}
    )
    for state, shown in [("allowed", NOW), ("later", NOW), ("expired", None), ("shown", NOW)]:
        PopupOffer.objects.create(
            brand=ours.brand, dispatch=popup_dispatch, end_user=EndUser.objects.create(brand=ours.brand), state=state,
            created_at=NOW, expires_at=NOW, shown_at=shown, asked_at=NOW if state == "allowed" else None,
        )  # fmt: skip
    push_dispatch = ours.rows[Dispatch]
    PopupOffer.objects.filter(dispatch=push_dispatch).delete()
    for state, reason in [("failed", "http_400"), ("failed", "http_400"), ("gone", "http_410")]:
        Delivery.objects.create(
            day=NOW.date(), brand=ours.brand, dispatch=push_dispatch, end_user=end_user, origin="https://x.example",
            device=ours.rows[Delivery].device, state=state, reason=reason, next_attempt_at=NOW, expires_at=NOW,
            created_at=NOW,
        )  # fmt: skip
    popup, push = activity_reports(campaign=campaign)
    counts = dict(popup.counts)
    assert (popup.key, counts["Offered"], counts["Shown"], counts["Asked"]) == ("a1", 4, 3, 1)
    assert (counts["Allowed"], counts["Maybe later"], counts["Expired"], counts["Blocked"]) == (1, 1, 1, 0)
    counts = dict(push.counts)
    assert (push.key, counts["Accepted"], counts["Failed"], counts["Gone"]) == ("a2", 1, 2, 1)
    assert push.reasons[0] == ("Failed: the push service refused it (400)", 2)


def test_totals_count_every_run(ours):  # noqa: F811
    campaign = ours.rows[Campaign]
    Enrolment.objects.create(
        day=NOW.date(), brand_id=ours.brand.pk, campaign=campaign, version_id=1, end_user=ours.rows[EndUser],
        entry_key="again", at_key="", at_kind="", entered_at=NOW, state="done",
    )  # fmt: skip
    counted = totals(campaign_ids=[campaign.pk])[campaign.pk]
    assert (counted.entered, counted.active, counted.done) == (2, 1, 1)


@pytest.mark.parametrize(("seconds", "said"), [(0, (0, 86400)), (90, (90, 1)), (7200, (2, 3600)), (86400, (1, 86400))])
def test_seconds_are_shown_in_the_largest_whole_unit(seconds, said):
    assert split_seconds(seconds) == said


def test_the_audience_offers_the_own_segments(ours, theirs, client_of):  # noqa: F811
    page = client_of(ours.brand).get(campaign_url("add")).content.decode()
    assert ours.rows[Segment].name in page
    assert theirs.rows[Segment].name not in page


def test_a_campaign_that_begins_as_somebody_enters_a_segment(ours, theirs, client_of):  # noqa: F811
    client = client_of(ours.brand, "editor")
    add = reverse("admin:campaigns_campaign_add")
    entry = {"trigger_kind": "segment_entered", "trigger_event": ""}
    missing = client.post(add, campaign_form(ours.brand, **entry))
    assert "Choose the segment" in str(missing.context["adminform"].form.errors["trigger_segment"])
    foreign = client.post(add, campaign_form(ours.brand, **entry, trigger_segment=theirs.rows[Segment].pk))
    assert foreign.context["adminform"].form.errors["trigger_segment"]
    client.post(add, campaign_form(ours.brand, **entry, trigger_segment=ours.rows[Segment].pk))
    made = Campaign.objects.get(brand=ours.brand, name="New")
    assert (made.trigger_kind, made.trigger_segment) == ("segment_entered", ours.rows[Segment])
    review = client.get(campaign_url("review", made)).content.decode()
    assert f"enters the segment {made.trigger_segment}" in review
    assert f"Whoever enters {made.trigger_segment} from now on" in review
    assert "Everybody" not in review
    client.post(campaign_url("change", made), campaign_form(ours.brand))
    made.refresh_from_db()
    assert (made.trigger_kind, made.trigger_event) == ("event", "deposit")
