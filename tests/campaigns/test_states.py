"""Pause, resume, disable, archive; schedules; triggers; absorption; counts."""

import pytest

from campaigns.advance import advance_due, advance_enrolments, popup_answers_apply
from campaigns.models import Enrolment, EntryGuard, Launch
from campaigns.selectors.counts import Totals, campaign_counts
from campaigns.services.entry_by_event import enter_by_events
from campaigns.services.merging import journeys_merge
from campaigns.services.schedule import launch_due
from campaigns.services.states import (
    CannotChangeState,
    campaign_archive,
    campaign_disable,
    campaign_pause,
    campaign_resume,
)
from devices.models import Delivery, Dispatch, EndUser, PopupOffer
from devices.people.services.events import RecordedEvent
from tests.campaigns.world import NOW, delay, flow_of, later, popup, push, state_of, stop, version_of

ASK = {"version": 1, "rule": {"field": "push_status_last_session", "operator": "is", "value": "ask"}}


def event(number, person, name="session", **properties):
    return RecordedEvent(
        id=number, end_user_id=person.pk, device_id=7, name=name, properties=properties, occurred_at=NOW
    )


def test_paused_lets_nobody_in_and_those_inside_go_on(world):
    campaign = world.campaign(flow_of(delay("a1", 5, "a2"), stop("a2")))
    (one,) = world.enter(campaign, world.end_user())
    campaign_pause(campaign=campaign, now=NOW)
    assert enter_by_events(brand_id=world.brand.pk, events=[event(1, world.end_user())], now=NOW) == []
    advance_due(now=later(5))
    assert state_of(one)[0] == "done"
    campaign_resume(campaign=campaign, now=NOW)
    assert len(enter_by_events(brand_id=world.brand.pk, events=[event(2, world.end_user())], now=NOW)) == 1


@pytest.mark.parametrize(("change", "state"), [(campaign_disable, "disabled"), (campaign_archive, "archived")])
def test_disabled_and_archived_end_the_runs_and_what_they_left_waiting(world, change, state):
    campaign = world.campaign(flow_of(push("a1", "a2"), popup("a2")))
    ann = world.end_user()
    world.device(ann)
    (one,) = world.enter(campaign, ann)
    advance_enrolments(ids=[one], now=NOW)
    assert change(campaign=campaign, now=later(5)) == 1
    assert campaign.state == state
    run = Enrolment.objects.get()
    assert (run.state, run.exit_reason, run.wake_at) == ("exited", f"campaign_{state}", None)
    assert Delivery.objects.get().state == PopupOffer.objects.get().state == "cancelled"
    assert set(Dispatch.objects.values_list("state", flat=True)) == {"stopped"}
    assert advance_due(now=later(9999)).moved == 0
    assert popup_answers_apply(now=later(6), offer_ids=[PopupOffer.objects.get().pk]) == []


def test_a_new_version_after_disabling_sends_under_dispatches_of_its_own(world):
    campaign = world.campaign(flow_of(push("a1")), entry_mode="every_time")
    world.device(ann := world.end_user())
    advance_enrolments(ids=world.enter(campaign, ann, "e1"), now=NOW)
    campaign_disable(campaign=campaign, now=NOW)
    version_of(campaign)
    advance_enrolments(ids=world.enter(campaign, ann, "e2"), now=NOW)
    assert Delivery.objects.get(state="ready").dispatch.state == "running"


def test_those_inside_finish_on_the_version_they_entered(world):
    campaign = world.campaign(flow_of(delay("a1", 5, "a2"), stop("a2")))
    (one,) = world.enter(campaign, world.end_user())
    campaign.flow = flow_of(stop("b1"))
    campaign.save()
    version_of(campaign)
    (two,) = world.enter(campaign, world.end_user())
    advance_due(now=later(5))
    assert (state_of(one), state_of(two)) == (("done", "a2"), ("done", "b1"))


@pytest.mark.parametrize("change", [campaign_pause, campaign_resume])
def test_a_state_that_does_not_allow_it_refuses(world, change):
    campaign = world.campaign(flow_of(stop("a1")))
    campaign_disable(campaign=campaign, now=NOW)
    with pytest.raises(CannotChangeState, match="disabled"):
        change(campaign=campaign, now=NOW)


def test_an_event_lets_in_those_of_the_audience_with_its_properties(world):
    campaign = world.campaign(flow_of(popup("a1")), trigger_event="deposit", rules=ASK)
    ann, bob = world.end_user(), world.end_user(last_session_status="blocked")
    events = [event(1, ann, "deposit", amount=20), event(2, bob, "deposit"), event(3, ann, "login")]
    assert len(enter_by_events(brand_id=world.brand.pk, events=events, now=NOW)) == 1
    run = Enrolment.objects.get()
    assert (run.end_user_id, run.campaign_id, run.device_id, run.variables) == (ann.pk, campaign.pk, 7, {"amount": 20})
    assert enter_by_events(brand_id=world.brand.pk, events=events, now=later(5)) == []


def test_an_event_costs_a_fixed_number_of_queries(world, django_assert_num_queries):
    world.campaign(flow_of(popup("a1")), rules=ASK)
    people = [world.end_user() for _ in range(30)]
    # campaigns, locks, audience, then entering: savepoint, lock, statement, release
    with django_assert_num_queries(7):
        enter_by_events(brand_id=world.brand.pk, events=[event(n, person) for n, person in enumerate(people)], now=NOW)
    assert Enrolment.objects.count() == 30


