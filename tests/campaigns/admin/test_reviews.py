"""What runs is what was reviewed: a change in between publishes nothing and is said by name."""

import json
import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from assets.models import PopupResource, PushResource
from assets.services import (
    PopupDraft,
    PopupVariantDraft,
    PushDraft,
    PushVariantDraft,
    popup_resource_save,
    push_resource_save,
)
from assets.services.archiving import resource_archive
from campaigns.admin.pages import CampaignAdmin
from campaigns.models import Campaign, CampaignVersion
from campaigns.services.publish import campaign_publish
from campaigns.services.states import campaign_disable
from devices.models import PushCategory
from segments.models import Segment, SegmentImport
from segments.services import segment_save
from smartpush.common.time.clock import utc_now
from tests.backoffice.conftest import client_of, ours, theirs  # noqa: F401
from tests.backoffice.world import NOW, staff
from tests.campaigns.admin.reviews import activate, review_of, state_of
from tests.campaigns.world import delay, flow_of, popup, push, stop

pytestmark = pytest.mark.django_db
ASK = {"version": 1, "rule": {"all": [{"field": "push_status_last_session", "operator": "is", "value": "ask"}]}}
VIP = {"version": 1, "rule": {"all": [{"field": "js_markers", "operator": "has", "value": "VIP"}]}}


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def editor(ours, client_of):  # noqa: F811
    """Bob, an editor, with a browser of his own."""
    return client_of(ours.brand, "editor", name="bob")


@pytest.fixture
def publisher(ours, client_of):  # noqa: F811
    return client_of(ours.brand, "publisher", name="ann")


@pytest.fixture
def campaign(ours):  # noqa: F811
    """A push to VIPs after a popup, in a brand with a list and segments that name each other."""
    brand = ours.brand
    inner = segment_save(brand=brand, name="Inner", rules=VIP)
    outer = segment_save(brand=brand, name="Outer", rules=in_segment(inner))
    pushes, popups = ours.rows[PushResource], ours.rows[PopupResource]
    flow = flow_of(popup("a1", allowed="a2", resource=popups.pk), push("a2", "a3", resource=pushes.pk), stop("a3"))
    return Campaign.objects.create(brand=brand, name="Hello", segment=outer, trigger_event="login", flow=flow)


def in_segment(*segments):
    named = [{"field": "segment", "operator": "in", "value": segment.pk} for segment in segments]
    return {"version": 1, "rule": {"all": named}}


def saved(campaign, **changes):
    """What the campaign's form sends, with changes."""
    minutes = {"entry_interval_0": str(campaign.entry_interval // 60), "entry_interval_1": "60"}
    form = {
        "name": campaign.name, "purpose": campaign.purpose, "kind": campaign.kind,
        "trigger_kind": campaign.trigger_kind, "trigger_event": campaign.trigger_event,
        "trigger_segment": campaign.trigger_segment_id or "", "segment": campaign.segment_id or "",
        "entry_mode": campaign.entry_mode, "flow": "",
    }  # fmt: skip
    return form | minutes | changes


def edit(client, campaign, **changes):
    answer = client.post(reverse("admin:campaigns_campaign_change", args=[campaign.pk]), saved(campaign, **changes))
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def push_edit(ours, by, title="Edited"):  # noqa: F811
    variant = PushVariantDraft(language="en", title=title, message="m")
    resource = ours.rows[PushResource]
    push_resource_save(brand=ours.brand, name=resource.name, draft=PushDraft((variant,)), by=by, resource=resource)


def refused(client, campaign, seen):
    """Press the button of an earlier review: nothing may be published. Returns what the page says has changed."""
    before = (state_of(campaign), CampaignVersion.objects.filter(campaign=campaign).count())
    answer = activate(client, campaign, seen)
    assert answer.status_code == 409
    assert (state_of(campaign), CampaignVersion.objects.filter(campaign=campaign).count()) == before
    return [re.sub(r"\d\d:\d\d", "HH:MM", change) for change in answer.context["refusal"].changes]


def test_what_was_reviewed_and_not_changed_is_published(publisher, campaign):
    assert activate(publisher, campaign, review_of(publisher, campaign)).status_code == 302
    assert state_of(campaign) == "active"


def test_an_edit_of_a_push_since_the_review_publishes_nothing_until_it_is_seen(ours, publisher, campaign):  # noqa: F811
    seen = review_of(publisher, campaign)
    push_edit(ours, staff(name="Bob"))
    assert refused(publisher, campaign, seen) == ["The push “OURS push” was edited by Bob at HH:MM."]
    page = activate(publisher, campaign, seen)
    text = page.content.decode()
    assert "Nothing was activated" in text
    assert "Edited" in text, "the page shows the content of now"
    assert activate(publisher, campaign, {"reviewed": page.context["reviewed"]}).status_code == 302
    step = campaign.versions.get().steps.get(kind="push")
    assert step.content["variants"]["en"]["title"] == "Edited"


def test_an_edit_of_a_popup_is_said_by_name(ours, publisher, campaign):  # noqa: F811
    seen = review_of(publisher, campaign)
    resource = ours.rows[PopupResource]
    draft = PopupDraft((PopupVariantDraft(language="en", title="Other"),))
    popup_resource_save(brand=ours.brand, name=resource.name, draft=draft, by=staff(name="Bob"), resource=resource)
    assert refused(publisher, campaign, seen) == ["The popup “OURS popup” was edited by Bob at HH:MM."]


def test_other_words_of_a_category_that_a_popup_offers_are_noticed(ours, publisher, campaign):  # noqa: F811
    PushCategory.objects.filter(brand=ours.brand).delete()
    category = PushCategory.objects.create(brand=ours.brand, marker="NEWS", name="News", position=1)
    resource = ours.rows[PopupResource]
    draft = PopupDraft((PopupVariantDraft(language="en", title="Choose"),), template="categories", categories=("NEWS",))
    popup_resource_save(brand=ours.brand, name=resource.name, draft=draft, resource=resource)
    seen = review_of(publisher, campaign)
    PushCategory.objects.filter(pk=category.pk).update(name="Adverts")
    (change,) = refused(publisher, campaign, seen)
    assert "categories that the popup “OURS popup” offers" in change


def test_an_archived_push_is_said_and_nothing_is_published(ours, publisher, campaign):  # noqa: F811
    seen = review_of(publisher, campaign)
    resource_archive(resource=ours.rows[PushResource], now=NOW)
    assert "The push “OURS push” was archived or deleted." in refused(publisher, campaign, seen)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"purpose": "operational"}, "Purpose: was Marketing, is now Operational (edited by bob at HH:MM)."),
        ({"trigger_event": "deposit"}, "Event: was login, is now deposit (edited by bob at HH:MM)."),
        ({"segment": ""}, "Audience: was Outer, is now Everybody (edited by bob at HH:MM)."),
        (
            {"entry_interval_0": "2"},
            "Minimum time between entries: was none, is now 2 minutes (edited by bob at HH:MM).",
        ),
    ],
)
def test_a_change_of_a_setting_is_said_with_who_did_it(editor, publisher, campaign, changes, said):
    seen = review_of(publisher, campaign)
    edit(editor, campaign, **changes)
    assert refused(publisher, campaign, seen) == [said]


