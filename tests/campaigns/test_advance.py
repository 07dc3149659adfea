"""The engine's statements, one kind of activity after another."""

from datetime import date

import pytest

from campaigns.advance import advance_due, advance_enrolments, popup_answers_apply
from campaigns.models import Enrolment, StepRun
from campaigns.services.entry import Candidate, enrol
from devices.models import Delivery, Dispatch, PopupOffer
from tests.campaigns.world import NOW, delay, entry_for, flow_of, later, popup, push, state_of, stop

OUTCOMES = ["allowed", "blocked", "later", "closed", "dismissed", "no_answer", "clicked"]


def test_a_push_writes_one_message_for_each_reachable_device(world):
    campaign = world.campaign(flow_of(push("a1", "a2"), stop("a2")), purpose="operational")
    ann, bob = world.end_user(), world.end_user()
    phone, laptop = world.device(ann), world.device(ann)
    world.device(ann, live=False)
    world.device(ann, status="suspended")
    world.device(bob)
    ids = enrol(entry=entry_for(campaign), candidates=[Candidate(ann.pk, "e1", phone.pk, {"amount": 20})], now=NOW)
    result = advance_enrolments(ids=ids, now=NOW)
    assert result.counts == {"push": 1, "stop": 1}
    dispatch = Dispatch.objects.get()
    assert result.dispatch_ids == (dispatch.pk,)
    assert (dispatch.day, dispatch.source, dispatch.campaign_ref) == (NOW.date(), "journey", campaign.pk)
    assert (dispatch.ttl, dispatch.urgency, dispatch.policy) == (3600, "high", "at_most_once")
    assert (dispatch.purpose, dispatch.lane) == ("operational", "urgent")
    deliveries = Delivery.objects.order_by("device_id")
    assert [row.device_id for row in deliveries] == [phone.pk, laptop.pk]
    for row in deliveries:
        assert (row.enrolment_id, row.step_seq, row.dispatch_id, row.day) == (ids[0], 0, dispatch.pk, NOW.date())
        assert (row.state, row.origin, row.variables) == ("ready", "https://push.example", {"amount": 20})
        assert (row.expires_at, row.next_attempt_at, row.end_user_id) == (later(3600), NOW, ann.pk)
    assert [(run.key, run.outcome) for run in StepRun.objects.order_by("step_seq")] == [
        ("a1", "sent"),
        ("a2", "done"),
    ]
    assert state_of(ids[0]) == ("done", "a2")


@pytest.mark.parametrize(
    ("wanted", "preferred", "platforms", "outcome", "count"),
    [
        ("all", "all", [], "no_device", 0),
        ("web", "all", ["web", "android"], "sent", 1),
        ("native", "all", ["web", "android", "ios"], "sent", 2),
        ("all", "native", ["web", "android"], "sent", 1),
        ("web", "native", ["web", "android"], "excluded_by_target", 0),
        ("web", "native", [], "excluded_by_target", 0),
        ("native", "all", ["web"], "excluded_by_target", 0),
        ("web", "web", ["web"], "sent", 1),
    ],
)
def test_a_push_goes_where_both_settings_of_target_devices_agree(world, wanted, preferred, platforms, outcome, count):
    campaign = world.campaign(flow_of(push("a1", None, wanted)))
    ann = world.end_user(target_devices=preferred)
    for platform in platforms:
        world.device(ann, platform=platform)
    ids = world.enter(campaign, ann)
    advance_enrolments(ids=ids, now=NOW)
    assert StepRun.objects.get().outcome == outcome
    assert Delivery.objects.count() == count
    assert state_of(ids[0])[0] == "done"


def test_a_step_of_a_long_run_is_sent_under_the_day_of_the_send(world):
    campaign = world.campaign(flow_of(delay("a1", 86_400 * 40, "a2"), push("a2")))
    ann = world.end_user()
    world.device(ann)
    world.enter(campaign, ann)
    advance_due(now=later(86_400 * 40))
    assert Delivery.objects.get().day == Dispatch.objects.get().day == date(2027, 1, 2)
    assert {run.day for run in StepRun.objects.all()} == {NOW.date()}


