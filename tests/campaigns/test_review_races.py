"""Publishing a reviewed draft while others edit it, in transactions of their own."""

import threading
import time

import pytest
from django.db import connection

from assets.models import PushResource
from assets.services import PushDraft, PushVariantDraft, push_resource_save
from campaigns.drafts.fingerprint import review_parts
from campaigns.drafts.reading import draft_read
from campaigns.models import Campaign, CampaignVersion
from campaigns.services.publish import ReviewOutdated, campaign_publish
from segments.models import Segment
from segments.services import segment_save
from tests.campaigns.world import NOW, World, flow_of, later, push
from tests.support.races import PATIENCE_SECONDS, Held, together

ASK = {"version": 1, "rule": {"all": [{"field": "push_status_last_session", "operator": "is", "value": "ask"}]}}
VIP = {"version": 1, "rule": {"all": [{"field": "js_markers", "operator": "has", "value": "VIP"}]}}


@pytest.fixture
def campaign(shared_world: World) -> Campaign:
    brand = shared_world.brand
    push_edit(brand, "Reviewed")
    made = PushResource.objects.get()
    return Campaign.objects.create(
        brand=brand,
        name="Hello",
        segment=segment_save(brand=brand, name="VIPs", rules=VIP),
        flow=flow_of(push("a1", resource=made.pk)),
    )


def push_edit(brand, title):
    variant = PushVariantDraft(language="en", title=title, message="m")
    push_resource_save(brand=brand, name="Letter", draft=PushDraft((variant,)), resource=PushResource.objects.first())


def review(campaign):
    return review_parts(draft=draft_read(campaign=Campaign.objects.get(pk=campaign.pk), now=NOW), now=NOW)


def publish(campaign, reviewed):
    """Publish, and return what was refused."""
    try:
        campaign_publish(campaign=Campaign.objects.get(pk=campaign.pk), by=None, now=NOW, reviewed=reviewed)
    except ReviewOutdated as refusal:
        return list(refusal.changes)
    return []


class Publishing:
    """A publication in a connection of its own that somebody else's lock holds up."""

    def __init__(self, campaign, reviewed):
        self.changes = None
        self._thread = threading.Thread(target=self._run, args=(campaign, reviewed))
        self._thread.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._waits():
            assert self._thread.is_alive(), "nothing held it up"
            assert time.monotonic() < deadline

    def _run(self, campaign, reviewed):
        try:
            self.changes = publish(campaign, reviewed)
        finally:
            connection.close()

    @staticmethod
    def _waits():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
            )
            return cursor.fetchone()[0] > 0

    def finish(self):
        self._thread.join(PATIENCE_SECONDS)
        return self.changes


def lock_table(table, mode):
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN {mode} MODE")


def lock_versions():
    lock_table("campaigns_campaignversion", "EXCLUSIVE")  # they can be read, and none can be written


def lock_launches():
    lock_table("campaigns_launch", "ACCESS EXCLUSIVE")  # read after the comparison, before the version is made


@pytest.mark.parametrize("hold_up", [lock_launches, lock_versions])
def test_edits_that_commit_between_the_comparison_and_the_publication_are_not_in_it(campaign, hold_up):
    Campaign.objects.update(kind="scheduled", scheduled_at=later(3600))
    reviewed = review(campaign)
    held = Held(hold_up)
    publishing = Publishing(campaign, reviewed)
    push_edit(campaign.brand, "Edited")
    segment_save(brand=campaign.brand, name="VIPs", rules=ASK, segment=Segment.objects.get(name="VIPs"))
    held.finish()
    assert publishing.finish() == []
    version = CampaignVersion.objects.get()
    assert version.steps.get().content["variants"]["en"]["title"] == "Reviewed"
    assert version.entry["rules"] == VIP


def test_an_edit_that_is_being_saved_as_the_button_is_pressed_is_waited_for_and_noticed(campaign):
    reviewed = review(campaign)
    held = Held(lambda: Campaign.objects.filter(pk=campaign.pk).update(purpose="operational"))
    publishing = Publishing(campaign, reviewed)
    held.finish()
    (change,) = publishing.finish()
    assert change.startswith("Purpose: was Marketing, is now Operational")
    assert not CampaignVersion.objects.exists()


def test_an_edit_waits_while_the_version_is_written_and_makes_none_of_it(campaign):
    reviewed = review(campaign)
    held = Held(lock_versions)
    publishing = Publishing(campaign, reviewed)
    saving = threading.Thread(target=_save_purpose, args=(campaign,))
    saving.start()
    held.finish()
    assert publishing.finish() == []
    saving.join(PATIENCE_SECONDS)
    assert CampaignVersion.objects.get().entry["purpose"] == "marketing"
    campaign.refresh_from_db()
    assert (campaign.purpose, campaign.state) == ("operational", "active")


def _save_purpose(campaign):
    try:
        Campaign.objects.filter(pk=campaign.pk).update(purpose="operational")
    finally:
        connection.close()


def test_two_publishers_with_one_review_publish_once(campaign):
    reviewed = review(campaign)
    refusals = together(lambda: publish(campaign, reviewed), lambda: publish(campaign, reviewed))
    assert sorted(map(len, refusals)) == [0, 1]
    assert "Version 1 was published" in "".join(*filter(None, refusals))
    assert CampaignVersion.objects.count() == 1
