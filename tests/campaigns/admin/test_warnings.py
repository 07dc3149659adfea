"""A campaign that can run and most likely goes wrong says so when it is saved and in its review."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from assets.models import PushResource
from assets.services import PopupDraft, PopupVariantDraft, popup_resource_save
from campaigns.drafts.reading import draft_read
from campaigns.drafts.warnings import draft_warnings
from campaigns.models import Campaign
from devices.models import EndUser, Event, PropertyDefinition, PushCategory
from segments.models import Segment
from tests.backoffice.conftest import client_of, ours, theirs  # noqa: F401
from tests.backoffice.world import NOW
from tests.campaigns.admin.forms import campaign_form
from tests.campaigns.admin.reviews import activate
from tests.campaigns.world import flow_of, popup, push

pytestmark = pytest.mark.django_db
NO_EVENT = "OURS brand has never had an event “OURS-evnt”. Did you mean “OURS-event”?"


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def campaign(ours):  # noqa: F811
    """A campaign on an event that happens, whose push names a property that somebody has."""
    PropertyDefinition.objects.create(brand=ours.brand, name="first_name", type="text")
    Event.objects.filter(brand=ours.brand).update(properties={"amount": 20})
    made: Campaign = ours.rows[Campaign]
    made.trigger_event = "OURS-event"
    made.segment = None
    made.flow = flow_of(push("a1", resource=_push(ours).pk))
    made.save()
    _write(ours, "Hi {{ user.first_name }}, {{ event.amount }}")
    return made


def _push(ours):  # noqa: F811
    return ours.rows[PushResource]


def _write(ours, text):  # noqa: F811
    _push(ours).current_revision.variants.update(message=text)


def _warnings(campaign):
    draft = draft_read(campaign=Campaign.objects.get(pk=campaign.pk), now=NOW)
    return [(warning.key, warning.message) for warning in draft_warnings(draft=draft)]


def test_a_campaign_whose_names_are_known_has_no_warning(campaign):
    assert _warnings(campaign) == []


def test_the_event_that_never_happened_is_said(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(trigger_event="OURS-evnt")
    assert ("", NO_EVENT) in _warnings(campaign)


def test_values_of_texts_are_checked_by_the_event_that_begins_the_campaign(campaign, ours):  # noqa: F811
    _write(ours, "{{ user.frist_name }} {{ event.ammount }}")
    assert _warnings(campaign) == [
        ("a1", "Message: Nobody of OURS brand has a property “frist_name”. Did you mean “first_name”?"),
        ("a1", "Message: The event “OURS-event” has no property “ammount”. Did you mean “amount”?"),
    ]
    Campaign.objects.filter(pk=campaign.pk).update(trigger_event="session")
    Event.objects.create(
        day=NOW.date(), brand=ours.brand, end_user=ours.rows[EndUser], name="session", occurred_at=NOW, recorded_at=NOW
    )
    assert ("a1", "Message: The event “session” has no property “ammount”.") in _warnings(campaign)


def test_a_scheduled_campaign_has_no_event(campaign):
    Campaign.objects.filter(pk=campaign.pk).update(kind="scheduled", scheduled_at=NOW)
    assert _warnings(campaign) == [
        ("a1", "Message: No event begins this campaign, so that “event.amount” is empty for everybody.")
    ]


def test_names_in_the_audience_and_in_the_segments_behind_it_are_checked(campaign, ours):  # noqa: F811
    rule = {"field": "js_markers", "operator": "has", "value": "NEWSS"}
    inner = Segment.objects.create(brand=ours.brand, name="Inner", rules={"version": 1, "rule": rule})
    outer = {"field": "segment", "operator": "in", "value": inner.pk}
    segment = Segment.objects.create(brand=ours.brand, name="Readers", rules={"version": 1, "rule": outer})
    Campaign.objects.filter(pk=campaign.pk).update(segment=segment)
    ((key, message),) = _warnings(campaign)
    assert (key, message.split(".")[0]) == (
        "", "Segment “Readers”: Nobody of OURS brand carries the JS marker “NEWSS”"
    )  # fmt: skip


def test_a_popup_says_which_category_has_no_name_in_a_language_of_its_own(campaign, ours):  # noqa: F811
    PushCategory.objects.create(
        brand=ours.brand, marker="OFFERS", name="Offers", translations={"de": {"name": "Offers", "description": ""}}
    )
    variants = tuple(PopupVariantDraft(language=code, title="Choose") for code in ("en", "en-GB", "de", "de-AT", "fr"))
    draft = PopupDraft(variants=variants, template="categories", categories=("OURS_NEWS", "OFFERS"))
    revision = popup_resource_save(brand=ours.brand, name="Choose", draft=draft)
    Campaign.objects.filter(pk=campaign.pk).update(flow=flow_of(popup("a1", resource=revision.resource_id)))
    shown = "Add its name under Push categories."
    assert _warnings(campaign) == [
        (
            "a1",
            "The category “OURS news” has no name in German, German (Austria) and French: visitors of these languages"
            f" see “OURS news”. {shown}",
        ),
        ("a1", f"The category “Offers” has no name in French: French visitors see “Offers”. {shown}"),
    ]


def test_the_review_shows_the_warnings_and_the_campaign_can_be_activated(campaign, ours, client_of):  # noqa: F811
    Campaign.objects.filter(pk=campaign.pk).update(trigger_event="OURS-evnt")
    client = client_of(ours.brand, "publisher")
    page = client.get(reverse("admin:campaigns_campaign_review", args=[campaign.pk])).content.decode()
    assert NO_EVENT in page
    assert "Check these names. You can still activate." in page
    activate(client, campaign)
    campaign.refresh_from_db()
    assert campaign.state == "active"


@pytest.mark.parametrize(("event", "said"), [("OURS-evnt", [NO_EVENT]), ("OURS-event", []), ("session", [])])
def test_saving_says_it_and_the_form_offers_what_is_known(ours, client_of, event, said):  # noqa: F811
    client = client_of(ours.brand, "editor")
    add = reverse("admin:campaigns_campaign_add")
    page = client.get(add).content.decode()
    assert '<option value="session">' in page
    assert '<option value="OURS-event">' in page
    answer = client.post(add, campaign_form(ours.brand, trigger_event=event))
    assert answer.status_code == 302
    assert [str(one) for one in get_messages(answer.wsgi_request) if one.level_tag == "warning"] == said
