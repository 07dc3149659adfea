"""Whatever valid flow a marketer draws: it advances without error, each step once, and ends unless it is a loop."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.activities import registry
from campaigns.advance import advance_due, popup_answers_apply
from campaigns.journey.parse import parse
from campaigns.journey.validate import validate
from campaigns.models import Enrolment, StepRun
from campaigns.services.entry import Candidate, enrol
from devices.delivery.popup_outcomes import POPUP_OUTCOMES
from devices.models import Delivery, PopupOffer
from tests.campaigns.world import NOW, delay, entry_for, flow_of, popup, push, stop

KEYS = [f"a{n}" for n in range(1, 7)]
TICKS = 12


@st.composite
def flows(draw):
    """Connected flows: every activity is somebody's branch, further branches go anywhere, backwards too."""
    count = draw(st.integers(1, len(KEYS)))
    keys = KEYS[:count]
    kinds = [draw(st.sampled_from(["popup", "push", "delay"])) for _ in keys]
    ends = [key for key in keys[1:] if draw(st.booleans()) and key == keys[-1]]
    activities = []
    for place, key in enumerate(keys):
        anywhere = st.none() | st.sampled_from(keys)
        onward = keys[place + 1] if place + 1 < count else draw(anywhere)
        if key in ends:
            activities.append(stop(key))
        elif kinds[place] == "popup":
            branches = {outcome: draw(anywhere) for outcome in POPUP_OUTCOMES}
            branches[draw(st.sampled_from(POPUP_OUTCOMES))] = onward
            activities.append(popup(key, timeout=60, **branches))
        elif kinds[place] == "push":
            target = draw(st.sampled_from(["all", "web", "native"]))
            activities.append(push(key, onward, target))
        else:
            activities.append(delay(key, 20, onward))
    return flow_of(*activities)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(draft=flows(), answers=st.lists(st.sampled_from([*POPUP_OUTCOMES, None]), min_size=TICKS, max_size=TICKS))
def test_every_valid_journey_advances_and_runs_each_step_once(world, draft, answers):
    flow = parse(draft, kinds=registry.kinds())
    if validate(flow=flow, usable={"push": {1}, "popup": {1}}):
        return
    campaign = world.campaign(draft, entry_mode="every_time")
    ann, bob = world.end_user(), world.end_user()
    world.device(ann)
    ids = enrol(entry=entry_for(campaign), candidates=[Candidate(ann.pk, "e1"), Candidate(bob.pk, "e1")], now=NOW)
    mine = Enrolment.objects.filter(pk__in=ids)
    now = NOW
    for answer in answers:
        # Time stands still: a valid flow comes to rest within as many passes as it has activities.
        for _ in range(len(flow.activities) + 1):
            if not advance_due(now=now).moved:
                break
        assert advance_due(now=now).moved == 0
        if answer is not None:
            PopupOffer.objects.filter(state="pending").update(state=answer, finished_at=now)
            popup_answers_apply(now=now)
        now += timedelta(seconds=20)
    runs = list(StepRun.objects.filter(enrolment_id__in=ids).values_list("enrolment_id", "step_seq"))
    assert len(runs) == len(set(runs))
    for run in mine:
        mine_runs = sorted(seq for enrolment, seq in runs if enrolment == run.pk)
        assert mine_runs == list(range(len(mine_runs)))
        assert (run.state == "active") == (run.wake_at is not None)
    sent = list(Delivery.objects.filter(enrolment_id__in=ids).values_list("enrolment_id", "step_seq", "device_id"))
    assert len(sent) == len(set(sent))
    mine.filter(state="active").update(state="exited", wake_at=None)
    PopupOffer.objects.filter(state="pending").update(state="cancelled", finished_at=now)