def test_what_a_draft_says_does_not_count_until_it_is_published(world):
    campaign = world.campaign(flow_of(popup("a1")), trigger_event="deposit")
    campaign.trigger_event = "login"
    campaign.save()
    ann = world.end_user()
    assert enter_by_events(brand_id=world.brand.pk, events=[event(1, ann, "login")], now=NOW) == []
    assert len(enter_by_events(brand_id=world.brand.pk, events=[event(2, ann, "deposit")], now=NOW)) == 1


def test_another_brands_event_lets_nobody_in(world):
    world.campaign(flow_of(popup("a1")))
    assert enter_by_events(brand_id=world.brand.pk + 1, events=[event(1, world.end_user())], now=NOW) == []


def test_a_schedule_lets_the_audience_in_once_and_the_campaign_is_executed(world):
    world.end_users(3)
    world.end_user(last_session_status="blocked")
    campaign = world.campaign(flow_of(push("a1")), kind="scheduled", scheduled_at=NOW, rules=ASK)
    assert launch_due(now=later(1)).entered == 3
    campaign.refresh_from_db()
    assert (campaign.state, campaign.launched_at) == ("executed", later(1))
    assert launch_due(now=later(2)).slices == 0
    assert set(Enrolment.objects.values_list("entry_key", flat=True)) == {"once"}
    assert Launch.objects.get().entered == 3
    advance_due(now=later(2))
    assert Dispatch.objects.get().lane == "bulk"


def test_a_paused_launch_halts_and_goes_on_when_resumed(world, monkeypatch):
    monkeypatch.setattr("campaigns.services.schedule.SLICE", 5)
    world.end_users(20)
    campaign = world.campaign(flow_of(stop("a1")), kind="scheduled", scheduled_at=NOW, entry_mode="every_time")
    launch_due(now=NOW, max_slices=1)
    assert 0 < Enrolment.objects.count() < 20
    campaign_pause(campaign=campaign, now=NOW)
    assert launch_due(now=NOW).slices == 0
    campaign_resume(campaign=campaign, now=NOW)
    while launch_due(now=NOW).slices:
        pass
    assert Enrolment.objects.count() == 20
    assert Enrolment.objects.filter(entry_key=NOW.isoformat()).count() == 20


def test_a_visitors_runs_and_guards_become_the_known_persons(world):
    free = world.campaign(flow_of(popup("a1")), entry_mode="once")
    taken = world.campaign(flow_of(push("a1", "a2"), delay("a2", 50)), entry_mode="once_while_open")
    visitor, known = world.end_user(external_id=None), world.end_user()
    world.device(visitor)
    (moves,) = world.enter(free, visitor)
    (ends,) = world.enter(taken, visitor, "e1")
    (stays,) = world.enter(taken, known, "e2", later(1))
    advance_enrolments(ids=[ends], now=NOW)
    journeys_merge(visitor_id=visitor.pk, known_id=known.pk, now=later(2))
    assert set(Enrolment.objects.values_list("end_user_id", flat=True)) == {known.pk}
    assert [state_of(pk)[0] for pk in (moves, ends, stays)] == ["active", "exited", "active"]
    assert Enrolment.objects.get(pk=ends).exit_reason == "merged"
    assert Delivery.objects.get().state == "cancelled"
    assert EntryGuard.objects.get(campaign=taken).entries == 2
    assert world.enter(free, known) == []
    EndUser.objects.filter(pk=visitor.pk).delete()
    assert EntryGuard.objects.count() == 2


def test_two_once_runs_under_the_same_key_both_stay_in_the_books(world):
    campaign = world.campaign(flow_of(stop("a1")), entry_mode="once")
    visitor, known = world.end_user(external_id=None), world.end_user()
    for person in (visitor, known):
        advance_enrolments(ids=world.enter(campaign, person), now=NOW)
    journeys_merge(visitor_id=visitor.pk, known_id=known.pk, now=NOW)
    assert Enrolment.objects.filter(end_user=known).count() == 2


def test_the_counts_say_what_became_of_everybody(world, django_assert_num_queries):
    campaign = world.campaign(flow_of(popup("a1", allowed="a2"), push("a2", "a3"), stop("a3")))
    people = [world.end_user() for _ in range(4)]
    for person in people[:2]:
        world.device(person)
    for person in people:
        world.enter(campaign, person)
    advance_due(now=NOW)
    offers = list(PopupOffer.objects.order_by("end_user_id"))
    for offer, outcome in zip(offers, ["allowed", "allowed", "later"], strict=False):
        asked = NOW if outcome == "allowed" else None
        PopupOffer.objects.filter(pk=offer.pk).update(state=outcome, shown_at=NOW, asked_at=asked, finished_at=NOW)
    advance_enrolments(ids=popup_answers_apply(now=NOW), now=NOW)
    first, second = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=first.pk).update(state="accepted", displayed_at=NOW, clicked_at=NOW)
    Delivery.objects.filter(pk=second.pk).update(state="gone", reason="http_410")
    with django_assert_num_queries(4):
        counts = campaign_counts(campaign=campaign)
    assert counts.totals == Totals(entered=4, active=1, done=3, exited=0)
    asked, sent = counts.activities["a1"], counts.activities["a2"]
    assert (asked.runs, asked.offered, asked.shown, asked.asked) == (4, 4, 3, 2)
    assert asked.outcomes == {"allowed": 2, "later": 1}
    assert (sent.runs, sent.accepted, sent.displayed, sent.clicked) == (2, 1, 1, 1)
    assert (sent.messages, sent.reasons) == ({"accepted": 1, "gone": 1}, {("gone", "http_410"): 1})
    assert counts.activities["a3"].runs == 2