def test_a_delay_holds_until_its_time_and_no_longer(world):
    campaign = world.campaign(flow_of(delay("a1", 60, "a2"), delay("a2", 30, "a3"), stop("a3")))
    (one,) = world.enter(campaign, world.end_user())
    assert advance_due(now=later(59)).moved == 0
    assert advance_due(now=later(60)).counts == {"delay": 1}
    assert (state_of(one), Enrolment.objects.get().wake_at) == (("active", "a2"), later(90))
    assert advance_due(now=later(90)).counts == {"delay": 1, "stop": 1}
    assert state_of(one)[0] == "done"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_popup_moves_on_by_its_outcome(world, outcome):
    branches = {name: "yes" if name == outcome else "no" for name in OUTCOMES}
    campaign = world.campaign(flow_of(popup("a1", **branches), delay("yes", 9), delay("no", 9)))
    (one,) = world.enter(campaign, world.end_user())
    assert advance_due(now=NOW).counts == {"popup": 1}
    offer = PopupOffer.objects.get()
    assert (offer.state, offer.enrolment_id, offer.step_seq, offer.expires_at) == ("pending", one, 0, later(600))
    assert popup_answers_apply(now=later(3), offer_ids=[offer.pk]) == []
    PopupOffer.objects.update(state=outcome, finished_at=later(4))
    assert popup_answers_apply(now=later(5), offer_ids=[offer.pk]) == [one]
    assert state_of(one) == ("active", "yes")
    run = StepRun.objects.get()
    assert (run.outcome, run.ran_at, run.answered_at) == (outcome, NOW, later(4))
    assert popup_answers_apply(now=later(6), offer_ids=[offer.pk]) == []


def test_an_outcome_without_a_branch_ends_the_run(world):
    campaign = world.campaign(flow_of(popup("a1", allowed="a2"), stop("a2")))
    (one,) = world.enter(campaign, world.end_user())
    advance_due(now=NOW)
    PopupOffer.objects.update(state="later", finished_at=later(4))
    assert popup_answers_apply(now=later(5)) == [one]
    assert state_of(one) == ("done", "a1")


@pytest.mark.parametrize(("seen", "outcome"), [("pending", "expired"), ("shown", "no_answer")])
def test_a_popup_that_nobody_answers_takes_the_branch_of_no_answer(world, seen, outcome):
    campaign = world.campaign(flow_of(popup("a1", no_answer="a2"), delay("a2", 9)))
    (one,) = world.enter(campaign, world.end_user())
    advance_due(now=NOW)
    PopupOffer.objects.update(state=seen)
    assert advance_due(now=later(599)).moved == 0
    assert advance_due(now=later(600)).counts == {"timeout": 1}
    assert PopupOffer.objects.get().state == outcome
    assert StepRun.objects.get().outcome == outcome
    assert state_of(one) == ("active", "a2")


def test_a_popup_waits_while_another_is_open_and_gives_up_at_its_own_timeout(world):
    first = world.campaign(flow_of(popup("a1", timeout=100)))
    second = world.campaign(flow_of(popup("a1", timeout=50, no_answer="a2"), delay("a2", 9)))
    ann = world.end_user()
    world.enter(first, ann)
    advance_due(now=NOW)
    (one,) = world.enter(second, ann)
    assert advance_due(now=NOW).counts == {"popup": 1}
    waiting = Enrolment.objects.get(pk=one)
    assert (waiting.waiting_for, waiting.wake_at) == ("busy", later(30))
    advance_due(now=later(30))
    assert Enrolment.objects.get(pk=one).wake_at == later(50)
    advance_due(now=later(50))
    assert StepRun.objects.get(enrolment_id=one).outcome == "busy"
    assert state_of(one) == ("active", "a2")
    assert PopupOffer.objects.count() == 1


