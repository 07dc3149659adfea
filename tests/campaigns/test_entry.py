"""Who is let in: entry modes, the least interval, replays."""

import pytest

from campaigns.advance import advance_enrolments
from campaigns.models import Enrolment, EntryGuard
from campaigns.services.entry import Candidate, enrol
from campaigns.services.states import campaign_pause
from devices.models import Delivery, PopupOffer
from tests.campaigns.world import NOW, delay, entry_for, flow_of, later, popup, push, stop

WAITING = flow_of(popup("a1"))


@pytest.mark.parametrize("mode", ["once", "once_while_open", "every_time", "restart"])
def test_a_replayed_event_enters_nobody_twice(world, mode):
    campaign = world.campaign(WAITING, entry_mode=mode)
    ann = world.end_user()
    assert len(world.enter(campaign, ann, "e1")) == 1
    assert world.enter(campaign, ann, "e1", later(5)) == []
    assert Enrolment.objects.get().state == "active"


def test_once_lets_in_once_in_a_life(world):
    campaign = world.campaign(flow_of(stop("a1")), entry_mode="once")
    ann = world.end_user()
    ids = world.enter(campaign, ann, "e1")
    advance_enrolments(ids=ids, now=NOW)
    assert Enrolment.objects.get().state == "done"
    assert world.enter(campaign, ann, "e2", later(9_999_999)) == []
    assert Enrolment.objects.get().entry_key == "once"


def test_once_while_open_lets_in_again_after_the_run_has_ended(world):
    campaign = world.campaign(flow_of(delay("a1", 10)), entry_mode="once_while_open")
    ann = world.end_user()
    ids = world.enter(campaign, ann, "e1")
    assert world.enter(campaign, ann, "e2", later(5)) == []
    assert EntryGuard.objects.get().entries == 1
    advance_enrolments(ids=ids, now=later(11))
    assert len(world.enter(campaign, ann, "e2", later(12))) == 1


def test_every_time_lets_several_runs_stay_open(world):
    campaign = world.campaign(WAITING, entry_mode="every_time")
    ann = world.end_user()
    entry = entry_for(campaign)
    both = [Candidate(ann.pk, "e1"), Candidate(ann.pk, "e2")]
    assert len(enrol(entry=entry, candidates=both, now=NOW)) == 2
    assert EntryGuard.objects.get().entries == 2
    assert Enrolment.objects.filter(state="active").count() == 2


@pytest.mark.parametrize("mode", ["once_while_open", "every_time", "restart"])
def test_the_least_interval_keeps_out_until_it_has_passed(world, mode):
    campaign = world.campaign(flow_of(stop("a1")), entry_mode=mode, entry_interval=60)
    ann = world.end_user()
    entry = entry_for(campaign)
    both = [Candidate(ann.pk, "e1"), Candidate(ann.pk, "e2")]
    ids = enrol(entry=entry, candidates=both, now=NOW)
    assert len(ids) == 1
    advance_enrolments(ids=ids, now=NOW)
    assert world.enter(campaign, ann, "e3", later(59)) == []
    assert EntryGuard.objects.get().last_entered_at == NOW
    assert len(world.enter(campaign, ann, "e4", later(60))) == 1


def test_restart_ends_the_open_run_and_takes_its_waiting_messages_with_it(world):
    campaign = world.campaign(flow_of(push("a1", "a2"), popup("a2")), entry_mode="restart")
    ann = world.end_user()
    world.device(ann)
    first = world.enter(campaign, ann, "e1")
    advance_enrolments(ids=first, now=NOW)
    assert Delivery.objects.get().state == "ready"
    assert PopupOffer.objects.get().state == "pending"
    second = world.enter(campaign, ann, "e2", later(5))
    assert len(second) == 1
    old = Enrolment.objects.get(pk=first[0])
    assert (old.state, old.exit_reason, old.finished_at) == ("exited", "restarted", later(5))
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason, delivery.finished_at) == ("cancelled", "restarted", later(5))
    assert PopupOffer.objects.get().state == "cancelled"
    advance_enrolments(ids=second, now=later(5))
    assert PopupOffer.objects.get(state="pending").enrolment_id == second[0]


def test_restart_by_several_events_at_once_begins_with_the_last(world):
    campaign = world.campaign(WAITING, entry_mode="restart")
    ann = world.end_user()
    enrol(
        entry=entry_for(campaign),
        candidates=[Candidate(ann.pk, "e1", None, {"n": 1}), Candidate(ann.pk, "e2", None, {"n": 2})],
        now=NOW,
    )
    entered = Enrolment.objects.get()
    assert (entered.entry_key, entered.variables) == ("e2", {"n": 2})


def test_a_run_that_begins_with_a_delay_wakes_when_it_is_over(world):
    campaign = world.campaign(flow_of(delay("a1", 90), stop("a2")))
    world.enter(campaign, world.end_user())
    assert Enrolment.objects.get().wake_at == later(90)


def test_nobody_enters_a_paused_campaign(world):
    campaign = world.campaign(WAITING)
    entry = entry_for(campaign)
    campaign_pause(campaign=campaign, now=NOW)
    ann = world.end_user()
    assert enrol(entry=entry, candidates=[Candidate(ann.pk, "e1")], now=NOW) == []
    assert not EntryGuard.objects.exists()


def test_five_thousand_enter_in_a_fixed_number_of_queries(world, django_assert_num_queries):
    campaign = world.campaign(WAITING)
    entry = entry_for(campaign)
    people = world.end_users(5000)
    candidates = [Candidate(person, "slot") for person in people]
    with django_assert_num_queries(4):  # savepoint, lock, the statement, release
        assert len(enrol(entry=entry, candidates=candidates, now=NOW)) == 5000
