"""The ready flows on the campaigns page: three clicks each, nothing twice, nothing across brands."""

from datetime import timedelta

import pytest
from django.urls import reverse

from assets.models import PopupResource, PushResource
from campaigns.models import Campaign
from devices.models import Brand, PushCategory
from devices.people.services.categories import category_create
from segments.models import Segment
from smartpush.common.time.clock import utc_now
from tests.backoffice.conftest import client_of, ours, theirs  # noqa: F401
from tests.campaigns.admin.reviews import activate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def _ready(flow):
    return reverse("admin:campaigns_campaign_ready_flow", args=[flow])


def _made(brand, flow):
    return Campaign.objects.get(brand=brand, ready_flow=flow)


def _activate(client, review, campaign):
    """The third click: the button on the review."""
    page = client.get(review.url).content.decode()
    assert "Activate now" in page
    assert activate(client, campaign).status_code == 302
    campaign.refresh_from_db()
    assert campaign.state == "active"


def test_the_campaigns_page_offers_all_four(ours, client_of):  # noqa: F811
    page = client_of(ours.brand, "editor").get(reverse("admin:campaigns_campaign_changelist")).content.decode()
    for flow in ("ask", "ask_categories", "segment_push", "announcement"):
        assert _ready(flow) in page


def test_asking_with_categories_offers_to_make_the_first_ones(ours, client_of):  # noqa: F811
    PushCategory.objects.filter(brand=ours.brand).delete()
    client = client_of(ours.brand, "publisher")
    question = client.post(_ready("ask_categories"))
    assert question.status_code == 200
    assert "News" in question.content.decode()
    assert not PushCategory.objects.filter(brand=ours.brand).exists()
    review = client.post(_ready("ask_categories"), {"make_categories": "on"})
    campaign = _made(ours.brand, "ask_categories")
    assert "Offers NEWS, OFFERS" in client.get(review.url).content.decode()
    _activate(client, review, campaign)
    assert client.post(_ready("ask_categories")).url == review.url
    warned = client.post(_ready("ask"), follow=True).content.decode()
    assert "asks the same visitors" in warned


def test_a_push_goes_to_a_category_in_three_clicks(ours, client_of):  # noqa: F811
    category_create(brand=ours.brand, name="Sports")
    client = client_of(ours.brand, "publisher")
    form = client.get(_ready("segment_push")).content.decode()
    assert "Allowed and subscribed to Sports" in form
    push = PushResource.objects.get(brand=ours.brand)
    review = client.post(_ready("segment_push"), {"push": push.pk, "audience": "category:SPORTS", "when": "now"})
    campaign = _made(ours.brand, "segment_push")
    assert campaign.segment.name == "Allowed and subscribed to Sports"
    assert campaign.scheduled_at <= utc_now()
    _activate(client, review, campaign)


def test_a_push_waits_for_its_time_in_the_brands_zone(ours, client_of):  # noqa: F811
    Brand.objects.filter(pk=ours.brand.pk).update(time_zone="Asia/Tokyo")
    at = (utc_now() + timedelta(days=3)).date()
    push, segment = PushResource.objects.get(brand=ours.brand), ours.rows[Segment]
    client_of(ours.brand).post(
        _ready("segment_push"),
        {"push": push.pk, "audience": f"segment:{segment.pk}", "when": "at", "at": f"{at}T09:00"},
    )
    campaign = _made(ours.brand, "segment_push")
    assert (campaign.segment, campaign.scheduled_at.isoformat()) == (segment, f"{at}T00:00:00+00:00")


def test_the_review_of_a_push_to_nobody_warns(ours, client_of):  # noqa: F811
    category_create(brand=ours.brand, name="Sports")
    push, client = PushResource.objects.get(brand=ours.brand), client_of(ours.brand)
    for audience, warned in (("category:SPORTS", True), (f"segment:{ours.rows[Segment].pk}", False)):
        review = client.post(_ready("segment_push"), {"push": push.pk, "audience": audience, "when": "now"})
        assert ("Nobody would get it now" in client.get(review.url).content.decode()) == warned


