"""A new activity is a folder and one line in the registry: everything else learns of it from there."""

import json

import pytest
from django.urls import reverse

from campaigns.activities import registry
from campaigns.advance import advance_due
from campaigns.journey.parse import parse
from campaigns.journey.validate import validate
from campaigns.models import Campaign, Enrolment, StepRun
from campaigns.services.entry import Candidate, enrol
from devices.models import EndUser
from tests.backoffice.conftest import client_of, ours  # noqa: F401
from tests.campaigns.admin.forms import campaign_form
from tests.campaigns.admin.reviews import activate
from tests.campaigns.world import NOW, entry_for, flow_of, push, stop
from tests.support.toss import PLUGIN

pytestmark = pytest.mark.django_db


def toss(key="a1", *, chance=50, coin="penny", **ways):
    return {"key": key, "kind": "toss", "settings": {"chance": chance, "coin": coin}, "next": ways}


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(registry, "PLUGINS", (*registry.PLUGINS, PLUGIN))


def codes(*activities):
    flow = parse(flow_of(*activities), kinds=registry.kinds())
    return {(one.key, one.code) for one in validate(flow=flow, usable={"push": {1}})}


def test_it_is_in_the_palette_with_its_branches_and_fields(ours, client_of):  # noqa: F811
    client = client_of(ours.brand)
    told = client.get(reverse("admin:campaigns_campaign_catalogue"), {"brand": ours.brand.pk}).json()
    (described,) = (one for one in told["activities"] if one["name"] == "toss")
    assert [branch["label"] for branch in described["branches"]] == ["Heads", "Tails"]
    assert [(field["label"], field["widget"]) for field in described["settings"]] == [
        ("Chance of heads in percent", "number"),
        ("Coin", "text"),
    ]
    page = client.get(reverse("admin:campaigns_campaign_add"))
    assert described in page.context["flow_config"]["catalogue"]["activities"]


@pytest.mark.parametrize(
    ("activity", "problem"),
    [
        (toss(chance=101), ("a1", "out_of_bounds")),
        (toss(chance="a lot"), ("a1", "malformed")),
        (toss(coin=""), ("a1", "out_of_bounds")),
        (toss(coin="x" * 21), ("a1", "out_of_bounds")),
        (toss(coin="button"), ("a1", "not_a_coin")),
        (toss(edge="a1"), ("a1", "unknown_outcome")),
        (toss(heads="a1"), ("a1", "endless_cycle")),
        ({**toss(), "settings": {"colour": "red"}}, ("a1", "malformed")),
    ],
)
def test_it_is_validated(activity, problem):
    assert problem in codes(activity)


def test_a_sound_one_has_no_problem():
    assert codes(toss(heads="a2", tails="a3"), push("a2", "a3"), stop("a3")) == set()


def test_people_take_the_branch_of_their_outcome_and_keep_it(world):
    campaign = world.campaign(
        flow_of(toss(chance=30, heads="a2"), {"key": "a2", "kind": "delay", "settings": {"seconds": 60}, "next": {}}),
        entry_mode="every_time",
    )
    people = world.end_users(200)
    for key in ("first", "second"):
        enrol(entry=entry_for(campaign), candidates=[Candidate(person, key) for person in people], now=NOW)
        advance_due(now=NOW)
    runs = StepRun.objects.filter(kind="toss")
    assert runs.count() == 400
    assert set(runs.values_list("outcome", "brand_id")) == {("heads", world.brand.pk), ("tails", world.brand.pk)}
    heads = [
        set(Enrolment.objects.filter(entry_key=key, at_kind="delay").values_list("end_user_id", flat=True))
        for key in ("first", "second")
    ]
    assert heads[0] == heads[1]
    assert 30 <= len(heads[0]) <= 90  # 60 of 200, by a hash
    assert Enrolment.objects.filter(state="done").count() == 400 - 2 * len(heads[0])


def _text(client, page, campaign):
    answer = client.get(reverse(f"admin:campaigns_campaign_{page}", args=[campaign.pk]))
    return " ".join(answer.content.decode().split())


def test_it_is_published_from_the_form_reviewed_and_counted(ours, client_of):  # noqa: F811
    client = client_of(ours.brand)
    flow = flow_of(toss(chance=100, heads="a2"), stop("a2"))
    client.post(
        reverse("admin:campaigns_campaign_add"),
        campaign_form(ours.brand, flow=json.dumps(flow), name="Toss", entry_interval_0="0"),
    )
    campaign = Campaign.objects.get(name="Toss")
    assert campaign.flow == flow
    review = _text(client, "review", campaign)
    assert "Toss a penny (100 % heads)" in review
    assert "Heads → 2; everything else ends the journey" in review
    activate(client, campaign)
    campaign.refresh_from_db()
    person = ours.rows[EndUser].pk
    enrol(entry=entry_for(campaign), candidates=[Candidate(person, key) for key in ("e1", "e2")], now=NOW)
    advance_due(now=NOW)
    page = _text(client, "change", campaign)
    assert "Toss a coin" in page
    assert "<dt>Heads</dt><dd>2</dd>" in page
    assert "<dt>Tails</dt><dd>0</dd>" in page
