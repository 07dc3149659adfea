"""Two real connections at once, and processes that die in the middle."""

import threading

import pytest
from django.db import connection, transaction

from campaigns.advance import advance_due, advance_enrolments, popup_answers_apply
from campaigns.models import Enrolment, EntryGuard, StepRun
from campaigns.services.entry import Candidate, enrol
from campaigns.services.schedule import launch_due
from campaigns.services.states import campaign_disable, campaign_pause
from devices.models import Delivery, Dispatch, PopupOffer
from devices.popups.offers import offers_expire
from tests.campaigns.world import NOW, World, entry_for, flow_of, later, popup, push, stop
from tests.support.races import PATIENCE_SECONDS, ROUNDS, Held, together


@pytest.mark.parametrize("mode", ["once", "once_while_open", "every_time", "restart"])
def test_the_same_event_taken_by_two_processes_enters_once(shared_world: World, mode):
    campaign = shared_world.campaign(flow_of(popup("a1")), entry_mode=mode)
    entry = entry_for(campaign)
    for round_ in range(ROUNDS):
        people = shared_world.end_users(20)
        candidates = [Candidate(person, f"e{round_}") for person in people]
        results = together(*[lambda c=candidates: enrol(entry=entry, candidates=c, now=NOW)] * 2)
        assert sum(map(len, results)) == 20
        assert Enrolment.objects.filter(end_user_id__in=people, state="active").count() == 20
        assert not Enrolment.objects.filter(end_user_id__in=people, state="exited").exists()


@pytest.mark.parametrize("mode", ["once", "once_while_open", "restart"])
def test_two_events_at_once_leave_one_open_run(shared_world: World, mode):
    campaign = shared_world.campaign(flow_of(popup("a1")), entry_mode=mode)
    entry = entry_for(campaign)
    for _ in range(ROUNDS):
        ann = shared_world.end_user()
        together(
            lambda ann=ann: enrol(entry=entry, candidates=[Candidate(ann.pk, "x")], now=NOW),
            lambda ann=ann: enrol(entry=entry, candidates=[Candidate(ann.pk, "y")], now=NOW),
        )
        assert Enrolment.objects.filter(end_user=ann, state="active").count() == 1


def test_two_events_at_once_keep_the_least_interval(shared_world: World):
    campaign = shared_world.campaign(flow_of(stop("a1")), entry_mode="every_time", entry_interval=60)
    entry = entry_for(campaign)
    for _ in range(ROUNDS):
        ann = shared_world.end_user()
        together(
            lambda ann=ann: enrol(entry=entry, candidates=[Candidate(ann.pk, "x")], now=NOW),
            lambda ann=ann: enrol(entry=entry, candidates=[Candidate(ann.pk, "y")], now=NOW),
        )
        assert Enrolment.objects.filter(end_user=ann).count() == 1
        assert EntryGuard.objects.get(end_user=ann).entries == 1


def test_two_engines_share_the_work_and_do_none_twice(shared_world: World):
    campaign = shared_world.campaign(flow_of(push("a1", "a2"), stop("a2")))
    people = shared_world.end_users(400)
    shared_world.devices(people)
    enrol(entry=entry_for(campaign), candidates=[Candidate(person, "e") for person in people], now=NOW)

    def engine() -> None:
        while advance_due(now=NOW, limit=50).moved:
            pass

    together(engine, engine)
    while advance_due(now=NOW).moved:
        pass
    assert Enrolment.objects.filter(state="done").count() == 400
    assert Delivery.objects.count() == 400
    assert Dispatch.objects.count() == 1
    assert StepRun.objects.count() == 800


def test_a_pass_that_dies_leaves_nothing_half_done(shared_world: World):
    campaign = shared_world.campaign(flow_of(push("a1", "a2"), popup("a2")))
    ann = shared_world.end_user()
    shared_world.device(ann)
    shared_world.enter(campaign, ann)
    with pytest.raises(RuntimeError), transaction.atomic():
        assert advance_due(now=NOW).counts == {"push": 1}
        assert advance_due(now=NOW).counts == {"popup": 1}
        raise RuntimeError("the process died before its commit")
    assert (StepRun.objects.count(), Delivery.objects.count(), PopupOffer.objects.count()) == (0, 0, 0)
    assert Enrolment.objects.get().at_key == "a1"
    while advance_due(now=NOW).moved:
        pass
    assert (StepRun.objects.count(), Delivery.objects.count(), PopupOffer.objects.count()) == (2, 1, 1)


def test_a_killed_back_end_leaves_its_claim_to_the_next(shared_world: World):
    campaign = shared_world.campaign(flow_of(stop("a1")))
    shared_world.enter(campaign, shared_world.end_user())

    def claim() -> int:
        advance_due(now=NOW)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return cursor.fetchone()[0]

    held = Held(claim)
    assert advance_due(now=NOW).moved == 0  # the other holds the row; nobody waits for it
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 60000)", [held.result])
    assert advance_due(now=NOW).counts == {"stop": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda args: None)  # its connection is gone, as meant
        held.finish()
    assert StepRun.objects.count() == 1