def test_a_push_at_the_end_of_the_calendar_is_refused_and_the_list_stays_up(ours, client_of):  # noqa: F811
    Brand.objects.filter(pk=ours.brand.pk).update(time_zone="America/New_York")
    push, client = PushResource.objects.get(brand=ours.brand), client_of(ours.brand)
    page = client.post(
        _ready("segment_push"), {"push": push.pk, "audience": "everybody", "when": "at", "at": "9999-12-31T23:00"}
    )
    assert "at most two years ahead" in page.content.decode()
    assert client.get(reverse("admin:campaigns_campaign_changelist")).status_code == 200


def test_an_announcement_is_written_on_the_spot_in_three_clicks(ours, client_of):  # noqa: F811
    client = client_of(ours.brand, "publisher")
    typed = {"title": "The fair is on", "text": "Until Sunday.", "primary_url": "", "audience": "everybody"}
    review = client.post(_ready("announcement"), typed)
    campaign = _made(ours.brand, "announcement")
    popup = PopupResource.objects.get(brand=ours.brand, name="The fair is on")
    assert (popup.current_revision.primary, campaign.segment) == ("click", None)
    _activate(client, review, campaign)
    again = client.post(_ready("announcement"), {"popup": popup.pk, "audience": "everybody"})
    assert again.status_code == 302
    assert PopupResource.objects.filter(brand=ours.brand, name__startswith="The fair").count() == 1


@pytest.mark.parametrize(
    ("flow", "typed", "field"),
    [
        ("segment_push", {"audience": "everybody", "when": "now"}, "push"),
        ("segment_push", {"push": "own", "audience": "category:NOBODYS", "when": "now"}, "audience"),
        ("segment_push", {"push": "own", "audience": "everybody", "when": "at"}, "at"),
        ("segment_push", {"push": "own", "audience": "everybody", "when": "at", "at": "2020-01-01T09:00"}, "at"),
        ("announcement", {"audience": "everybody"}, "title"),
        ("announcement", {"title": "x", "primary_url": "https://evil.com/", "audience": "everybody"}, "primary_url"),
        ("announcement", {"title": "{{ user.x }}", "audience": "everybody"}, "title"),
    ],
)
def test_what_is_missing_or_wrong_is_said_at_its_field(ours, client_of, flow, typed, field):  # noqa: F811
    if typed.get("push") == "own":
        typed = typed | {"push": PushResource.objects.get(brand=ours.brand).pk}
    page = client_of(ours.brand).post(_ready(flow), typed)
    assert list(page.context["form"].errors) == [field]
    assert not Campaign.objects.filter(brand=ours.brand).exclude(ready_flow="").exists()


def test_another_brands_push_segment_or_category_cannot_be_chosen(ours, theirs, client_of):  # noqa: F811
    category_create(brand=theirs.brand, name="Theirs")
    client = client_of(ours.brand)
    push = PushResource.objects.get(brand=ours.brand)
    foreign = PushResource.objects.get(brand=theirs.brand)
    for typed in (
        {"push": foreign.pk, "audience": "everybody", "when": "now"},
        {"push": push.pk, "audience": f"segment:{theirs.rows[Segment].pk}", "when": "now"},
        {"push": push.pk, "audience": "category:THEIRS", "when": "now"},
    ):
        assert client.post(_ready("segment_push"), typed).context["form"].errors
    assert not Campaign.objects.exclude(ready_flow="").exists()


@pytest.mark.parametrize("flow", ["ask", "ask_categories", "segment_push", "announcement"])
def test_viewers_make_nothing_and_editors_do_not_activate(ours, client_of, flow):  # noqa: F811
    viewer = client_of(ours.brand, "viewer")
    assert viewer.get(_ready(flow)).status_code == viewer.post(_ready(flow)).status_code == 403
    editor = client_of(ours.brand, "editor", name="ed")
    assert editor.get(_ready(flow)).status_code == 200
    assert editor.get(_ready("nonsense")).status_code == 404
    if flow == "ask":
        page = editor.get(editor.post(_ready(flow)).url).content.decode()
        assert "Activate now" not in page
        assert "needs the role Publisher" in page
