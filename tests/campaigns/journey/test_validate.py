import pytest

from campaigns.activities import registry
from campaigns.journey.compile import compile_flow
from campaigns.journey.parse import parse
from campaigns.journey.ready_flows import ask_for_push_permission
from campaigns.journey.validate import validate
from tests.campaigns.world import delay, flow_of, popup, push, stop


def codes(draft):
    flow = parse(draft, kinds=registry.kinds())
    return {(problem.key, problem.code) for problem in validate(flow=flow, usable={"push": {1}, "popup": {1}})}


def test_the_ready_flow_has_no_problem_and_only_allowed_leads_on():
    draft = ask_for_push_permission(popup_id=1, welcome_id=1)
    assert codes(draft) == set()
    steps = {step.key: step for step in compile_flow(flow=parse(draft, kinds=registry.kinds()))}
    assert steps["a1"].next == {"allowed": "a2"}
    assert steps["a2"].next == {"*": "a3"}


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        ({}, ("", "no_start")),
        ("nonsense", ("", "malformed")),
        ({"version": 9}, ("", "malformed")),
        ({"version": 2, "start": "a1", "activities": [3]}, ("", "malformed")),
        ({"version": 1, "start": "a1", "activities": []}, ("", "malformed")),
        (flow_of({"key": "a1", "kind": "teleport"}), ("a1", "unknown_kind")),
        (flow_of(delay("a1", 5, "gone")), ("a1", "dangling_next")),
        (flow_of(stop("a1"), stop("a2")), ("a2", "unreachable")),
        ({**flow_of(stop("a1")), "start": "zz"}, ("", "no_start")),
        (flow_of(stop("a1"), stop("a1")), ("a1", "duplicate_key")),
        (flow_of(push("a1", "a2"), push("a2", "a1")), ("a2", "endless_cycle")),
        (flow_of(push("a1", "a1")), ("a1", "endless_cycle")),
        (flow_of(push("a1", resource=None)), ("a1", "missing_resource")),
        (flow_of(push("a1", resource=7)), ("a1", "missing_resource")),
        (flow_of(push("a1", resource="7")), ("a1", "malformed")),
        (flow_of(popup("a1", resource=7)), ("a1", "missing_resource")),
        (flow_of(push("a1", None, "fridge")), ("a1", "malformed")),
        (flow_of(popup("a1", exploded="a1")), ("a1", "unknown_outcome")),
        (flow_of(delay("a1", 0)), ("a1", "out_of_bounds")),
        (flow_of(delay("a1", 365 * 86_400 + 1)), ("a1", "out_of_bounds")),
        (flow_of(popup("a1", timeout=29)), ("a1", "out_of_bounds")),
        (flow_of(popup("a1", timeout=28 * 86_400 + 1)), ("a1", "out_of_bounds")),
        (flow_of(*[delay(f"a{n}", 5, f"a{n + 1}") for n in range(201)]), ("", "too_many_activities")),
    ],
)
def test_what_is_wrong_is_said_with_the_activity_it_is_about(draft, problem):
    assert problem in codes(draft)


@pytest.mark.parametrize(
    "draft",
    [
        flow_of(delay("a1", 5, "a2"), push("a2", "a1")),
        flow_of(push("a1", "a2"), popup("a2", later="a1")),
        flow_of(popup("a1", later="a1")),
    ],
)
def test_a_cycle_in_which_time_passes_is_allowed(draft):
    assert codes(draft) == set()


def test_the_way_into_an_endless_cycle_is_not_blamed_for_it():
    problems = codes(flow_of(push("a1", "a2"), push("a2", "a3"), push("a3", "a2")))
    assert problems == {("a2", "endless_cycle"), ("a3", "endless_cycle")}


def test_a_popup_that_never_reached_a_page_goes_the_way_of_no_answer():
    (first, _) = compile_flow(flow=parse(flow_of(popup("a1", no_answer="a2"), stop("a2")), kinds=registry.kinds()))
    assert first.next == dict.fromkeys(("no_answer", "expired", "busy", "opted_out", "cancelled"), "a2")
