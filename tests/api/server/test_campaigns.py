"""A brand's server lets end users into campaigns."""

import pytest

from campaigns.models import Campaign, Enrolment
from campaigns.services.states import campaign_pause
from devices.models import Delivery
from smartpush.common.ids import public_id
from tests.api.server.conftest import campaign_on
from tests.campaigns.world import delay, push


def trigger(server, campaign, *users: str, key: str = "k1", expect: int = 200, **more):
    rows = [{"external_id": user} for user in users]
    path = f"campaigns/{public_id('campaign', campaign.pk)}/trigger"
    return server.call("POST", path, {"users": rows, **more}, expect=expect, Idempotency_Key=key)


@pytest.fixture
def people(server):
    server.users({"external_id": "ann"}, {"external_id": "bob", "markers": {"add": ["GOLD"]}})


def test_campaigns_are_listed_with_their_states(server, brand, stranger):
    campaign = campaign_on(brand, delay("a1", 60), name="Welcome")
    campaign_on(stranger.brand, delay("a1", 60), name="Theirs")
    Campaign.objects.create(brand=brand, name="Gone", state="archived", current_version=campaign.current_version)
    assert server.call("GET", "campaigns")["campaigns"] == [
        {"id": public_id("campaign", campaign.pk), "name": "Welcome", "kind": "realtime", "state": "active"}
    ]


def test_end_users_enter_with_their_data_and_move_on_at_once(server, brand, subscriber):
    campaign = campaign_on(brand, push("a1"))
    path = f"campaigns/{public_id('campaign', campaign.pk)}/trigger"
    body = {"users": [{"external_id": "ann", "data": {"order": "7"}}], "data": {"order": "0", "shop": "Athens"}}
    answer = server.call("POST", path, body, Idempotency_Key="k")
    assert answer == {"entered": 1, "results": [{"index": 0, "result": "entered"}], "errors": []}
    assert Enrolment.objects.get().variables == {"order": "7", "shop": "Athens"}
    assert Delivery.objects.get().variables == {"order": "7", "shop": "Athens"}


def test_a_replay_enters_nobody_again_and_answers_the_same(server, brand, people):
    campaign = campaign_on(brand, delay("a1", 60), entry_mode="every_time")
    first = trigger(server, campaign, "ann", "bob")
    assert trigger(server, campaign, "ann", "bob") == first
    assert Enrolment.objects.count() == 2
    assert trigger(server, campaign, "ann", expect=409)["code"] == "idempotency_conflict"
    trigger(server, campaign, "ann", key="k2")
    assert Enrolment.objects.count() == 3


@pytest.mark.parametrize(
    ("mode", "open_runs"), [("once", 1), ("once_while_open", 1), ("every_time", 2), ("restart", 1)]
)
def test_the_entry_mode_decides_who_enters_again(server, brand, people, mode, open_runs):
    campaign = campaign_on(brand, delay("a1", 60), entry_mode=mode)
    assert trigger(server, campaign, "ann")["entered"] == 1
    again = trigger(server, campaign, "ann", key="k2")["results"][0]["result"]
    assert again == ("entered" if mode in {"every_time", "restart"} else "not_let_in_again")
    assert Enrolment.objects.filter(state="active").count() == (2 if mode == "every_time" else 1)


def test_each_row_is_told_what_became_of_it(server, brand, people):
    rules = {"version": 1, "rule": {"field": "external_markers", "operator": "has", "value": "GOLD"}}
    campaign = campaign_on(brand, delay("a1", 60), rules=rules)
    answer = trigger(server, campaign, "ann", "bob", "nobody", "")
    assert [(one["index"], one["result"]) for one in answer["results"]] == [(0, "outside_audience"), (1, "entered")]
    assert [(one["index"], one["code"]) for one in answer["errors"]] == [
        (2, "end_user_unknown"), (3, "invalid_external_id"),
    ]  # fmt: skip


def test_only_an_active_campaign_of_the_brand_takes_entries(server, brand, stranger, people):
    campaign = campaign_on(brand, delay("a1", 60))
    campaign_pause(campaign=campaign, now=campaign.created_at)
    assert trigger(server, campaign, "ann", expect=409)["code"] == "campaign_not_active"
    assert trigger(stranger, campaign, "ann", expect=404)["code"] == "campaign_unknown"
    assert not Enrolment.objects.exists()
