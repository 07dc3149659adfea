"""People who must never be contacted leave every campaign, and enter none, whoever is quicker."""

import pytest

from campaigns.advance import advance_due, advance_enrolments
from campaigns.models import Enrolment, StepRun
from campaigns.selectors.audit import audit
from campaigns.services.entry import Candidate, enrol
from campaigns.services.entry_by_api import TriggerRow, campaign_trigger
from campaigns.services.never_contact import list_mark, people_never_contact
from devices.lifecycle.merging import end_user_merge, merge_finish
from devices.lifecycle.steps import Merge
from devices.models import Delivery, EndUser, PopupOffer
from segments.models import ImportLine, ListEntry, SegmentImport, SegmentWork
from segments.services.lists import list_extend, list_save
from segments.services.scheduled_work import work_due
from segments.tasks import run_work
from tests.campaigns.world import NOW, delay, entry_for, flow_of, later, popup, push, stop
from tests.support.races import ROUNDS, Held, together


def mark(world, *people, on=True, now=NOW):
    return people_never_contact(
        brand_id=world.brand.pk, end_user_ids=[one if isinstance(one, int) else one.pk for one in people], on=on,
        by="platform", now=now,
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["once", "once_while_open", "every_time", "restart"])
def test_who_is_marked_enters_nothing_and_the_others_do(world, mode):
    campaign = world.campaign(flow_of(delay("a1", 60)), entry_mode=mode)
    ann, bob = world.end_user(), world.end_user()
    mark(world, ann)
    candidates = [Candidate(ann.pk, "e1"), Candidate(bob.pk, "e1")]
    (entered,) = enrol(entry=entry_for(campaign), candidates=candidates, now=NOW)
    assert Enrolment.objects.get(pk=entered).end_user_id == bob.pk
    mark(world, ann, on=False)
    assert len(world.enter(campaign, ann, "e2", later(5))) == 1


def test_the_mark_ends_open_journeys_with_what_they_left_waiting(world):
    ann, bob = world.end_user(), world.end_user()
    for person in (ann, bob):
        world.device(person)
    first = world.campaign(flow_of(popup("a1")))
    second = world.campaign(flow_of(push("a1", "a2"), delay("a2", 60, "a3"), push("a3")))
    for campaign in (first, second):
        for person in (ann, bob):
            advance_enrolments(ids=world.enter(campaign, person), now=NOW)
    assert mark(world, ann) == [ann.pk]
    assert set(Enrolment.objects.filter(end_user=ann).values_list("state", "exit_reason")) == {
        ("exited", "never_contact")
    }
    assert set(Enrolment.objects.filter(end_user=bob).values_list("state", flat=True)) == {"active"}
    assert list(PopupOffer.objects.filter(end_user=ann).values_list("state", flat=True)) == ["cancelled"]
    assert list(Delivery.objects.filter(end_user=ann).values_list("state", "reason")) == [
        ("cancelled", "never_contact")
    ]
    assert Delivery.objects.get(end_user=bob).state == "ready"
    advance_due(now=later(61))
    assert Delivery.objects.filter(end_user=ann).count() == 1


def test_a_server_that_triggers_a_campaign_hears_who_is_marked(world):
    campaign = world.campaign(flow_of(stop("a1")))
    ann, bob = world.end_user(), world.end_user()
    mark(world, ann)
    rows = [TriggerRow(0, ann.pk, {}), TriggerRow(1, bob.pk, {})]
    assert campaign_trigger(campaign_id=campaign.pk, rows=rows, key="k", now=NOW).results == {
        0: "never_contact", 1: "entered",
    }  # fmt: skip


@pytest.mark.parametrize("marked", ["visitor", "known"])
def test_a_merge_keeps_the_mark_of_either_and_ends_the_journeys_of_both(world, marked):
    campaign, other = world.campaign(flow_of(delay("a1", 60))), world.campaign(flow_of(delay("a1", 60)))
    visitor, known = world.end_user(external_id=None), world.end_user()
    world.enter(campaign, visitor)
    world.enter(other, known)
    # Set beside the service, as by a call that came between.
    EndUser.objects.filter(pk={"visitor": visitor, "known": known}[marked].pk).update(never_contact=True)
    visitor.refresh_from_db()
    known.refresh_from_db()
    merging = Merge(visitor, known, NOW)
    end_user_merge(merging)
    merge_finish(merging)
    known.refresh_from_db()
    assert known.never_contact
    assert set(Enrolment.objects.values_list("end_user_id", "state", "exit_reason")) == {
        (known.pk, "exited", "never_contact")
    }


@pytest.mark.parametrize("opt_out", ["user_opt_out", "platform_opt_out"])
def test_a_popup_step_goes_on_at_once_for_who_has_opted_out(world, opt_out):
    flow = flow_of(popup("a1", allowed="a2", no_answer="a3"), stop("a2"), delay("a3", 60, "a2"))
    campaign = world.campaign(flow)
    ann = world.end_user(**{opt_out: True})
    (run,) = world.enter(campaign, ann)
    advance_enrolments(ids=[run], now=NOW)
    assert not PopupOffer.objects.exists()
    step = StepRun.objects.get(enrolment_id=run, key="a1")
    assert (step.outcome, step.answered_at) == ("opted_out", NOW)
    assert Enrolment.objects.get(pk=run).at_key == "a3"


