"""What is wrong with a flow, in words a marketer understands, each with the activity it is about."""

from collections.abc import Collection, Iterator, Mapping

from campaigns.journey.kinds import Widget, setting_problem
from campaigns.journey.parse import Activity, Flow, Problem

MAX_ACTIVITIES = 200


def validate(*, flow: Flow, usable: Mapping[str, Collection[int]]) -> list[Problem]:
    """All problems of a flow, none when it may be published; `usable`: by kind, the ids of the brand's resources."""
    problems = list(flow.problems)
    if len(flow.activities) > MAX_ACTIVITIES:
        problems.append(Problem("", "too_many_activities", f"A journey has at most {MAX_ACTIVITIES} activities."))
    for activity in flow.activities:
        problems += _settings(activity, usable.get(activity.kind.name, ()))
        problems += [
            Problem(activity.key, "dangling_next", f"The branch {_label(activity, outcome)} leads to nothing.")
            for outcome, target in activity.next.items()
            if flow.activity(target) is None
        ]
    problems += _start(flow)
    problems += _spinning(flow)
    return problems


def _label(activity: Activity, outcome: str) -> str:
    return f"“{dict(activity.kind.branches)[outcome]}”"


def _settings(activity: Activity, usable: Collection[int]) -> Iterator[Problem]:
    for name, field in activity.kind.fields.items():
        value = getattr(activity.settings, name)
        if field.widget is Widget.RESOURCE and value not in usable:
            noun = field.label.lower()
            text = f"Choose a {noun}." if value is None else f"The chosen {noun} is gone or archived."
            yield Problem(activity.key, "missing_resource", text)
        elif field.widget is not Widget.RESOURCE and (text := setting_problem(field=field, value=value)):
            yield Problem(activity.key, "out_of_bounds", text)
    for code, text in activity.kind.problems(activity.settings):
        yield Problem(activity.key, code, text)


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
        activity.key: set(activity.next.values()) for activity in flow.activities if not activity.kind.lets_time_pass
    }
    while True:
        ends = [key for key, targets in remaining.items() if not targets & remaining.keys()]
        if not ends:
            break
        for key in ends:
            del remaining[key]
    on_cycle = [key for key in remaining if _returns(key, remaining)]
    text = "This goes round for ever. Put an activity that waits, such as a delay, into the loop."
    return [Problem(key, "endless_cycle", text) for key in on_cycle]


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
