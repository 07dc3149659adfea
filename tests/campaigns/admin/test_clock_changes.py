"""Times that are typed at a clock change: the first of two, the end of a gap, and the form says which."""

import html
from datetime import UTC, datetime

import pytest
from django import forms
from django.contrib import admin as django_admin
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse

from assets.models import PushResource
from campaigns.models import Campaign
from devices.admin.wall_time import SplitWallTimeField, WallTimeField
from devices.models import Brand
from tests.backoffice.conftest import client_of, ours  # noqa: F401
from tests.campaigns.admin.forms import campaign_form, campaign_url

pytestmark = pytest.mark.django_db
GAP = ("2027-03-28", "01:30", datetime(2027, 3, 28, 1, tzinfo=UTC))
FOLD = ("2027-10-31", "01:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def lisbon(ours):  # noqa: F811
    Brand.objects.filter(pk=ours.brand.pk).update(time_zone="Europe/Lisbon")
    return ours


def _typed(day, time, **more):
    return {"kind": "scheduled", "scheduled_at_0": day, "scheduled_at_1": time, **more}


@pytest.mark.parametrize(
    ("day", "time", "moment", "sentence"),
    [
        (*GAP, "01:30 does not exist on 28 Mar 2027 in Europe/Lisbon: clocks go forward then. 02:00 was taken"),
        (*FOLD, "01:30 comes twice on 31 Oct 2027 in Europe/Lisbon: clocks go back then. The first one was taken, 00"),
    ],
    ids=["gap", "fold"],
)
def test_a_campaign_starts_at_a_moment_that_the_form_names(lisbon, client_of, day, time, moment, sentence):  # noqa: F811
    page = client_of(lisbon.brand).post(
        campaign_url("add"), campaign_form(lisbon.brand, **_typed(day, time)), follow=True
    )
    assert Campaign.objects.get(name="New").scheduled_at == moment
    assert sentence in html.unescape(page.content.decode())


@pytest.mark.parametrize("moment", [FOLD[2], datetime(2027, 10, 31, 1, 30, 20, 5, tzinfo=UTC)], ids=["first", "second"])
def test_a_campaign_that_starts_at_a_clock_change_is_renamed_and_keeps_its_moment(lisbon, client_of, moment):  # noqa: F811
    client = client_of(lisbon.brand)
    client.post(campaign_url("add"), campaign_form(lisbon.brand, **_typed(*FOLD[:2])))
    made = Campaign.objects.get(name="New")
    Campaign.objects.filter(pk=made.pk).update(scheduled_at=moment)
    page = html.unescape(client.get(campaign_url("change", made)).content.decode())
    assert f"The {'first' if moment == FOLD[2] else 'second'} one was taken, {moment:%H:%M} UTC." in page
    shown = "01:30:20" if moment.second else "01:30:00"
    form = campaign_form(lisbon.brand, name="Renamed", **_typed(FOLD[0], shown))
    answer = client.post(campaign_url("change", made), form, follow=True)
    made.refresh_from_db()
    assert (made.name, made.scheduled_at) == ("Renamed", moment)
    assert "comes twice" not in str([str(one) for one in answer.context["messages"]])


def test_an_ordinary_time_is_taken_without_a_word(lisbon, client_of):  # noqa: F811
    page = client_of(lisbon.brand).post(
        campaign_url("add"), campaign_form(lisbon.brand, **_typed("2027-10-30", "01:30")), follow=True
    )
    assert Campaign.objects.get(name="New").scheduled_at == datetime(2027, 10, 30, 0, 30, tzinfo=UTC)
    assert not [one for one in map(str, page.context["messages"]) if "clocks go" in one]


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_time_that_no_clock_of_the_zone_reaches_is_the_fields_error(lisbon, client_of, day):  # noqa: F811
    Brand.objects.filter(pk=lisbon.brand.pk).update(time_zone="Asia/Tokyo" if day < "1" else "America/New_York")
    page = client_of(lisbon.brand).post(campaign_url("add"), campaign_form(lisbon.brand, **_typed(day, "23:30")))
    assert page.status_code == 200
    assert "scheduled_at" in page.context["adminform"].form.errors


@pytest.mark.parametrize(("day", "time", "moment"), [GAP, FOLD], ids=["gap", "fold"])
def test_a_ready_push_takes_the_same_moment_and_says_so(lisbon, client_of, day, time, moment):  # noqa: F811
    push = PushResource.objects.get(brand=lisbon.brand)
    page = client_of(lisbon.brand).post(
        reverse("admin:campaigns_campaign_ready_flow", args=["segment_push"]),
        {"push": push.pk, "audience": "everybody", "when": "at", "at": f"{day}T{time}"},
        follow=True,
    )
    assert Campaign.objects.get(brand=lisbon.brand, ready_flow="segment_push").scheduled_at == moment
    assert "01:30" in str([str(one) for one in page.context["messages"]])


def test_every_form_of_the_back_office_takes_local_times_by_this_rule(rf):
    request = rf.get("/")
    request.user = AnonymousUser()
    taken = []
    for model, admin in django_admin.site._registry.items():
        typed = [one for one in model._meta.fields if one.editable and one.name not in admin.readonly_fields]
        for field in typed:
            found = admin.formfield_for_dbfield(field, request)
            if isinstance(found, forms.DateTimeField | forms.SplitDateTimeField):
                taken.append((model, field.name, found))
    assert [name for *_, name, found in taken if not isinstance(found, WallTimeField | SplitWallTimeField)] == []
    assert [name for model, name, _ in taken if model is Campaign] == ["scheduled_at"]
