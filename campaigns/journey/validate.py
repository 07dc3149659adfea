"""What is wrong with a flow, in words a marketer understands, each with the activity it is about."""

from collections.abc import Collection

from campaigns.journey.parse import Activity, Flow, Problem

MAX_ACTIVITIES = 200
MIN_DELAY = 1
MAX_DELAY = 365 * 86_400
MIN_POPUP_TIMEOUT = 30
MAX_POPUP_TIMEOUT = 28 * 86_400
# A cycle through one of these lets time pass; any other would spin for ever.
_LETS_TIME_PASS = frozenset({"delay", "popup"})


def validate(*, flow: Flow, push_ids: Collection[int], popup_ids: Collection[int]) -> list[Problem]:
    """All problems of a flow, none when it may be published; the ids are those of the brand's usable resources."""
    problems = list(flow.problems)
    if len(flow.activities) > MAX_ACTIVITIES:
        problems.append(Problem("", "too_many_activities", f"A journey has at most {MAX_ACTIVITIES} activities."))
    for activity in flow.activities:
        problems += _settings(activity, push_ids, popup_ids)
        problems += [
            Problem(activity.key, "dangling_next", f"The branch {outcome} leads to an activity that is gone.")
            for outcome, target in activity.next.items()
            if flow.activity(target) is None
        ]
    problems += _start(flow)
    problems += _spinning(flow)
    return problems


def _settings(activity: Activity, push_ids: Collection[int], popup_ids: Collection[int]) -> list[Problem]:
    key = activity.key
    if activity.kind == "push" and activity.resource not in push_ids:
        text = "Choose a push." if activity.resource is None else "The chosen push is gone or archived."
        return [Problem(key, "missing_resource", text)]
    if activity.kind == "delay" and not MIN_DELAY <= activity.seconds <= MAX_DELAY:
        return [Problem(key, "delay_out_of_bounds", "A delay is from one second to 365 days.")]
    found = []
    if activity.kind == "popup":
        if activity.resource not in popup_ids:
            text = "Choose a popup." if activity.resource is None else "The chosen popup is gone or archived."
            found.append(Problem(key, "missing_resource", text))
        if activity.seconds and not MIN_POPUP_TIMEOUT <= activity.seconds <= MAX_POPUP_TIMEOUT:
            text = "A popup waits for its answer from 30 seconds to 28 days."
            found.append(Problem(key, "timeout_out_of_bounds", text))
    return found


def _start(flow: Flow) -> list[Problem]:
    if flow.activity(flow.start) is None:
        return [Problem("", "no_start", "The journey has no first activity.")]
    reached: set[str] = set()
    waiting = [flow.start]
    while waiting:
        activity = flow.activity(waiting.pop())
        if activity is not None and activity.key not in reached:
            reached.add(activity.key)
            waiting += activity.next.values()
    return [
        Problem(activity.key, "unreachable", "Nothing leads to this activity.")
        for activity in flow.activities
        if activity.key not in reached
    ]


def _spinning(flow: Flow) -> list[Problem]:
    """Cycles among the activities that take no time: repeatedly drop those that lead nowhere inside the set."""
    remaining = {
        activity.key: set(activity.next.values())
        for activity in flow.activities
        if activity.kind not in _LETS_TIME_PASS
    }
    while True:
        ends = [key for key, targets in remaining.items() if not targets & remaining.keys()]
        if not ends:
            break
        for key in ends:
            del remaining[key]
    on_cycle = [key for key in remaining if _returns(key, remaining)]
    return [
        Problem(key, "endless_cycle", "This goes round for ever without a delay or a popup in between.")
        for key in on_cycle
    ]


def _returns(key: str, targets: dict[str, set[str]]) -> bool:
    seen: set[str] = set()
    waiting = list(targets[key])
    while waiting:
        at = waiting.pop()
        if at == key:
            return True
        if at in targets and at not in seen:
            seen.add(at)
            waiting += targets[at]
    return False