def test_who_opts_out_while_another_popup_is_in_the_way_goes_on_too(world):
    first, second = (
        world.campaign(flow_of(popup("a1"))),
        world.campaign(flow_of(popup("a1", no_answer="a2"), stop("a2"))),
    )
    ann = world.end_user()
    advance_enrolments(ids=world.enter(first, ann), now=NOW)
    (run,) = world.enter(second, ann)
    advance_enrolments(ids=[run], now=NOW)
    assert Enrolment.objects.get(pk=run).waiting_for == "busy"
    EndUser.objects.update(user_opt_out=True)
    advance_due(now=later(31))
    assert StepRun.objects.get(enrolment_id=run, key="a1").outcome == "opted_out"
    assert PopupOffer.objects.count() == 1


def test_who_is_entering_in_the_moment_of_the_mark_does_not_stay_inside(shared_world):
    campaign = shared_world.campaign(flow_of(delay("a1", 60)), entry_mode="every_time")
    entry = entry_for(campaign)
    for number in range(ROUNDS):
        people = shared_world.end_users(20)
        candidates = [Candidate(person, f"e{number}") for person in people]
        together(
            lambda candidates=candidates: enrol(entry=entry, candidates=candidates, now=NOW),
            lambda people=people: mark(shared_world, *people),
        )
    assert not Enrolment.objects.filter(state="active").exists()


def test_the_audit_finds_somebody_who_is_inside_in_spite_of_the_mark(world):
    (run,) = world.enter(world.campaign(flow_of(delay("a1", 60))), world.end_user())
    EndUser.objects.update(never_contact=True)
    found = {one.check: one.sample for one in audit(now=NOW) if one.count}
    assert found["open journeys of people who must never be contacted"] == [run]


@pytest.mark.parametrize("again", [False, True])
def test_whoever_marks_waits_for_an_entry_that_is_being_written(shared_world, again):
    """Also for one who has been in the campaign before, whose guard is not written anew."""
    campaign = shared_world.campaign(flow_of(delay("a1", 60)), entry_mode="every_time")
    ann = shared_world.end_user()
    if again:
        shared_world.enter(campaign, ann, "e1")
    holder = Held(lambda: shared_world.enter(campaign, ann, "e3"))
    results = []

    def mark_it() -> None:
        results.append(mark(shared_world, ann))

    def let_go() -> None:
        holder.finish()

    together(mark_it, let_go)
    assert results == [[ann.pk]]
    assert Enrolment.objects.filter(end_user=ann, state="active").count() == 0


def test_a_list_is_marked_with_the_ids_that_nobody_has_yet(world, monkeypatch):
    monkeypatch.setattr("campaigns.services.never_contact.SLICE", 3)
    segment = list_save(brand=world.brand, name="Do not call")
    people = world.end_users(7)
    outsider = world.end_user()
    list_extend(segment=segment, end_user_ids=people)
    job = SegmentImport.objects.create(segment=segment, mode="add", state="done", created_at=NOW, unknown=5)
    ImportLine.objects.bulk_create(
        [ImportLine(job=job, line=n, external_id=f"unborn-{n % 4}") for n in range(5)]
        + [ImportLine(job=job, line=9, external_id=outsider.external_id)]  # who has come since stays out
    )
    campaign = world.campaign(flow_of(delay("a1", 60)))
    world.enter(campaign, people[0])
    work_due(segment_id=segment.pk, kind="mark", at=NOW)
    run_work()
    marked = EndUser.objects.filter(never_contact=True)
    assert marked.count() == 11
    assert set(marked.filter(external_id__startswith="unborn-").values_list("external_id", flat=True)) == {
        f"unborn-{n}" for n in range(4)
    }
    assert not EndUser.objects.get(pk=outsider.pk).never_contact
    assert ListEntry.objects.filter(segment=segment).count() == 11
    assert Enrolment.objects.get().exit_reason == "never_contact"
    assert not SegmentWork.objects.filter(kind="mark").exists()


def test_a_long_list_goes_on_where_it_stopped(world, monkeypatch):
    monkeypatch.setattr("campaigns.services.never_contact.SLICE", 3)
    monkeypatch.setattr("campaigns.services.never_contact.SECONDS", -1.0)
    segment = list_save(brand=world.brand, name="Do not call")
    list_extend(segment=segment, end_user_ids=world.end_users(7))
    assert list_mark(segment.pk, NOW) == NOW
    assert EndUser.objects.filter(never_contact=True).count() == 3
    assert [list_mark(segment.pk, NOW) for _ in range(3)] == [NOW, NOW, None]
    assert EndUser.objects.filter(never_contact=True).count() == 7
