"""Each thing that decides what will run is a difference by itself."""

from datetime import timedelta

import pytest

from campaigns.activities import registry
from campaigns.drafts.fingerprint import review_different, review_parts
from campaigns.drafts.reading import Draft, Selection
from campaigns.journey.parse import parse
from campaigns.models import Campaign
from segments.models import Segment
from tests.campaigns.world import NOW, delay, flow_of, popup, push, stop

ACTIVITIES = (popup("a1", allowed="a2"), push("a2", "a3"), delay("a3", 60, "a4"), stop("a4"))
REALTIME = {"kind": "realtime", "trigger_kind": "event", "trigger_event": "login"}
SCHEDULED = {"kind": "scheduled", "scheduled_at": NOW + timedelta(hours=1)}


def parts(*, settings=REALTIME, activities=ACTIVITIES, now=NOW, **selections):
    chosen = {"audience": Selection(), "trigger": Selection(), **selections}
    draft = Draft(campaign=Campaign(**settings), flow=parse(flow_of(*activities), kinds=registry.kinds()), **chosen)
    return review_parts(draft=draft, now=now)


@pytest.mark.parametrize(
    "changed",
    [
        popup("a1", allowed="a3"),
        popup("a1", allowed="a2", blocked="a3"),
        popup("a1", timeout=60, allowed="a2"),
        popup("a1", allowed="a2", resource=2),
        push("a2", "a4"),
        push("a2", "a3", target="web"),
        push("a2", "a3", resource=2),
        delay("a3", 61, "a4"),
        delay("a2", 60, "a3"),
    ],
)
def test_each_value_of_an_activity_is_one(changed):
    after = [changed if one["key"] == changed["key"] else one for one in ACTIVITIES]
    found = review_different(parts=parts(activities=after), reviewed=parts())
    assert found == [f"activity:{changed['key']}"]


@pytest.mark.parametrize(
    ("settings", "change", "keys"),
    [
        (REALTIME, {"trigger_event": "deposit"}, ["trigger_event"]),
        (REALTIME, {"trigger_kind": "segment_entered"}, ["trigger_kind", "trigger_event"]),
        (REALTIME, SCHEDULED, ["kind", "trigger_kind", "trigger_event", "scheduled_at", "starts_at_once"]),
        (SCHEDULED, {"scheduled_at": NOW + timedelta(hours=2)}, ["scheduled_at"]),
        (REALTIME, {"entry_mode": "every_time"}, ["entry_mode"]),
        (REALTIME, {"entry_interval": 60}, ["entry_interval"]),
        (REALTIME, {"purpose": "operational"}, ["purpose"]),
        (REALTIME, {"state": "paused"}, ["state"]),
    ],
)
def test_each_setting_is_one(settings, change, keys):
    assert review_different(parts=parts(settings=settings | change), reviewed=parts(settings=settings)) == keys


@pytest.mark.parametrize("name", ["audience", "trigger"])
def test_another_segment_of_the_same_name_is_one(name):
    one, other = (parts(**{name: Selection(Segment(pk=pk, name="VIPs"))}) for pk in (1, 2))
    assert review_different(parts=one, reviewed=other) == [name]


def test_a_start_that_has_passed_is_one():
    passed = parts(settings=SCHEDULED, now=NOW + timedelta(hours=1))
    assert review_different(parts=passed, reviewed=parts(settings=SCHEDULED)) == ["starts_at_once"]