def test_a_change_of_the_way_people_enter_is_said(editor, publisher, campaign):
    seen = review_of(publisher, campaign)
    edit(editor, campaign, entry_mode="every_time", trigger_kind="segment_entered", trigger_segment=campaign.segment_id)
    said = refused(publisher, campaign, seen)
    assert any(change.startswith("How often: was Once") for change in said)
    assert any(change.startswith("Trigger: was Something that they did, is now Entering a segment") for change in said)
    assert any(change.startswith("Segment watched: was") for change in said)


def test_each_activity_that_came_went_or_changed_is_said(publisher, campaign):
    seen = review_of(publisher, campaign)
    one, two, _three = campaign.flow["activities"]
    two["target_devices"], two["next"] = "web", "a4"
    campaign.flow = flow_of(one, two, delay("a4", 60))
    campaign.save()
    said = refused(publisher, campaign, seen)
    assert [change.split(" (edited")[0] for change in said] == [
        "Activity 2 (push “OURS push”) was changed",
        "Activity 3 (stop) was taken out",
        "Activity 3 (delay) was added",
    ]


def test_another_first_activity_is_said(publisher, campaign):
    seen = review_of(publisher, campaign)
    campaign.flow["start"] = "a2"
    campaign.save()
    assert refused(publisher, campaign, seen)[0].startswith("The journey begins with activity 2 now")


def test_other_rules_of_a_segment_behind_the_audience_are_said_with_its_name(editor, publisher, campaign):
    seen = review_of(publisher, campaign)
    inner = Segment.objects.get(name="Inner")
    page = reverse("admin:segments_segment_change", args=[inner.pk])
    asked = editor.post(page, {"name": "Inner", "description": "", "rules": json.dumps(ASK)})
    editor.post(page, dict(asked.context["kept"]) | {asked.context["confirmed"]: "1"})
    assert refused(publisher, campaign, seen) == ["The segment “Inner” has other rules (edited by bob at HH:MM)."]


def test_other_rules_of_a_watched_segment_are_said(ours, publisher, campaign):  # noqa: F811
    watched = segment_save(brand=ours.brand, name="Watched", rules=VIP)
    Campaign.objects.filter(pk=campaign.pk).update(trigger_kind="segment_entered", trigger_segment=watched)
    seen = review_of(publisher, campaign)
    segment_save(brand=ours.brand, name="Watched", rules=ASK, segment=watched)
    assert refused(publisher, campaign, seen) == ["The segment “Watched” has other rules (edited at HH:MM)."]