def test_a_popup_is_offered_once_the_other_one_has_ended(world):
    first = world.campaign(flow_of(popup("a1", timeout=600)))
    second = world.campaign(flow_of(popup("a1", timeout=600)))
    ann = world.end_user()
    world.enter(first, ann)
    world.enter(second, ann)
    advance_due(now=NOW)
    PopupOffer.objects.update(state="closed", finished_at=later(5))
    advance_due(now=later(30))
    offer = PopupOffer.objects.get(state="pending")
    assert offer.expires_at == later(600)
    assert Enrolment.objects.get(pk=offer.enrolment_id).waiting_for == "popup"


def test_a_loop_runs_each_round_as_its_own_step(world):
    campaign = world.campaign(flow_of(delay("a1", 10, "a2"), push("a2", "a1")))
    world.device(ann := world.end_user())
    world.enter(campaign, ann)
    for round_ in range(1, 4):
        advance_due(now=later(10 * round_))
    assert [run.step_seq for run in StepRun.objects.order_by("step_seq")] == [0, 1, 2, 3, 4, 5]
    assert Delivery.objects.values_list("step_seq", flat=True).distinct().count() == 3
    assert Enrolment.objects.get().state == "active"


def test_from_popup_to_push_in_the_request_of_the_answer(world, django_assert_num_queries):
    campaign = world.campaign(flow_of(popup("a1", allowed="a2"), push("a2", "a3"), stop("a3")))
    ann = world.end_user()
    world.device(ann)
    ids = world.enter(campaign, ann)
    advance_enrolments(ids=ids, now=NOW)
    PopupOffer.objects.update(state="allowed", finished_at=later(4))
    moved = popup_answers_apply(now=later(4), offer_ids=[PopupOffer.objects.get().pk])
    result = advance_enrolments(ids=moved, now=later(4))
    assert result.counts == {"push": 1, "stop": 1}
    assert Delivery.objects.get().state == "ready"


@pytest.mark.parametrize("count", [50, 5000])
def test_a_pass_costs_the_same_queries_for_fifty_and_for_five_thousand(world, count, django_assert_num_queries):
    campaign = world.campaign(flow_of(push("a1", "a2"), stop("a2")), entry_mode="every_time")
    people = world.end_users(count)
    world.devices(people)
    enrol(entry=entry_for(campaign), candidates=[Candidate(person, "e1") for person in people], now=NOW)
    # what is due; delay; popup's dispatches; push's dispatches, the new dispatch (insert, look-up), push; stop
    with django_assert_num_queries(8):
        result = advance_due(now=NOW)
    assert result.counts == {"push": count, "stop": count}
    assert Delivery.objects.count() == count


def test_nothing_due_costs_one_query(world, django_assert_num_queries):
    world.campaign(flow_of(stop("a1")))
    with django_assert_num_queries(1):
        assert advance_due(now=NOW).moved == 0


def test_a_limit_leaves_the_rest_for_the_next_pass(world):
    campaign = world.campaign(flow_of(stop("a1")))
    enrol(entry=entry_for(campaign), candidates=[Candidate(person, "e1") for person in world.end_users(7)], now=NOW)
    assert [advance_due(now=NOW, limit=3).moved for _ in range(4)] == [3, 3, 1, 0]


def test_a_run_whose_end_user_is_gone_still_ends(world):
    campaign = world.campaign(flow_of(push("a1", "a2"), popup("a2")))
    (one,) = world.enter(campaign, world.end_user())
    Enrolment.objects.update(end_user_id=999_999_999)
    advance_due(now=NOW)
    advance_due(now=NOW)
    PopupOffer.objects.all().delete()
    advance_due(now=later(600))
    assert state_of(one)[0] == "done"