@pytest.mark.parametrize("first", ["answer", "timeout"])
def test_between_answer_and_timeout_the_first_wins(shared_world: World, first):
    campaign = shared_world.campaign(
        flow_of(popup("a1", timeout=60, allowed="yes", no_answer="no"), popup("yes"), popup("no"))
    )
    (one,) = shared_world.enter(campaign, shared_world.end_user())
    advance_due(now=NOW)
    offer = PopupOffer.objects.get()
    PopupOffer.objects.update(state="shown", shown_at=NOW)

    def answer() -> int:
        changed = PopupOffer.objects.filter(pk=offer.pk, state="shown").update(state="allowed", finished_at=later(60))
        popup_answers_apply(now=later(60), offer_ids=[offer.pk])
        return changed

    if first == "answer":
        held = Held(answer)
        assert advance_due(now=later(60)).moved == 0  # the answer is not committed yet: the timeout lets it be
        assert held.finish() == 1
    else:
        held = Held(lambda: advance_due(now=later(60)).counts)
        late: list[int] = []
        waiting = threading.Thread(target=lambda: (late.append(answer()), connection.close()))
        waiting.start()
        assert held.finish() == {"timeout": 1, "popup": 1}
        waiting.join(PATIENCE_SECONDS)
        assert late == [0]
    advance_due(now=later(60))
    assert Enrolment.objects.get(pk=one).at_key == ("yes" if first == "answer" else "no")
    assert StepRun.objects.get(enrolment_id=one, step_seq=0).outcome == (
        "allowed" if first == "answer" else "no_answer"
    )
    assert StepRun.objects.filter(enrolment_id=one).count() == 2


def test_an_answer_and_a_timeout_at_one_moment_move_the_run_once(shared_world: World):
    campaign = shared_world.campaign(flow_of(popup("a1", timeout=60, allowed="a2", no_answer="a2"), stop("a2")))
    for _ in range(ROUNDS):
        (one,) = shared_world.enter(campaign, shared_world.end_user())
        advance_due(now=NOW)
        offer = PopupOffer.objects.get(enrolment_id=one)
        PopupOffer.objects.filter(pk=offer.pk).update(state="shown")

        @transaction.atomic
        def answer(pk: int = offer.pk) -> None:
            PopupOffer.objects.filter(pk=pk, state="shown").update(state="allowed", finished_at=later(60))
            popup_answers_apply(now=later(60), offer_ids=[pk])

        together(answer, lambda: (offers_expire(now=later(60)), advance_due(now=later(60))))
        while advance_due(now=later(60)).moved:
            pass
        offer.refresh_from_db()
        runs = StepRun.objects.filter(enrolment_id=one).order_by("step_seq")
        assert [run.outcome for run in runs] == [offer.state, "done"]
        assert Enrolment.objects.get(pk=one).state == "done"


@pytest.mark.parametrize("change", [campaign_pause, campaign_disable])
def test_a_change_of_state_waits_for_entries_under_way_and_none_come_after(shared_world: World, change):
    campaign = shared_world.campaign(flow_of(popup("a1")))
    ann, bob = shared_world.end_user(), shared_world.end_user()
    entry = entry_for(campaign)
    held = Held(lambda: enrol(entry=entry, candidates=[Candidate(ann.pk, "e1")], now=NOW))
    done = threading.Event()

    def stop_it() -> None:
        change(campaign=campaign, now=NOW)
        done.set()
        connection.close()

    thread = threading.Thread(target=stop_it)
    thread.start()
    assert not done.wait(0.3)
    assert len(held.finish()) == 1
    thread.join(PATIENCE_SECONDS)
    assert done.is_set()
    assert enrol(entry=entry, candidates=[Candidate(bob.pk, "e2")], now=NOW) == []
    assert Enrolment.objects.get().state == ("active" if change is campaign_pause else "exited")


def test_a_launch_that_is_killed_goes_on_where_it_stopped(shared_world: World, monkeypatch):
    people = shared_world.end_users(60)
    campaign = shared_world.campaign(flow_of(stop("a1")), kind="scheduled", scheduled_at=NOW)
    monkeypatch.setattr("campaigns.services.schedule.SLICE", 20)
    assert launch_due(now=later(-1)).slices == 0
    assert launch_due(now=later(5), max_slices=1).slices == 1
    entered = Enrolment.objects.count()
    assert 0 < entered < 60
    with pytest.raises(RuntimeError), transaction.atomic():
        launch_due(now=later(6), max_slices=1)
        raise RuntimeError("killed")
    assert Enrolment.objects.count() == entered
    together(*[lambda: [launch_due(now=later(7), max_slices=9) for _ in range(4)]] * 2)
    while launch_due(now=later(8)).slices:
        pass
    assert set(Enrolment.objects.values_list("end_user_id", flat=True)) == set(people)
    assert Enrolment.objects.count() == 60
    campaign.refresh_from_db()
    assert campaign.state == "executed"
    result = advance_enrolments(ids=list(Enrolment.objects.values_list("pk", flat=True)), now=later(9))
    assert result.counts == {"stop": 60}