def test_a_list_that_was_filled_meanwhile_is_said(ours, publisher, campaign):  # noqa: F811
    vips = Segment.objects.create(brand=ours.brand, name="List", kind="imported")
    both = segment_save(brand=ours.brand, name="Both", rules=in_segment(vips, Segment.objects.get(name="Outer")))
    Campaign.objects.filter(pk=campaign.pk).update(segment=both)
    seen = review_of(publisher, campaign)
    done = {"state": "done", "finished_at": utc_now(), "created_at": NOW}
    SegmentImport.objects.create(segment=vips, mode="add", created_by=staff(name="Bob"), **done)
    assert refused(publisher, campaign, seen) == [
        "The imported segment “List” was changed by an import by Bob at HH:MM."
    ]
    seen = review_of(publisher, campaign)
    SegmentImport.objects.create(segment=vips, mode="add", **{**done, "state": "failed", "finished_at": utc_now()})
    assert activate(publisher, campaign, seen).status_code == 302


def test_a_segment_that_cannot_be_read_any_more_is_said(publisher, campaign):
    seen = review_of(publisher, campaign)
    Segment.objects.filter(name="Inner").update(rules={"version": 1, "rule": {"field": "gone"}})
    assert any("cannot be used any more" in change for change in refused(publisher, campaign, seen))


def test_a_version_that_somebody_else_published_meanwhile_is_said(publisher, campaign):
    seen = review_of(publisher, campaign)
    campaign_publish(campaign=campaign, by=staff(name="Bob"), now=utc_now())
    assert refused(publisher, campaign, seen) == ["Version 1 was published by Bob at HH:MM."]


def test_the_next_version_of_an_active_campaign_is_guarded_too(ours, publisher, campaign):  # noqa: F811
    activate(publisher, campaign)
    seen = review_of(publisher, campaign)
    push_edit(ours, staff(name="Bob"))
    assert refused(publisher, campaign, seen) == ["The push “OURS push” was edited by Bob at HH:MM."]
    assert campaign.versions.count() == 1


def test_a_campaign_that_was_stopped_meanwhile_is_not_started_again_unseen(publisher, campaign):
    activate(publisher, campaign)
    seen = review_of(publisher, campaign)
    campaign_disable(campaign=campaign, now=utc_now())
    (change,) = refused(publisher, campaign, seen)
    assert change.startswith("The campaign was active and is now disabled")


def test_a_start_that_passed_between_review_and_activation_is_said(publisher, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(kind="scheduled", scheduled_at=utc_now() + timedelta(minutes=5))
    seen = review_of(publisher, campaign)
    with time_machine.travel(utc_now() + timedelta(minutes=6)):
        assert refused(publisher, campaign, seen) == ["The time of its start has passed: it would start at once."]


def test_another_name_of_the_campaign_or_of_what_it_uses_is_no_reason_to_refuse(ours, editor, publisher, campaign):  # noqa: F811
    seen = review_of(publisher, campaign)
    edit(editor, campaign, name="Hello again")
    segment_save(brand=ours.brand, name="Innermost", rules=VIP, segment=Segment.objects.get(name="Inner"))
    assert activate(publisher, campaign, seen).status_code == 302


@pytest.mark.parametrize("token", [None, "", "1", "eyJhIjpbXX0:1abc:xyz"])
def test_a_post_without_a_review_is_refused_and_shows_the_review(publisher, campaign, token):
    answer = activate(publisher, campaign, {} if token is None else {"reviewed": token})
    assert answer.status_code == 409
    assert "not asked for from a review" in answer.content.decode()
    assert state_of(campaign) == "draft"


def test_the_review_of_another_campaign_is_no_review_of_this_one(ours, publisher, campaign):  # noqa: F811
    other = Campaign.objects.create(
        brand=ours.brand, name="Other", segment=campaign.segment, trigger_event="login", flow=campaign.flow
    )
    assert activate(publisher, campaign, review_of(publisher, other)).status_code == 409
    assert state_of(campaign) == "draft"


def test_an_edit_does_not_take_a_publication_back_that_came_in_between(publisher, campaign, monkeypatch):
    """The form is read before the campaign is published and saved after it."""
    activate(publisher, campaign)
    stale = Campaign.objects.get(pk=campaign.pk)
    stale.state, stale.current_version_id = "draft", None
    monkeypatch.setattr(CampaignAdmin, "get_object", lambda *_args, **_more: stale)
    edit(publisher, campaign, purpose="operational")
    campaign.refresh_from_db()
    assert (campaign.state, campaign.purpose) == ("active", "operational")
    assert campaign.current_version is not None


def test_a_segments_name_is_never_markup(ours, publisher, campaign):  # noqa: F811
    seen = review_of(publisher, campaign)
    Segment.objects.filter(name="Inner").update(name="<b>Inner</b>", rules=ASK)
    text = activate(publisher, campaign, seen).content.decode()
    assert "<b>Inner</b>" not in text
    assert "&lt;b&gt;Inner&lt;/b&gt;" in text
