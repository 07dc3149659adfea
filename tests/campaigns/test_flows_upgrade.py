"""Stored flows of version 1 are upgraded wherever they are, also those that the release before saves meanwhile."""

import copy

from django.db import connection

from campaigns.models import Campaign, CampaignVersion, VersionStep
from campaigns.services.flows_upgrade import flows_upgrade
from campaigns.ticker import Ticker
from devices.models import Delivery
from tests.campaigns.world import NOW, flow_of, push, stop
from tests.support.flows_version_1 import DRAFT, GRAPH


def old_campaign(world, name, flow=DRAFT):
    """A campaign as 0.3.0 kept it, in its published version too."""
    campaign = world.campaign(flow_of(push("a1", target="web")), name=name, entry_mode="every_time")
    CampaignVersion.objects.filter(campaign=campaign).update(graph=copy.deepcopy(GRAPH))
    VersionStep.objects.filter(version__campaign=campaign).delete()
    for key, step in GRAPH["steps"].items():
        VersionStep.objects.create(
            version=campaign.current_version,
            key=key,
            kind=step["kind"],
            seconds=step["seconds"],
            target_devices=step["target_devices"],
            next=step["next"],
        )
    Campaign.objects.filter(pk=campaign.pk).update(flow=flow)
    Campaign.history.model.objects.filter(id=campaign.pk).update(flow=flow)
    return campaign


def test_drafts_history_versions_and_their_steps_are_upgraded_in_batches(world):
    campaigns = [old_campaign(world, f"Old {number}") for number in range(5)]
    broken = {"version": 1, "activities": "none"}
    kept = old_campaign(world, "Broken", broken)
    histories = Campaign.history.model.objects.filter(flow=DRAFT).count()
    assert histories >= 5
    assert flows_upgrade(batch=2) == 5 + histories + 6
    for campaign in campaigns:
        campaign.refresh_from_db()
        assert campaign.flow["version"] == 2
        assert campaign.current_version.graph["version"] == 2
        settings = dict(campaign.current_version.steps.values_list("key", "settings"))
        assert settings == {
            "a1": {"popup": 7, "timeout": 600},
            "a2": {"seconds": 60},
            "a3": {"push": 8, "target_devices": "web"},
            "a4": {},
        }
    kept.refresh_from_db()
    assert kept.flow == broken
    assert flows_upgrade() == 0


def test_the_ticker_upgrades_what_an_older_process_saves_after_the_migration(world):
    campaign = old_campaign(world, "Old")
    Ticker().tick(now=NOW)
    campaign.refresh_from_db()
    assert campaign.flow["version"] == 2


def test_a_step_that_an_older_process_published_sends_to_its_target_devices(world):
    """Until it is upgraded such a step has no settings: its column still says where it may go."""
    campaign = world.campaign(flow_of(push("a1", "a2", target="native"), stop("a2")), entry_mode="every_time")
    VersionStep.objects.filter(version__campaign=campaign).update(settings={})
    person = world.end_user()
    world.device(person)
    phone = world.device(person, platform="android")
    world.enter(campaign, person)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM campaigns_versionstep WHERE settings = '{}'")
        assert cursor.fetchone()[0] >= 2
    Ticker().tick(now=NOW)
    assert list(Delivery.objects.values_list("device_id", flat=True)) == [phone.pk]
